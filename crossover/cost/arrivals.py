"""When requests come: random, in batches, or as recorded."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from crossover.errors import UsageError, reason_of


def poisson(rate: float, count: int, *, seed: int) -> list[float]:
    """`count` independent arrivals at `rate` requests/s: s since the beginning, ascending."""
    gaps: list[float] = np.random.default_rng(seed).exponential(1 / rate, count).cumsum().tolist()
    return gaps


def batches(size: int, every_seconds: float, count: int, *, spread_seconds: float = 0.0) -> list[float]:
    """`count` batches of `size` requests, one every `every_seconds`, evenly spread over `spread_seconds`.

    Returns s since the beginning, ascending as long as a batch ends before the next begins.
    """
    return [batch * every_seconds + number * spread_seconds / size for batch in range(count) for number in range(size)]


def read_trace(path: Path) -> list[float]:
    """Recorded arrivals from a text file: one a line, in s or in ISO 8601 (UTC where it names no zone), in any order.

    Empty lines and those that begin with # do not count. Returns s since the first, ascending.

    Raises:
        UsageError: the file cannot be read, a line is neither, or there is none.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The trace {path} cannot be read as text: {reason_of(error)}.") from error
    times = [
        _seconds(line.strip(), f"line {number} of {path}")
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not times:
        raise UsageError(f"The trace {path} holds no time; it must have one a line, in seconds or in ISO 8601.")
    return [time - min(times) for time in sorted(times)]


def _seconds(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(
                f"The time in {where} is {text!r}; it must be in seconds or in ISO 8601, as 2026-11-20T09:30:00Z."
            ) from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not -1e15 < value < 1e15:
        raise UsageError(f"The time in {where} is {text!r}; it must be a finite number of seconds.")
    return value
