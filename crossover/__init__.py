"""The command line: which variant of the deployment is best, measured and calculated."""
