"""The functions' code packages. Knows nothing of CDK, so that what only needs a bundle does not start Node."""
