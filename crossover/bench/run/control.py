"""What ends a benchmark before its time."""

import threading


class Control:
    """Shared by all that sends and waits.

    Attributes:
        stopping: set, nothing more is sent.
        abandoned: set, what is under way is given up, and is no observation.
        reason: why it stopped, as a sentence; empty where it did not.
    """

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.abandoned = threading.Event()
        self.reason = ""

    def stop(self, reason: str) -> None:
        """Send nothing more; what is under way goes on. The first reason stands."""
        self.reason = self.reason or reason
        self.stopping.set()
