"""The cold share of traffic that is given by its kind: poisson, batches, or a trace of what came."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossover.cost import arrivals
from crossover.cost.cold_share import ColdShare, Order, poisson, simulated
from crossover.cost.scenario import SECONDS_A_MONTH, Scenario
from crossover.errors import UsageError

MOST_AT_ONCE = 60.0  # requests, up to which the exact form takes no more than a moment
BATCHES_PLAYED = 4  # and as many before them, which are colder than all that follow
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
        UsageError: it is none of them, a number in it cannot be, or the trace cannot be read.
    """
    kind, _, rest = text.partition(":")
    if kind == "poisson" and not rest:
        return Traffic(text=text)
    if kind == "trace" and rest:
        times = arrivals.read_trace(Path(rest))
        if times[-1] <= 0:
            raise UsageError(f"The trace {rest} holds a single moment; its cold share needs at least two.")
        # The span from the first to the last has one gap fewer than requests.
        return _played(text, times, scenario, rate=(len(times) - 1) / times[-1])
    if kind == "batches" and rest:
        size, every, spread = _batch(text, rest)
        times = arrivals.batches(size, every, 2 * BATCHES_PLAYED, spread_seconds=spread)
        return _played(text, times, scenario, rate=size / every, left_out=size * BATCHES_PLAYED)
    raise _not_one(text)


def exact(scenario: Scenario) -> ColdShare | None:
    """The exact bracket for Poisson arrivals; None where so many overlap that it would take long."""
    rate, warm = float(scenario.rate), float(scenario.warm())
    if rate * warm > MOST_AT_ONCE:
        return None
    return poisson(rate, warm, float(scenario.idle_seconds), lifetime_hours=float(scenario.lifetime_hours))


def _played(text: str, times: list[float], scenario: Scenario, *, rate: float, left_out: int = 0) -> Traffic:
    """The traffic played through in both orders; so many requests at its beginning do not count."""
    services = [float(scenario.warm())] * len(times)
    idle = float(scenario.idle_seconds)

    def share(order: Order) -> float:
        cold = simulated(times, services, idle, order) * len(times)
        if left_out:
            cold -= simulated(times[:left_out], services[:left_out], idle, order) * left_out
        return cold / (len(times) - left_out)

    shares = [share(order) for order in Order]
    return Traffic(text=text, share=ColdShare(low=min(shares), high=max(shares)), requests=rate * SECONDS_A_MONTH)


def _batch(text: str, rest: str) -> tuple[int, float, float]:
    parts = rest.split(":")
    try:
        size, every, spread = int(parts[0]), float(parts[1]), float(parts[2]) if len(parts) > 2 else 0.0
    except (IndexError, ValueError):
        raise _not_one(text) from None
    if len(parts) > 3 or not (1 <= size <= 1000 and 0 < every < np.inf and 0 <= spread < every):
        raise UsageError(
            f"The batches are {rest!r}; there must be 1 to 1,000 at a time, spread over less than the interval."
        )
    return size, every, spread


def _not_one(text: str) -> UsageError:
    return UsageError(f"The arrivals are {text!r}; they must be {KINDS}.")
