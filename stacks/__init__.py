"""What is deployed: the CDK constructs and the stack made of them."""
