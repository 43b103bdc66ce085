"""`crossover new`: writes the user's own CDK app, copied from the app in the package."""
