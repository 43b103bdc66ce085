"""Erlang's formulae against the sums they come from and against published values."""

import math

import pytest

from crossover.cost.erlang import loss_probability, waiting_probability


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


def test_all_wait_where_the_load_is_too_much() -> None:
    assert waiting_probability(2, 2.0) == 1.0


def test_large_systems_do_not_overflow() -> None:
    assert 0 < loss_probability(2000, 1900.0) < 0.01


@pytest.mark.parametrize(("servers", "load"), [(-1, 1.0), (2, -0.1)])
def test_what_cannot_be_is_named(servers: int, load: float) -> None:
    with pytest.raises(ValueError, match=r"must be at least 0\.$"):
        loss_probability(servers, load)
    with pytest.raises(ValueError, match=r"must be at least [01]\.$"):
        waiting_probability(servers, load)
