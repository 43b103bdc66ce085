"""The closed forms of the cold share, against the simulation and against each other."""

import math

import numpy as np
import pytest

from crossover.cost import arrivals
from crossover.cost.cold_share import Order, poisson, poisson_quick, simulated

SERVICE = 0.128


def simulated_poisson(rpm: float, service: float, idle: float, order: Order, count: int = 200_000) -> float:
    times = arrivals.poisson(rpm / 60, count, seed=1)
    services = np.random.default_rng(2).exponential(service, count).tolist()
    return simulated(times, services, idle, order)


@pytest.mark.parametrize(
    ("rpm", "service", "idle"), [(0.1, SERVICE, 600), (1, SERVICE, 300), (10, SERVICE, 300), (30, 2, 60)]
)
def test_the_exact_form_is_what_the_simulation_finds(rpm: float, service: float, idle: float) -> None:
    exact = poisson(rpm / 60, service, idle)
    noise = 4 * math.sqrt(exact.high / 200_000)  # four standard errors of a share
    assert simulated_poisson(rpm, service, idle, Order.MOST_RECENT) == pytest.approx(
        exact.high, abs=noise + 0.02 * float(exact.high)
    )


@pytest.mark.parametrize("rpm", [0.1, 1, 10])
@pytest.mark.parametrize("order", Order)
def test_every_order_lies_within_the_bracket(rpm: float, order: Order) -> None:
    bracket = poisson(rpm / 60, SERVICE, 300)
    noise = 4 * math.sqrt(bracket.high / 200_000)
    assert bracket.low - noise <= simulated_poisson(rpm, SERVICE, 300, order) <= 1.02 * bracket.high + noise


def test_a_single_environment_has_the_textbooks_exponential() -> None:
    # So rarely that requests never overlap.
    bracket = poisson(0.1 / 60, 0.001, 600)
    assert bracket.high == pytest.approx(math.exp(-1), rel=1e-3)
    assert bracket.low == pytest.approx(math.exp(-1))


@pytest.mark.parametrize(("rpm", "below"), [(10, 0.02), (72, 0.1), (1000, 0.25)])
def test_the_quick_form_is_too_low_by_no_more_than_it_says(rpm: float, below: float) -> None:
    exact, quick = (form(rpm / 60, SERVICE, 300).high for form in (poisson, poisson_quick))
    assert (1 - below) * exact < quick < exact


def test_more_traffic_and_a_longer_lifetime_lower_the_cold_share() -> None:
    by_traffic = [poisson(rpm / 60, SERVICE, 300).high for rpm in (0.1, 1, 10, 100, 1000)]
    assert by_traffic == sorted(by_traffic, reverse=True)
    by_life = [poisson(1 / 60, SERVICE, idle).high for idle in (60, 300, 900)]
    assert by_life == sorted(by_life, reverse=True)


def test_replaced_environments_give_both_ends_a_minimum() -> None:
    rate, hours = 10.0, 4
    floor = 1.28 / (rate * hours * 3600)
    without, replaced = (poisson(rate, SERVICE, 300, lifetime_hours=life) for life in (None, hours))
    assert replaced.low - without.low == pytest.approx(floor)
    assert replaced.high - without.high == pytest.approx(floor)


def test_shares_stay_between_0_and_1_under_an_extreme_load() -> None:
    for rate in (1e-9, 100.0):
        for form in (poisson, poisson_quick):
            bracket = form(rate, 1.0, 300, lifetime_hours=1)
            assert 0 <= bracket.low <= bracket.high <= 1


@pytest.mark.parametrize(
    ("values", "name"),
    [((0, 1, 1), "rate"), ((1, -1, 1), "service"), ((1, 1, math.nan), "idle time"), ((1, 1, math.inf), "idle time")],
)
def test_refuses_invalid_values_by_name(values: tuple[float, float, float], name: str) -> None:
    with pytest.raises(ValueError, match=f"The {name} is .*; it must be a number above 0"):
        poisson(*values)


def test_the_quick_form_of_an_array_is_that_of_each_number() -> None:
    random = np.random.default_rng(3)
    rate, service = 10 ** random.uniform(-4, 2, 60), 10 ** random.uniform(-3, 0.5, 60)
    idle, hours = random.uniform(10, 900, 60), random.uniform(0.5, 8, 60)
    together = poisson_quick(rate, service, idle, lifetime_hours=hours)
    low, high = np.asarray(together.low), np.asarray(together.high)
    for number in range(60):
        alone = poisson_quick(rate[number], service[number], idle[number], lifetime_hours=hours[number])
        assert low[number] == pytest.approx(alone.low, rel=1e-12)
        assert high[number] == pytest.approx(alone.high, rel=1e-9, abs=1e-11)


def test_one_number_goes_with_an_array_in_the_quick_form() -> None:
    bracket = poisson_quick(1 / 60, SERVICE, np.array([60.0, 300.0, 900.0]), lifetime_hours=4)
    high = np.asarray(bracket.high).tolist()
    assert high == sorted(high, reverse=True)
    assert np.shape(poisson_quick(np.array([0.1, 1.0]), SERVICE, 300).high) == (2,)


@pytest.mark.parametrize(
    ("rpm", "idle", "share"), [(0.1, 600, 0.368), (1, 300, 0.0088), (10, 300, 0.0075), (72, 300, 6.8e-4)]
)
def test_the_quick_form_gives_the_worked_table(rpm: float, idle: float, share: float) -> None:
    # Each environment k of 1, 2, ... with what it alone serves, B(k-1) - B(k), and how often it is idle for too long.
    rate = rpm / 60
    load = rate * SERVICE
    losses = [load**k / math.factorial(k) / sum(load**n / math.factorial(n) for n in range(k + 1)) for k in range(20)]
    by_hand = sum((losses[k - 1] - losses[k]) * math.exp(-rate * losses[k - 1] * idle) for k in range(1, 20))
    assert poisson_quick(rate, SERVICE, idle).high == pytest.approx(by_hand, rel=1e-6)
    assert by_hand == pytest.approx(share, rel=0.01)


def test_one_wrong_number_in_an_array_is_named() -> None:
    with pytest.raises(ValueError, match=r"The rate is .*; it must be a number above 0"):
        poisson_quick(np.array([1.0, 0.0]), SERVICE, 300)
    with pytest.raises(ValueError, match=r"The lifetime is .*; it must be a number above 0"):
        poisson_quick(1.0, SERVICE, 300, lifetime_hours=np.array([1.0, math.nan]))


def test_a_batch_after_idle_time_is_cold_and_spread_out_it_is_warm() -> None:
    at_once = arrivals.batches(50, 3600, 3)
    spread = arrivals.batches(50, 3600, 3, spread_seconds=600)
    assert simulated(at_once, [0.5] * 150, 600, Order.MOST_RECENT) == 1.0
    assert simulated(spread, [0.5] * 150, 600, Order.MOST_RECENT) == pytest.approx(3 / 150)


def test_a_second_batch_finds_the_first_ones_environments() -> None:
    soon = arrivals.batches(50, 300, 2)
    assert simulated(soon, [0.5] * 100, 600, Order.MOST_RECENT) == 0.5


def test_the_order_decides_how_many_stay_alive() -> None:
    # Two at once, then one every 6 s for a minute, then two at once: taking turns keeps both alive.
    times = [0.0, 0.0, *(6.0 * number for number in range(1, 10)), 60.0, 60.0]
    services = [1.0] * len(times)
    assert simulated(times, services, 30, Order.LEAST_RECENT) == pytest.approx(2 / len(times))
    assert simulated(times, services, 30, Order.MOST_RECENT) == pytest.approx(3 / len(times))


def test_an_idle_environment_is_kept_exactly_for_the_idle_time() -> None:
    assert simulated([0.0, 11.0], [1.0, 1.0], 10, Order.MOST_RECENT) == 0.5
    assert simulated([0.0, 11.1], [1.0, 1.0], 10, Order.MOST_RECENT) == 1.0


@pytest.mark.parametrize(("times", "services"), [([], []), ([1.0], [])])
def test_refuses_different_numbers_of_services_and_arrivals(times: list[float], services: list[float]) -> None:
    with pytest.raises(ValueError, match="arrivals and"):
        simulated(times, services, 10, Order.MOST_RECENT)
