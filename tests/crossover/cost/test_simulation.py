"""The simulated cold share, on traffic whose answer is plain."""

import pytest

from crossover.cost import arrivals
from crossover.cost.simulation import Order, cold_share


def test_a_batch_after_quiet_is_cold_and_the_same_batch_spread_out_is_warm() -> None:
    at_once = arrivals.batches(50, 3600, 3)
    spread = arrivals.batches(50, 3600, 3, spread_seconds=600)
    assert cold_share(at_once, [0.5] * 150, 600, Order.MOST_RECENT) == 1.0
    assert cold_share(spread, [0.5] * 150, 600, Order.MOST_RECENT) == pytest.approx(3 / 150)


def test_a_second_batch_finds_the_first_ones_environments() -> None:
    soon = arrivals.batches(50, 300, 2)
    assert cold_share(soon, [0.5] * 100, 600, Order.MOST_RECENT) == 0.5


def test_the_order_decides_how_many_stay_alive() -> None:
    # Two at once, then one every 6 s for a minute, then two at once: taking turns keeps both alive.
    times = [0.0, 0.0, *(6.0 * number for number in range(1, 10)), 60.0, 60.0]
    services = [1.0] * len(times)
    assert cold_share(times, services, 30, Order.LEAST_RECENT) == pytest.approx(2 / len(times))
    assert cold_share(times, services, 30, Order.MOST_RECENT) == pytest.approx(3 / len(times))


def test_an_environment_lives_just_as_long_as_it_is_said() -> None:
    assert cold_share([0.0, 11.0], [1.0, 1.0], 10, Order.MOST_RECENT) == 0.5
    assert cold_share([0.0, 11.1], [1.0, 1.0], 10, Order.MOST_RECENT) == 1.0


@pytest.mark.parametrize(("times", "services"), [([], []), ([1.0], [])])
def test_what_cannot_be_is_named(times: list[float], services: list[float]) -> None:
    with pytest.raises(ValueError, match="arrivals and"):
        cold_share(times, services, 10, Order.MOST_RECENT)
