"""When the requests of a load are sent: the same times for the same seed, whatever the variant answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossover.cost import arrivals
from crossover.errors import UsageError

KINDS = "poisson:RATErpm, constant:RATErpm, batch:SIZE:EVERYs, ramp:LOW-HIGH or trace:FILE"
DEFAULT_REQUESTS = 200
MAX_REQUESTS = 100_000
MAX_RPM = 60_000.0
MOST_AT_ONCE = 1000  # of a batch: an account's concurrency, unless raised
MAX_CONCURRENCY = 64  # of a ramp


@dataclass(frozen=True, kw_only=True)
class Slot:
    """When one request is sent.

    Attributes:
        offset: s after the first one, in an open loop; None in a closed loop, where it waits for another one to end.
        concurrency: requests in progress at once, in a closed loop; None in an open one.
    """

    offset: float | None = None
    concurrency: int | None = None


def parse_schedule(text: str, requests: int | None, *, seed: int) -> list[Slot]:
    """The slots of an arrival process, one of KINDS; the first is at 0.

    Args:
        text: as on the command line.
        requests: how many; None for DEFAULT_REQUESTS, and for all that a trace holds.
        seed: of random arrivals.

    Raises:
        UsageError: the text is not one of KINDS, or a number in it is out of range.
    """
    kind, _, rest = text.partition(":")
    if kind not in _KINDS:
        raise UsageError(f"The arrivals are {text!r}; they must be {KINDS}.")
    if requests is not None and not 1 <= requests <= MAX_REQUESTS:
        raise UsageError(f"There are {requests:,} requests; there must be 1 to {MAX_REQUESTS:,}.")
    return _KINDS[kind](text, rest, requests, seed)


def _poisson(text: str, rest: str, requests: int | None, seed: int) -> list[Slot]:
    return _open(arrivals.poisson(_rate(text, rest), requests or DEFAULT_REQUESTS, seed=seed))


def _constant(text: str, rest: str, requests: int | None, seed: int) -> list[Slot]:
    rate = _rate(text, rest)
    return _open([number / rate for number in range(requests or DEFAULT_REQUESTS)])


def _batch(text: str, rest: str, requests: int | None, seed: int) -> list[Slot]:
    match = re.fullmatch(r"(\d+):(\d+(?:\.\d+)?)s", rest)
    if not match or not 1 <= int(match[1]) <= MOST_AT_ONCE or not 0 < float(match[2]) <= 86_400:
        raise UsageError(
            f"The arrivals are {text!r}; batches are batch:SIZE:EVERYs, of 1 to {MOST_AT_ONCE:,} every 0 to 86,400 s, "
            "as in batch:10:30s."
        )
    size, every = int(match[1]), float(match[2])
    count = requests or DEFAULT_REQUESTS
    return _open(arrivals.batches(size, every, -(-count // size))[:count])


def _ramp(text: str, rest: str, requests: int | None, seed: int) -> list[Slot]:
    """The same number of requests at each concurrency, which doubles from LOW and ends with HIGH."""
    match = re.fullmatch(r"(\d+)-(\d+)", rest)
    low, high = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= low <= high <= MAX_CONCURRENCY:
        raise UsageError(
            f"The arrivals are {text!r}; a ramp is ramp:LOW-HIGH, from 1 to {MAX_CONCURRENCY} at once, as in ramp:1-16."
        )
    steps = [low]
    while steps[-1] < high:
        steps.append(min(2 * steps[-1], high))
    count = requests or DEFAULT_REQUESTS
    if count // len(steps) < high:
        raise UsageError(
            f"There are {count:,} requests; a ramp of {len(steps)} steps up to {high} at once needs at least "
            f"{high * len(steps):,}."
        )
    sizes = [count // len(steps) + (number < count % len(steps)) for number in range(len(steps))]
    return [Slot(concurrency=step) for step, size in zip(steps, sizes, strict=True) for _ in range(size)]


def _trace(text: str, rest: str, requests: int | None, seed: int) -> list[Slot]:
    times = arrivals.read_trace(Path(rest))
    count = len(times) if requests is None else requests
    if count > min(len(times), MAX_REQUESTS):
        raise UsageError(
            f"{count:,} requests are asked for; the trace {rest} holds {len(times):,}, and at most {MAX_REQUESTS:,} "
            "are sent."
        )
    return _open(times[:count])


_KINDS: dict[str, Callable[[str, str, int | None, int], list[Slot]]] = {
    "poisson": _poisson,
    "constant": _constant,
    "batch": _batch,
    "ramp": _ramp,
    "trace": _trace,
}


def _open(times: list[float]) -> list[Slot]:
    return [Slot(offset=round(time - times[0], 6)) for time in times]


def _rate(text: str, rest: str) -> float:
    """Requests/s."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)rpm", rest)
    if not match or not 0 < float(match[1]) <= MAX_RPM:
        raise UsageError(
            f"The arrivals are {text!r}; the rate must be more than 0rpm and at most {MAX_RPM:,.0f}rpm, as in 60rpm."
        )
    return float(match[1]) / 60
