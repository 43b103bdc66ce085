"""For maintainers: this project compared with others, and a soak under faults. Not installed."""
