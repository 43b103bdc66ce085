"""Scripts that run in a peer's environment, in a fresh interpreter that has nothing of this one."""
