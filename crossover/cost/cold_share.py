"""Which share of the requests meets a cold start: of Poisson traffic in closed form, of any other by simulation.

AWS documents neither which idle environment gets a request nor how long an idle one is kept. So the result is a
bracket: the upper end holds if the most recently used one gets it (the others then idle longest), the lower end in any
order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise, takewhile

import numpy as np
from numpy.typing import NDArray

from crossover.cost.erlang import loss_probabilities
from crossover.cost.numbers import Amount, keep_latest

# Requests in progress up to which `poisson_quick` is computed; beyond, the share is inversely proportional to them.
MAX_CONCURRENCY = 1000.0
NEGLIGIBLE = 1e-12  # share of the requests; environments that serve less are left out


@dataclass(frozen=True, kw_only=True)
class ColdShare:
    """Shares of all requests, 0 to 1.

    Attributes:
        low: in any order. A request is certainly cold after a pause longer than an idle environment is kept.
        high: if each request goes to the most recently used idle environment.
    """

    low: Amount
    high: Amount


class Order(Enum):
    """Which idle environment gets the next request."""

    MOST_RECENT = "most recently used"
    LEAST_RECENT = "least recently used"


def poisson(
    rate: float, service_seconds: float, idle_seconds: float, *, lifetime_hours: float | None = None
) -> ColdShare:
    """The exact bracket for Poisson arrivals and exponential service.

    The computing time grows fast with the load, which is rate x service: 0.1 s for 50 requests at once, 3 s for 200.

    Args:
        rate: requests/s, above 0.
        service_seconds: mean time for one request, s.
        idle_seconds: how long an idle environment is kept, s.
        lifetime_hours: how long an environment is kept even if it is busy, h; None: no limit. Replacing environments
            that are always needed gives both ends a minimum: max(1, load) / (rate x lifetime).

    Raises:
        ValueError: a value is not above 0.
    """
    _refuse_unless_positive(rate, service_seconds, idle_seconds, lifetime_hours)
    losses = [*takewhile(lambda loss: loss > NEGLIGIBLE, loss_probabilities(rate * service_seconds)), 0.0]
    high = sum(
        (before - after) * _idle_survival_exact(number, rate, service_seconds, idle_seconds)
        for number, (before, after) in enumerate(pairwise(losses), start=1)
    )
    return _bracket(high, rate, service_seconds, idle_seconds, lifetime_hours)


@keep_latest
def poisson_quick(
    rate: Amount, service_seconds: Amount, idle_seconds: Amount, *, lifetime_hours: Amount | None = None
) -> ColdShare:
    """As `poisson`, but treats the overflow to each further environment as Poisson, though it comes in bursts.

    Much faster, and for arrays element by element. Its upper end is too low: by 1 % at 10 requests a minute, 9 % at 72
    and 22 % at 1,000 (128 ms each, idle for 300 s). The error grows as more requests overlap: with 50 in progress the
    result is about a third of the exact one. Beyond MAX_CONCURRENCY it is inversely proportional to the rate.
    """
    _refuse_unless_positive(rate, service_seconds, idle_seconds, lifetime_hours)
    rates, services, idle = (np.asarray(each, dtype=float) for each in (rate, service_seconds, idle_seconds))
    fewer = np.minimum(1.0, MAX_CONCURRENCY / (rates * services))
    simulated_rates = rates * fewer
    load = simulated_rates * services
    loss, high, servers = np.ones_like(load), np.zeros_like(load * idle), 0
    while np.any(loss > 0):
        servers += 1
        after = load * loss / (servers + load * loss)
        after = np.where(after > NEGLIGIBLE, after, 0.0)
        high = high + (loss - after) * np.exp(-simulated_rates * loss * idle)
        loss = after
    return _bracket(high * fewer, rates, services, idle, lifetime_hours)


def simulated(arrivals: Sequence[float], services: Sequence[float], idle_seconds: float, order: Order) -> float:
    """The cold share of any traffic, simulated request by request. The tests check the closed forms with it.

    Args:
        arrivals: when each request comes, s, ascending, [requests].
        services: how long each takes, s, [requests].
        idle_seconds: how long an idle environment is kept, s.
        order: which idle environment gets a request.

    Returns:
        The share of the requests that find no idle environment.

    Raises:
        ValueError: there are no requests, or the two lengths differ.
    """
    if len(arrivals) == 0 or len(arrivals) != len(services):
        raise ValueError(
            f"There are {len(arrivals)} arrivals and {len(services)} services; both numbers must be equal and above 0."
        )
    free_at: list[float] = []  # when each environment finishes or finished its last request, unordered
    cold = 0
    for now, service in zip(arrivals, services, strict=True):
        free_at = [free for free in free_at if free >= now - idle_seconds]
        idle = [free for free in free_at if free <= now]
        if idle:
            free_at.remove(max(idle) if order is Order.MOST_RECENT else min(idle))
        else:
            cold += 1
        free_at.append(now + service)
    return cold / len(arrivals)


# Both closed forms sum over the environments in the order in which they are tried. The k-th serves what the k-1 before
# it cannot take but it can: B(k-1) - B(k). Of these, a request is cold if it comes after too long an idle time.


def _refuse_unless_positive(
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

    The environments before it form a loss system. All of them were busy when this one got its request. They keep
    working while it is busy, and afterwards it gets the first request that finds all of them busy again.
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
    """The generator matrix of the number of busy servers, [servers + 1, servers + 1].

    With `with_overflow` the chain ends at the first arrival that finds all servers busy.
    """
    up = np.full(servers, rate)
    down = np.arange(1, servers + 1) / service
    generator = np.diag(up, 1) + np.diag(down, -1)
    generator -= np.diag(generator.sum(axis=1))
    if with_overflow:
        generator[-1, -1] -= rate
    return generator


def _exponential(generator: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    """exp(generator x seconds) of a birth-death chain, made symmetric by a diagonal scaling."""
    up, down = np.diag(generator, 1), np.diag(generator, -1)
    scale = np.exp(np.concatenate([[0.0], np.cumsum(np.log(up / down)) / 2]))
    values, vectors = np.linalg.eigh(scale[:, None] * generator / scale[None, :])
    middle = (vectors * np.exp(values * seconds)) @ vectors.T
    return np.asarray(middle / scale[:, None] * scale[None, :])
