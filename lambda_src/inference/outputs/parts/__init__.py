"""What the kinds of output are made of."""
