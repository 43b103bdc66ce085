"""Erlang's formulae against the sums they come from and against published values."""

import math
from itertools import islice

import numpy as np
import pytest

from crossover.cost.erlang import (
    loss_probabilities,
    loss_probability,
    servers_for_loss,
    servers_for_waiting,
    waiting_probability,
)


@pytest.mark.parametrize("load", [0.1, 1.0, 2.5, 20.0])
@pytest.mark.parametrize("servers", [0, 1, 2, 5, 30])
def test_loss_is_the_last_term_of_a_truncated_poisson_distribution(servers: int, load: float) -> None:
    terms = [load**n / math.factorial(n) for n in range(servers + 1)]
    assert loss_probability(servers, load) == pytest.approx(terms[-1] / sum(terms), rel=1e-12)


def test_one_server_waits_as_often_as_it_is_busy() -> None:
    assert waiting_probability(1, 0.4) == pytest.approx(0.4)


def test_two_servers_wait_as_the_textbook_says() -> None:
    # M/M/2: C = 2 rho^2 / (1 + rho), Kleinrock, Queueing Systems 1, section 3.5.
    assert waiting_probability(2, 1.2) == pytest.approx(2 * 0.6**2 / 1.6)


def test_all_wait_where_the_load_is_too_high() -> None:
    assert waiting_probability(2, 2.0) == 1.0


def test_large_systems_do_not_overflow() -> None:
    assert 0 < loss_probability(2000, 1900.0) < 0.01


@pytest.mark.parametrize(("servers", "load"), [(-1, 1.0), (2, -0.1)])
def test_refuses_invalid_values_by_name(servers: int, load: float) -> None:
    with pytest.raises(ValueError, match=r"must be at least 0\.$"):
        loss_probability(servers, load)
    with pytest.raises(ValueError, match=r"must be at least [01]\.$"):
        waiting_probability(servers, load)


def test_one_wrong_number_of_servers_in_an_array_is_named() -> None:
    with pytest.raises(ValueError, match="must be at least 0"):
        loss_probability(np.array([2, -1]), 1.0)


def test_loss_is_the_same_in_an_array_as_for_one_number() -> None:
    servers, load = np.array([0, 1, 2, 7, 30, 30]), np.array([1.0, 1.0, 0.0, 5.0, 20.0, 0.5])
    together = loss_probability(servers, load)
    assert together == pytest.approx([loss_probability(c, a) for c, a in zip(servers, load, strict=True)], abs=0)
    # One number of servers for many loads, and the reverse.
    assert loss_probability(2, np.array([1.0, 2.0])) == pytest.approx([1 / 5, 2 / 5])
    assert loss_probability(np.array([1, 2, 3]), 1.0) == pytest.approx([1 / 2, 1 / 5, 1 / 16])


def test_the_series_of_losses_is_that_of_each_load() -> None:
    first = list(islice(loss_probabilities(np.array([1.0, 2.0])), 4))
    assert first[0] == pytest.approx([1, 1])
    assert first[1:] == [pytest.approx([1 / 2, 2 / 3]), pytest.approx([1 / 5, 2 / 5]), pytest.approx([1 / 16, 4 / 19])]
    with pytest.raises(ValueError, match="must be at least 0"):
        next(loss_probabilities(np.array([1.0, -1.0])))


def test_no_fewer_servers_would_lose_so_little() -> None:
    random = np.random.default_rng(1)
    load, share = random.uniform(0, 60, 200), 10 ** random.uniform(-5, -0.01, 200)
    found = servers_for_loss(load, share)
    assert found.shape == (200,)
    for servers, a, most in zip(found, load, share, strict=True):
        assert loss_probability(servers, a) <= most
        assert servers == 1 or loss_probability(servers - 1, a) > most
        assert servers_for_loss(a, most) == servers


def test_a_share_that_is_just_reached_suffices() -> None:
    assert servers_for_loss(1.0, 0.5) == 1  # B(1) = 1/2
    assert servers_for_waiting(0.5, 0.5, 1) == 1  # one server that is busy half of the time


def test_there_is_always_one_server() -> None:
    assert servers_for_loss(0.0, 0.01) == 1
    assert servers_for_waiting(0.0, 0.01, 1) == 1


@pytest.mark.parametrize("share", [0.0, -0.1, math.nan])
def test_the_share_to_lose_must_be_above_0(share: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        servers_for_loss(np.array([1.0, 2.0]), np.array([0.1, share]))


@pytest.mark.parametrize("step", [1, 2, 8])
def test_no_fewer_servers_would_wait_so_seldom(step: int) -> None:
    random = np.random.default_rng(2)
    load, share = random.uniform(0, 60, 100), 10 ** random.uniform(-4, 0, 100)
    at_least = np.floor(load) + random.integers(1, 6, 100)
    found = servers_for_waiting(load, share, at_least, step=step)
    for servers, a, most, start in zip(found, load, share, at_least, strict=True):
        assert servers % step == 0
        assert servers >= start
        assert waiting_probability(int(servers), a) <= most
        assert servers - step < start or waiting_probability(int(servers) - step, a) > most
        assert servers_for_waiting(a, most, start, step=step) == servers


def test_refuses_a_load_that_no_queue_can_serve() -> None:
    with pytest.raises(ValueError, match="more servers than the load"):
        servers_for_waiting(np.array([1.0, 2.0]), 0.5, np.array([2.0, 2.0]))


def test_searches_keep_the_shape() -> None:
    load = np.full((2, 3), 1.0)
    assert servers_for_loss(load, 0.1).tolist() == [[3, 3, 3]] * 2
    assert servers_for_waiting(load, 0.5, 2).tolist() == [[2, 2, 2]] * 2
    assert servers_for_loss(np.empty(0), 0.1).shape == (0,)
