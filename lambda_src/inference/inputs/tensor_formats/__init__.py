"""The formats of files that hold tensors, one a module; they need numpy."""
