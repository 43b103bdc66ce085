"""Waiting for what happens in another process."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait; what has not happened after a minute never will."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
