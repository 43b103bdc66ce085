"""Which share of the requests of Poisson traffic meets a cold start, in closed form; of other traffic, see simulation.

AWS documents neither which idle environment gets a request nor after how long an idle one goes. So the result is a
bracket: the upper end for the most recently used environment (the others idle longest), the lower one for any order.
"""

import math
from dataclasses import dataclass
from itertools import pairwise, takewhile

import numpy as np
from numpy.typing import NDArray

from crossover.cost.erlang import loss_probabilities
from crossover.cost.numbers import Amount

MOST_AT_ONCE = 1000.0  # requests for which the quick form counts; three times as many are a third as often cold
NEGLIGIBLE = 1e-12  # of all requests: environments beyond serve fewer


@dataclass(frozen=True, kw_only=True)
class ColdShare:
    """Shares of all requests, 0 to 1.

    Attributes:
        low: whatever the order: a request is cold for certain after a silence longer than an idle environment lives.
        high: if the most recently used idle environment gets each request.
    """

    low: Amount
    high: Amount


def poisson(
    rate: float, service_seconds: float, idle_seconds: float, *, lifetime_hours: float | None = None
) -> ColdShare:
    """The exact bracket for Poisson arrivals and exponential service.

    The work grows fast with the load, which is rate x service: 0.1 s for 50 requests at once, 3 s for 200.

    Args:
        rate: requests/s, above 0.
        service_seconds: mean time for one request, s.
        idle_seconds: how long an idle environment lives, s.
        lifetime_hours: how long an environment lives even if it is busy, h; None for ever. Replacing the environments
            that are needed all the time puts a floor under both ends: max(1, load) / (rate x lifetime).

    Raises:
        ValueError: a value is not above 0.
    """
    _refuse_nonsense(rate, service_seconds, idle_seconds, lifetime_hours)
    losses = [*takewhile(lambda loss: loss > NEGLIGIBLE, loss_probabilities(rate * service_seconds)), 0.0]
    high = sum(
        (before - after) * _idle_survival_exact(number, rate, service_seconds, idle_seconds)
        for number, (before, after) in enumerate(pairwise(losses), start=1)
    )
    return _bracket(high, rate, service_seconds, idle_seconds, lifetime_hours)


def poisson_quick(
    rate: Amount, service_seconds: Amount, idle_seconds: Amount, *, lifetime_hours: Amount | None = None
) -> ColdShare:
    """As `poisson`, with the overflow to each further environment taken as Poisson, though it comes in bursts.

    0.1 ms whatever the load, and for arrays element by element. Its upper end is too low: by 1 % at 10 requests a
    minute, 9 % at 72, 22 % at 1,000 (128 ms each, idle for 300 s), and by more the more requests overlap: at
    50 at once it is a third. Beyond MOST_AT_ONCE it falls as the rate rises, which is what it does there.
    """
    _refuse_nonsense(rate, service_seconds, idle_seconds, lifetime_hours)
    rates, services, idle = (np.asarray(each, dtype=float) for each in (rate, service_seconds, idle_seconds))
    fewer = np.minimum(1.0, MOST_AT_ONCE / (rates * services))
    played = rates * fewer
    load = played * services
    loss, high, servers = np.ones_like(load), np.zeros_like(load * idle), 0
    while np.any(loss > 0):
        servers += 1
        after = load * loss / (servers + load * loss)
        after = np.where(after > NEGLIGIBLE, after, 0.0)
        high = high + (loss - after) * np.exp(-played * loss * idle)
        loss = after
    return _bracket(high * fewer, rates, services, idle, lifetime_hours)


# Both sum over the environments, counted in the order in which they are asked. The k-th serves what the k-1 before it
# cannot take and it can: B(k-1) - B(k). Of that, those are cold that come after it has been idle for too long.


def _refuse_nonsense(
    rate: Amount, service_seconds: Amount, idle_seconds: Amount, lifetime_hours: Amount | None
) -> None:
    values = {"rate": rate, "service": service_seconds, "idle time": idle_seconds, "lifetime": lifetime_hours}
    for name, value in values.items():
        if value is not None and not np.all((np.asarray(value) > 0) & np.isfinite(value)):
            raise ValueError(f"The {name} is {value!r}; it must be a number above 0.")


def _bracket(
    high: Amount, rate: Amount, service_seconds: Amount, idle_seconds: Amount, lifetime_hours: Amount | None
) -> ColdShare:
    low = np.exp(-rate * idle_seconds)
    load = rate * service_seconds
    floor = 0.0 if lifetime_hours is None else np.maximum(1.0, load) / (rate * lifetime_hours * 3600)
    return ColdShare(low=np.minimum(1.0, low + floor), high=np.minimum(1.0, high + floor))


def _idle_survival_exact(number: int, rate: float, service: float, idle: float) -> float:
    """The probability that environment `number` gets no request within `idle` seconds of becoming idle.

    The environments before it are a loss system. When this one got its request, all of them were busy; they go on for
    as long as it is busy itself, and from then on it gets the first request that finds all of them busy again.
    """
    before = number - 1
    if before == 0:
        return math.exp(-rate * idle)
    busy = _generator(before, rate, service, with_overflow=False)
    waiting = _generator(before, rate, service, with_overflow=True)
    start = np.zeros(before + 1)
    start[-1] = 1.0
    # E[exp(Q S)] for an exponential S of rate mu is mu (mu I - Q)^-1.
    mu = 1 / service
    at_idle = np.linalg.solve((mu * np.eye(before + 1) - busy).T, mu * start)
    return float(np.clip(at_idle @ _exponential(waiting, idle) @ np.ones(before + 1), 0.0, 1.0))


def _generator(servers: int, rate: float, service: float, *, with_overflow: bool) -> NDArray[np.float64]:
    """Of the number of busy servers, [servers + 1, servers + 1]; `with_overflow` ends at the first arrival too many."""
    up = np.full(servers, rate)
    down = np.arange(1, servers + 1) / service
    generator = np.diag(up, 1) + np.diag(down, -1)
    generator -= np.diag(generator.sum(axis=1))
    if with_overflow:
        generator[-1, -1] -= rate
    return generator


def _exponential(generator: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    """exp(generator x seconds) of a birth-death chain, which a diagonal scaling makes symmetric."""
    up, down = np.diag(generator, 1), np.diag(generator, -1)
    scale = np.exp(np.concatenate([[0.0], np.cumsum(np.log(up / down)) / 2]))
    values, vectors = np.linalg.eigh(scale[:, None] * generator / scale[None, :])
    middle = (vectors * np.exp(values * seconds)) @ vectors.T
    return np.asarray(middle / scale[:, None] * scale[None, :])
