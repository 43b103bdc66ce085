"""The command line: which way of deploying the model is best, measured and counted."""
