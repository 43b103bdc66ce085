"""Erlang's two formulae for Poisson arrivals at c servers.

Source: L. Kleinrock, Queueing Systems, Volume 1 (1975), sections 3.5 and 3.6. `load` is in erlangs: arrivals per second
times seconds of service.
"""

from collections.abc import Iterator
from itertools import islice


def loss_probabilities(load: float) -> Iterator[float]:
    """Erlang B for 0, 1, 2, ... servers: the share of arrivals that find all of them busy, where nobody waits.

    By the recursion B(c) = load B(c-1) / (c + load B(c-1)), which is stable, unlike the quotient of factorials.

    Raises:
        ValueError: the load is negative.
    """
    if load < 0:
        raise ValueError(f"The load is {load!r} erlangs; it must be at least 0.")
    probability, servers = 1.0, 0
    while True:
        yield probability
        servers += 1
        probability = load * probability / (servers + load * probability)


def loss_probability(servers: int, load: float) -> float:
    """Erlang B for so many servers, at least 0."""
    if servers < 0:
        raise ValueError(f"There are {servers} servers; it must be at least 0.")
    return next(islice(loss_probabilities(load), servers, None))


def waiting_probability(servers: int, load: float) -> float:
    """Erlang C, of M/M/c: the share of arrivals that have to wait, where all wait; 1 where the load is too much.

    Raises:
        ValueError: there is no server, or the load is negative.
    """
    if servers < 1:
        raise ValueError(f"There are {servers} servers; it must be at least 1.")
    if load >= servers:
        return 1.0
    loss = loss_probability(servers, load)
    return servers * loss / (servers - load * (1 - loss))
