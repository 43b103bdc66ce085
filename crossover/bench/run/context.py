"""What a benchmark runs with: clients, prices, clock, progress display and control."""

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from crossover.aws import Clients
from crossover.cost.prices import Prices


@dataclass(frozen=True)
class Clock:
    """This machine's time; tests bring their own.

    Attributes:
        wall: s since 1970.
        monotonic: s since an unspecified moment; never jumps.
        sleep: waits for s.
    """

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Control:
    """Ends a benchmark early; shared by everything that sends and waits.

    Attributes:
        stopping: once set, nothing more is sent.
        abandoned: once set, requests in progress are abandoned and become no observations.
        reason: why it stopped, as a sentence; empty where it did not.
    """

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.abandoned = threading.Event()
        self.reason = ""

    def stop(self, reason: str) -> None:
        """Send nothing more, but finish what is in progress. The first reason is kept."""
        self.reason = self.reason or reason
        self.stopping.set()


class Watcher(Protocol):
    """Shows the progress."""

    def begin(self, what: str, total: int, done: int) -> None:
        """A part of `total` requests begins, or is resumed after `done` of them."""

    def advance(self, usd: float) -> None:
        """A request has ended; `usd` were spent so far."""

    def say(self, what: str) -> None:
        """Another phase begins."""

    def warn(self, sentence: str) -> None:
        """Something needs the user's attention."""


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What a benchmark runs with.

    Attributes:
        clients: of the account.
        region: of the account.
        is_rehearsal: whether this is the local AWS, whose times are not AWS's.
        prices: of the region.
        clock: this machine's.
        watcher: shows the progress.
    """

    clients: Clients
    region: str
    is_rehearsal: bool
    prices: Prices
    clock: Clock
    watcher: Watcher


def clock_offset(answers: Iterable[tuple[float, float, float]]) -> tuple[float, float]:
    """How far AWS's clock is ahead of this machine's, as a range, s.

    The Date of an answer is truncated to the second: AWS's clock showed a time from Date up to Date + 1 s at some
    moment between the sending of the request and the arrival of the answer. Each answer narrows the range.

    Args:
        answers: when each request was sent and answered by this machine's clock, and its answer's Date, s since 1970.

    Returns:
        The lowest and the highest offset that fit all answers; infinite without answers.
    """
    low, high = -math.inf, math.inf
    for sent, answered, date in answers:
        low, high = max(low, date - answered), min(high, date + 1 - sent)
    return low, high
