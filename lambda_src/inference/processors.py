"""How many processors there are to compute on."""

import os


def available() -> int:
    """How many this process may run on; where the system cannot say (macOS), how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
