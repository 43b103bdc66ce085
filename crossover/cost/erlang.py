"""Erlang's two formulae for Poisson arrivals at c servers.

Source: L. Kleinrock, Queueing Systems, Volume 1 (1975), sections 3.5 and 3.6. `load` is in erlangs: arrivals per second
times seconds of service.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from crossover.cost.numbers import Amount


def loss_probabilities(load: Amount) -> Iterator[Amount]:
    """Erlang B for 0, 1, 2, ... servers: the share of arrivals that find all of them busy, where none waits.

    By the recursion B(c) = load B(c-1) / (c + load B(c-1)), which is stable, unlike the quotient of factorials.

    Raises:
        ValueError: the load is negative.
    """
    if np.any(np.asarray(load) < 0):
        raise ValueError(f"The load is {load!r} erlangs; it must be at least 0.")
    probability, servers = load * 0.0 + 1.0, 0
    while True:
        yield probability
        servers += 1
        probability = load * probability / (servers + load * probability)


def loss_probability(servers: Amount, load: Amount) -> Amount:
    """Erlang B for a whole number of servers, at least 0; element by element.

    Raises:
        ValueError: there are fewer.
    """
    wanted, loads = np.broadcast_arrays(np.asarray(servers), np.asarray(load, dtype=float))
    if np.any(wanted < 0):
        raise ValueError(f"There are {servers} servers; it must be at least 0.")
    steps = islice(loss_probabilities(loads), int(wanted.max()) + 1)
    return sum(np.where(wanted == number, loss, 0.0) for number, loss in enumerate(steps))


def waiting_probability(servers: int, load: float) -> float:
    """Erlang C, of M/M/c: the share of arrivals that have to wait, where all wait; 1 where the load is too high.

    Raises:
        ValueError: there is no server, or the load is negative.
    """
    if servers < 1:
        raise ValueError(f"There are {servers} servers; it must be at least 1.")
    return float(_waiting(servers, load, loss_probability(servers, load)))


def _waiting(servers: int, load: Amount, loss: Amount) -> NDArray[np.float64]:
    """Erlang C, from Erlang B for as many servers."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(servers > np.asarray(load), servers * loss / (servers - load * (1 - loss)), 1.0)


def servers_for_loss(load: Amount, loss: Amount) -> NDArray[np.int64]:
    """The fewest servers, at least 1, that lose at most this share of the arrivals; element by element.

    Raises:
        ValueError: a share is not above 0.
    """
    loads, losses = _broadcast(load, loss)
    if not np.all(losses > 0):
        raise ValueError("The share that may be lost must be above 0.")
    return _search(loads, np.ones_like(loads, dtype=np.int64), lambda _, loss, open_: loss <= losses.ravel()[open_])


def servers_for_waiting(load: Amount, waiting: Amount, at_least: Amount, *, step: int = 1) -> NDArray[np.int64]:
    """The fewest servers, a multiple of `step` and at least `at_least`, at which no larger share has to wait.

    Element by element. `at_least` must be above the load, or else the queue would grow without end.

    Raises:
        ValueError: it is not.
    """
    loads, shares, starts = _broadcast(load, waiting, at_least)
    if not np.all(starts > loads):
        raise ValueError("There must be more servers than the load.")
    if not np.all(shares > 0):
        raise ValueError("The share that may wait must be above 0.")

    at_once = _suffices_by_bound(loads, shares, starts) & (starts % step == 0)

    def suffices(servers: int, loss: NDArray[np.float64], open_: NDArray[np.int64]) -> NDArray[np.bool_]:
        wait = _waiting(servers, loads[others][open_], loss)
        return np.asarray((servers % step == 0) & (wait <= shares[others][open_]))

    found = starts.astype(np.int64)
    others = ~at_once
    if others.any():
        found[others] = _search(loads[others], found[others], suffices)
    return found


TERMS = 24


def _suffices_by_bound(
    load: NDArray[np.float64], waiting: NDArray[np.float64], servers: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Where these servers suffice by an upper bound of Erlang C, which saves the recursion from one server on.

    1 / B(c) is the sum of c (c - 1) ... (c - k + 1) / load^k for k = 0 to c; all terms are positive, so the first few
    of them bound B(c) from above, and Erlang C, which rises with it.
    """
    inverse, term = np.ones_like(load), np.ones_like(load)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for number in range(TERMS):
            term = term * np.maximum(servers - number, 0.0) / load
            inverse = inverse + term
        loss = 1 / inverse
        bound = servers * loss / (servers - load * (1 - loss))
        return np.asarray((load > 0) & (bound * (1 + 1e-9) <= waiting))


Suffices = Callable[[int, NDArray[np.float64], NDArray[np.int64]], NDArray[np.bool_]]


def _search(loads: NDArray[np.float64], starts: NDArray[np.int64], suffices: Suffices) -> NDArray[np.int64]:
    """The first number of servers from `starts` on that suffices, by one recursion for all that are not found yet."""
    found = np.zeros(loads.size, dtype=np.int64)
    open_ = np.arange(loads.size)
    load, start, loss = loads.ravel(), starts.ravel(), np.ones(loads.size)
    servers = 0
    while open_.size:
        servers += 1
        loss = load * loss / (servers + load * loss)
        started = np.flatnonzero(start <= servers)
        done = started[suffices(servers, loss[started], open_[started])] if started.size else started
        if done.size:
            found[open_[done]] = servers
            open_, load = np.delete(open_, done), np.delete(load, done)
            start, loss = np.delete(start, done), np.delete(loss, done)
    return found.reshape(loads.shape)


def _broadcast(*values: Amount) -> list[NDArray[np.float64]]:
    return [np.array(each, dtype=float) for each in np.broadcast_arrays(*values)]
