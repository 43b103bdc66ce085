"""The app's stacks and settings, made of the constructs in crossover.cdk."""
