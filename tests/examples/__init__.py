"""The examples run. The one with the constructs in an own CDK app is in tests/package, where the wheel is installed."""
