"""The soak: uploads under injected faults, after which every upload must be an item or a dead letter."""
