"""The times of a benchmark: this machine's, and what they are by AWS's clocks."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """This machine's time; tests bring their own.

    Attributes:
        wall: s since 1970.
        monotonic: s since whenever; never jumps.
        sleep: lets s go by.
    """

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def offset(answers: Iterable[tuple[float, float, float]]) -> tuple[float, float]:
    """How much AWS's clock is ahead of this machine's, as a range, s.

    The Date of an answer is cut to the second: it lies between the sending of the request less a second and the coming
    of the answer. Every answer narrows the range.

    Args:
        answers: when each request was sent and answered here, and the Date that its answer had, s since 1970.

    Returns:
        The lowest and the highest offset that fits all of them; infinite where there are none.
    """
    low, high = -math.inf, math.inf
    for sent, answered, date in answers:
        low, high = max(low, date - answered), min(high, date + 1 - sent)
    return low, high
