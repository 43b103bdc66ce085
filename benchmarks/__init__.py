"""For maintainers: comparisons with other implementations, and a soak under faults. Not installed."""
