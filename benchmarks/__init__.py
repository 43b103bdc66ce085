"""For maintainers: this project beside others, and a soak under faults. Not installed."""
