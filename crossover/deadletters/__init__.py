"""Events that failed for good: the dead letters in a variant's queue, listed and redriven."""
