"""The examples run. That of the constructs in an app of one's own is in tests/package, where the wheel is installed."""
