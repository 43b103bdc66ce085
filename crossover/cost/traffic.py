"""The cold share of traffic that is given by its kind: poisson, batches, or a recorded trace."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossover.cost import arrivals
from crossover.cost.cold_share import ColdShare, Order, poisson, simulated
from crossover.cost.scenario import SECONDS_PER_MONTH, Scenario
from crossover.errors import UsageError

MAX_CONCURRENCY = 60.0  # requests in progress; with more, the exact form takes too long
SIMULATED_BATCHES = 4  # counted; as many before them are not, since the first ones meet more cold starts
KINDS = "poisson, batches:SIZE:EVERY_SECONDS[:SPREAD_SECONDS] or trace:FILE"


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """How the requests come.

    Attributes:
        text: as on the command line.
        share: its cold share; None for Poisson arrivals, whose share depends on the traffic.
        requests: a month, as the trace or the batches have it; None for Poisson arrivals.
    """

    text: str
    share: ColdShare | None = None
    requests: float | None = None


def parse(text: str, scenario: Scenario) -> Traffic:
    """The traffic that a text names, one of KINDS, for the function of this scenario.

    Raises:
        UsageError: it is none of them, a number in it is out of bounds, or the trace cannot be read.
    """
    kind, _, rest = text.partition(":")
    if kind == "poisson" and not rest:
        return Traffic(text=text)
    if kind == "trace" and rest:
        times = arrivals.read_trace(Path(rest))
        if times[-1] <= 0:
            raise UsageError(f"The trace {rest} holds a single time; its cold share needs at least two.")
        # The span from the first to the last has one gap fewer than requests.
        return _simulated(text, times, scenario, rate=(len(times) - 1) / times[-1])
    if kind == "batches" and rest:
        size, every, spread = _batch(text, rest)
        times = arrivals.batches(size, every, 2 * SIMULATED_BATCHES, spread_seconds=spread)
        return _simulated(text, times, scenario, rate=size / every, left_out=size * SIMULATED_BATCHES)
    raise _invalid(text)


def exact(scenario: Scenario) -> ColdShare | None:
    """The exact bracket for Poisson arrivals; None where too many requests overlap to compute it quickly."""
    rate, warm = float(scenario.rate), float(scenario.warm())
    if rate * warm > MAX_CONCURRENCY:
        return None
    return poisson(rate, warm, float(scenario.idle_seconds), lifetime_hours=float(scenario.lifetime_hours))


def _simulated(text: str, times: list[float], scenario: Scenario, *, rate: float, left_out: int = 0) -> Traffic:
    """The traffic simulated in both orders, without counting the first `left_out` requests."""
    services = [float(scenario.warm())] * len(times)
    idle = float(scenario.idle_seconds)

    def share(order: Order) -> float:
        cold = simulated(times, services, idle, order) * len(times)
        if left_out:
            cold -= simulated(times[:left_out], services[:left_out], idle, order) * left_out
        return cold / (len(times) - left_out)

    shares = [share(order) for order in Order]
    return Traffic(text=text, share=ColdShare(low=min(shares), high=max(shares)), requests=rate * SECONDS_PER_MONTH)


def _batch(text: str, rest: str) -> tuple[int, float, float]:
    parts = rest.split(":")
    try:
        size, every, spread = int(parts[0]), float(parts[1]), float(parts[2]) if len(parts) > 2 else 0.0
    except (IndexError, ValueError):
        raise _invalid(text) from None
    if len(parts) > 3 or not (1 <= size <= 1000 and 0 < every < np.inf and 0 <= spread < every):
        raise UsageError(
            f"The batches are {rest!r}; there must be 1 to 1,000 at a time, spread over less than the interval."
        )
    return size, every, spread


def _invalid(text: str) -> UsageError:
    return UsageError(f"The arrivals are {text!r}; they must be {KINDS}.")
