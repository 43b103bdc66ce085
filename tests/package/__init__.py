"""The package as others get it: the wheel, installed elsewhere."""
