"""`crossover doctor`: what a deployment would fail on, and what to do, without changing anything."""
