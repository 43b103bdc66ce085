"""What a variant costs, and at which traffic another one becomes cheaper: pure functions, no AWS call."""
