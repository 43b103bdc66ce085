"""`crossover new`: writes a CDK app of the user's own, made of the app that the package was built with."""
