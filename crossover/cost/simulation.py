"""The cold share of any traffic, by playing it through; also what checks the closed forms in the tests."""

from collections.abc import Sequence
from enum import Enum


class Order(Enum):
    """Which idle environment gets a request."""

    MOST_RECENT = "most recently used"
    LEAST_RECENT = "least recently used"


def cold_share(arrivals: Sequence[float], services: Sequence[float], idle_seconds: float, order: Order) -> float:
    """The cold share of any traffic: a trace, batches, or random numbers.

    Args:
        arrivals: when each request comes, s, ascending, [requests].
        services: how long each takes, s, [requests].
        idle_seconds: how long an idle environment lives, s.
        order: which idle environment gets a request.

    Returns:
        The share of the requests that find no idle environment.

    Raises:
        ValueError: there are no requests, or not as many services.
    """
    if len(arrivals) == 0 or len(arrivals) != len(services):
        raise ValueError(
            f"There are {len(arrivals)} arrivals and {len(services)} services; both must be as many, not 0."
        )
    free_at: list[float] = []  # when each living environment is or was done, in no order
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
