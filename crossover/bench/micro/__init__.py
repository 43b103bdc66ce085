"""The handlers on this machine: how long a call and a cold start take, and at which memory size."""
