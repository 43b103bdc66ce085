"""Ctrl-C, SIGTERM and SIGHUP end the work, but never while a process is being started or stopped."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedBySignalError(BaseException):
    """A signal asks to stop. Not an Exception, so that nothing catches it by accident.

    Attributes:
        exit_code: what a shell reports for a process that this signal ended: 130 for Ctrl-C.
        stopped: what was stopped because of it, by name.
        running: what keeps running, with how to stop it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number
        self.stopped: list[str] = []
        self.running: list[str] = []

    @property
    def sentence(self) -> str:
        """What was stopped and what still runs, for a person."""
        stopped = ", ".join(self.stopped) or "all that it had started"
        return f"interrupted; stopped: {stopped}; still running: {', '.join(self.running) or 'nothing'}."


class _State:
    holders = 0
    waiting: int | None = None
    ending = False


def install() -> None:
    """Let the first signal raise InterruptedBySignalError in the main thread; those during clean-up do nothing."""
    _State.ending = False
    for number in SIGNALS:
        signal.signal(number, _handle)


def _handle(number: int, frame: FrameType | None) -> None:
    if _State.ending:
        return
    if _State.holders:
        _State.waiting = number
    else:
        _State.ending = True
        raise InterruptedBySignalError(number)


@contextlib.contextmanager
def delayed() -> Iterator[None]:
    """Delay a signal until the block has ended."""
    _State.holders += 1
    try:
        yield
    finally:
        _State.holders -= 1
    if not _State.holders and _State.waiting is not None:
        number, _State.waiting = _State.waiting, None
        _State.ending = True
        raise InterruptedBySignalError(number)
