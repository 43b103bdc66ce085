"""Where the cheapest variant changes: lines and stairs whose crossings are plain, and random ones against a search."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from crossover.cost.bill import Bill, Line, Problem
from crossover.cost.comparison import cheapest
from crossover.cost.crossings import HIGHEST, LOWEST, Band, Crossing, crossings, crossings_of_each
from crossover.cost.crossings import bands as crossing_bands
from crossover.cost.prices import Prices
from crossover.cost.scenario import CallPrice, Rent, Scenario
from crossover.cost.variants import DEPLOYABLE, VARIANTS, Variant
from tests.crossover.cost.by_hand import price, prices

ANYTHING = price("anything", [(0, 1.0)])
Register = Callable[..., str]


def bands(
    names: Sequence[str], scenario: Scenario, prices: Prices, *, lowest: float = LOWEST, highest: float = HIGHEST
) -> list[Band]:
    """Of a range of the test's own."""
    at_first = replace(scenario, requests=lowest)
    first = cheapest({name: VARIANTS[name].bill(at_first, prices) for name in names})
    found = crossings(names, scenario, prices, lowest=lowest, highest=highest)
    return crossing_bands(found, first=first, lowest=lowest, highest=highest)


@pytest.fixture
def straight(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Adds a variant of a fixed cost and so much a request, possible within some requests a month."""

    def add(name: str, fixed: float, a_request: float, *, low: float = 0.0, high: float = np.inf) -> str:
        def bill(scenario: Scenario, _: Prices) -> Bill:
            n = np.asarray(scenario.requests)
            usd = fixed + a_request * n
            return Bill(
                lines=(Line(name="all", quantity=n, price=ANYTHING, usd=usd),),
                problems=(Problem(text="Not here.", where=(n < low) | (n > high)),),
            )

        monkeypatch.setitem(VARIANTS, name, Variant(name=name, title=name, bill=bill))
        return name

    return add


@pytest.fixture
def stairs(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Adds a variant of machines that hold so many requests each; `peak_factor` divides what they hold."""

    def add(name: str, a_machine: float, holds: float, a_request: float = 0.0) -> str:
        def machines(scenario: Scenario) -> NDArray[np.float64]:
            return np.ceil(np.asarray(scenario.requests) * scenario.peak_factor / holds)

        def bill(scenario: Scenario, _: Prices) -> Bill:
            count = machines(scenario)
            usd = count * a_machine + a_request * np.asarray(scenario.requests)
            return Bill(lines=(Line(name="all", quantity=count, price=ANYTHING, usd=usd),), machines=count)

        monkeypatch.setitem(VARIANTS, name, Variant(name=name, title=name, bill=bill, machines=machines))
        return name

    return add


def found(names: list[str], scenario: Scenario | None = None, **limits: float) -> list[Crossing]:
    return crossings(names, scenario or Scenario(), prices(), **limits)


def test_two_lines_cross_where_the_fixed_cost_is_saved(straight: Register) -> None:
    names = [straight("cheap to run", 40.88, 0.81e-6), straight("cheap to have", 0, 13.8e-6)]
    (crossing,) = found(names)
    at = 40.88 / (13.8e-6 - 0.81e-6)
    assert crossing.requests == pytest.approx(at, rel=1e-12)
    assert crossing.rpm == pytest.approx(at / 43_800)
    assert (crossing.below, crossing.above) == ("cheap to have", "cheap to run")
    assert crossing.usd == pytest.approx(at * 13.8e-6)
    assert not crossing.is_step


def test_a_rent_and_a_price_by_the_call_cross_as_published() -> None:
    for rent, calls in ((750, 52_817), (1800, 126_761)):
        scenario = Scenario(
            rent=Rent(amount=rent, currency="EUR", usd=1.1),
            call_price=CallPrice(amount=0.0142, currency="EUR", usd=1.1),
        )
        (crossing,) = found(["rent", "call-price"], scenario)
        assert crossing.requests == pytest.approx(rent / 0.0142)
        assert crossing.requests == pytest.approx(calls, abs=1)
        assert (crossing.below, crossing.above, crossing.is_step) == ("call-price", "rent", False)


def test_where_nothing_changes_there_is_no_crossing(straight: Register) -> None:
    names = [straight("dear", 10, 2e-5), straight("cheap", 5, 1e-5)]
    assert found(names) == []
    (band,) = bands(names, Scenario(), prices())
    assert (band.variant, band.lowest, band.highest) == ("cheap", LOWEST, HIGHEST)


def test_of_those_that_cost_the_same_the_first_is_the_cheapest(straight: Register) -> None:
    one, other = straight("one", 5, 1e-5), straight("other", 5, 1e-5)
    for names in ([one, other], [other, one]):
        assert [band.variant for band in bands(names, Scenario(), prices())] == [names[0]]


def test_a_crossing_is_only_looked_for_in_the_range(straight: Register) -> None:
    names = [straight("a", 0, 2e-5), straight("b", 100, 1e-5)]  # at 10 million
    assert found(names, lowest=1e6, highest=9.99e6) == []
    assert found(names, lowest=10.01e6, highest=1e8) == []
    (crossing,) = found(names, lowest=9.99e6, highest=10.01e6)
    assert crossing.requests == pytest.approx(1e7)


def test_a_third_variant_is_found_however_narrow_its_band(straight: Register) -> None:
    # Without the third, at 10 million requests and 200 USD; it costs a thousandth of a cent less there.
    names = [straight("a", 0, 2e-5), straight("b", 100, 1e-5), straight("narrow", 50 - 1e-5, 1.5e-5)]
    first, second = found(names)
    assert (first.below, first.above) == ("a", "narrow")
    assert (second.below, second.above) == ("narrow", "b")
    assert first.requests == pytest.approx((50 - 1e-5) / 0.5e-5, rel=1e-10)
    assert second.requests == pytest.approx((50 + 1e-5) / 0.5e-5, rel=1e-10)
    assert not first.is_step
    assert not second.is_step


def test_many_narrow_bands_are_all_found(straight: Register) -> None:
    # Tangents to a parabola in the logarithm of a narrow range: each is the cheapest for a hundredth of a percent.
    edges = 1e7 * (1 + 1e-4 * np.arange(1, 12))
    slopes = 2e-5 - 1e-7 * np.arange(12)
    fixed = np.concatenate([[0.0], np.cumsum(-np.diff(slopes) * edges)])
    names = [straight(f"line {number}", fixed[number], slopes[number]) for number in range(12)]
    assert [crossing.requests for crossing in found(names)] == pytest.approx(list(edges), rel=1e-10)


def test_stairs_cross_a_line_at_every_step_until_they_stay_below_or_above_it(
    straight: Register, stairs: Register
) -> None:
    # A machine for 60 USD holds a million; by the request a million cost 100.
    names = [straight("line", 0, 1e-4), stairs("stairs", 60, 1e6)]
    expected = [
        (0.6e6, "stairs", False),
        (1.0e6, "line", True),
        (1.2e6, "stairs", False),
        # At 2 million the third machine costs 180 against 200: the stairs stay below from here on.
    ]
    by_hand = found(names, lowest=1e4, highest=1e8)
    assert [(crossing.above, crossing.is_step) for crossing in by_hand] == [each[1:] for each in expected]
    assert [crossing.requests for crossing in by_hand] == pytest.approx([each[0] for each in expected], rel=1e-9)
    assert by_hand[1].requests > 1e6  # which one machine still holds
    assert by_hand[1].usd == pytest.approx(100)


def test_a_step_alone_can_make_another_the_cheapest_once_and_for_all(straight: Register, stairs: Register) -> None:
    names = [stairs("stairs", 10, 1e6), straight("line", 15, 1e-9)]
    (crossing,) = found(names, lowest=1e4, highest=1e8)
    assert crossing.requests == pytest.approx(1e6, rel=1e-12)
    assert (crossing.below, crossing.above, crossing.is_step) == ("stairs", "line", True)
    assert crossing.usd == pytest.approx(15, abs=0.01)


def test_no_step_is_missed_where_they_are_closer_than_the_grid(stairs: Register, straight: Register) -> None:
    # Steps of 100,000 around 18 million, half a percent apart: the line is below the first half of each.
    names = [stairs("stairs", 10.0, 1e5), straight("line", 5.0, 1e-4)]
    steps = found(names, lowest=16.005e6, highest=19.995e6)
    assert [crossing.is_step for crossing in steps] == [False, True] * 39 + [False]
    assert [crossing.requests for crossing in steps[::2]] == pytest.approx(
        list(16.05e6 + 1e5 * np.arange(40)), rel=1e-9
    )
    assert [crossing.requests for crossing in steps[1::2]] == pytest.approx(
        list(16.1e6 + 1e5 * np.arange(39)), rel=1e-9
    )


def test_several_machines_may_be_needed_at_once(monkeypatch: pytest.MonkeyPatch, straight: Register) -> None:
    def machines(scenario: Scenario) -> NDArray[np.float64]:
        return np.where(np.asarray(scenario.requests) < 3e6, 1.0, 5.0)

    def bill(scenario: Scenario, _: Prices) -> Bill:
        return Bill(lines=(Line(name="all", quantity=1.0, price=ANYTHING, usd=10 * machines(scenario)),))

    monkeypatch.setitem(VARIANTS, "jump", Variant(name="jump", title="jump", bill=bill, machines=machines))
    (crossing,) = found(["jump", straight("line", 20, 0)])
    assert crossing.requests == pytest.approx(3e6, rel=1e-12)
    assert crossing.is_step


def test_where_nothing_is_possible_nothing_is_the_cheapest(straight: Register) -> None:
    names = [straight("early", 1, 1e-6, low=1e5, high=1e6), straight("late", 1, 1e-6, low=1e7, high=1e8)]
    limits = {"lowest": 1e4, "highest": 1e9}
    changes = found(names, **limits)
    assert [(crossing.below, crossing.above) for crossing in changes] == [
        (None, "early"),
        ("early", None),
        (None, "late"),
        ("late", None),
    ]
    assert [crossing.requests for crossing in changes] == pytest.approx([1e5, 1e6, 1e7, 1e8], rel=1e-12)
    assert all(crossing.is_step for crossing in changes)
    assert [crossing.usd for crossing in changes] == pytest.approx([1.1, 2, 11, 101])  # of the one that is possible
    assert [band.variant for band in bands(names, Scenario(), prices(), **limits)] == [
        *(None, "early", None, "late", None)
    ]


def test_the_end_of_what_is_possible_makes_a_dearer_one_the_cheapest(straight: Register) -> None:
    names = [straight("cheap", 0, 1e-6, high=1e6), straight("dear", 10, 1e-6)]
    (crossing,) = found(names)
    assert (crossing.below, crossing.above, crossing.is_step) == ("cheap", "dear", True)
    assert crossing.requests == pytest.approx(1e6, rel=1e-12)
    assert crossing.usd == pytest.approx(11)


def test_nothing_possible_anywhere_is_one_band_without_a_variant() -> None:
    assert found(["rent", "call-price"]) == []
    assert [band.variant for band in bands(["rent", "call-price"], Scenario(), prices())] == [None]


def test_the_scenarios_own_traffic_does_not_matter(straight: Register, stairs: Register) -> None:
    names = [straight("line", 0, 1e-4), stairs("stairs", 60, 1e6)]
    assert found(names, Scenario(requests=5e8)) == found(names, Scenario(requests=1.0))


def test_many_scenarios_have_the_crossings_of_each(straight: Register, stairs: Register) -> None:
    names = [straight("line", 0, 1e-4), stairs("stairs", 60, 1e6), straight("fixed", 200, 1e-5)]
    factors = np.array([1.0, 1.3, 2.0, 50.0])
    together = crossings_of_each(names, Scenario(peak_factor=factors), prices())
    assert len({len(each) for each in together}) > 1
    for factor, of_each in zip(factors, together, strict=True):
        _assert_alike(of_each, found(names, Scenario(peak_factor=float(factor))))


def test_many_scenarios_of_the_real_variants_have_the_crossings_of_each() -> None:
    random = np.random.default_rng(8)
    settings = {
        "cpu_seconds": random.uniform(0.02, 0.3, 4),
        "cold_share": random.uniform(0, 0.3, 4),
        "peak_factor": random.uniform(1, 4, 4),
        "memory_mb": random.uniform(1024, 8192, 4),
    }
    together = crossings_of_each(DEPLOYABLE, Scenario(**settings), prices(), highest=5e7)  # type: ignore[arg-type]
    assert len({len(each) for each in together}) > 1
    for number, of_each in enumerate(together):
        one = Scenario(**{name: float(values[number]) for name, values in settings.items()})  # type: ignore[arg-type]
        _assert_alike(of_each, crossings(DEPLOYABLE, one, prices(), highest=5e7))


def _assert_alike(some: list[Crossing], others: list[Crossing]) -> None:
    assert [(each.below, each.above, each.is_step) for each in some] == [
        (each.below, each.above, each.is_step) for each in others
    ]
    assert [each.requests for each in some] == pytest.approx([each.requests for each in others], rel=1e-9)
    assert [each.usd for each in some] == pytest.approx([each.usd for each in others], rel=1e-9)


def random_scenario(random: np.random.Generator) -> tuple[list[str], Scenario]:
    names = [str(name) for name in random.choice(list(VARIANTS), size=int(random.integers(2, 8)), replace=False)]
    return names, Scenario(
        cpu_seconds=float(10 ** random.uniform(-2, -0.3)),
        memory_mb=float(random.uniform(128, 10_240)),
        cold_share=float(random.uniform(0, 0.3)) if random.random() < 0.5 else None,
        init_seconds=float(random.uniform(0, 12)),
        peak_factor=float(random.uniform(1, 5)),
        utilisation=float(random.uniform(0.3, 1)),
        waiting=float(random.uniform(0.01, 1)),
        provisioned=float(random.integers(1, 20)) if random.random() < 0.3 else None,
        instances=float(random.integers(1, 9)) if random.random() < 0.2 else None,
        instance_type=str(random.choice(["ml.t2.medium", "ml.c5.large"])),
        free_tier=bool(random.random() < 0.5),
        shared_lines=bool(random.random() < 0.5),
        autoscaling=bool(random.random() < 0.3),
        model_on_efs=bool(random.random() < 0.2),
        rent=Rent(amount=float(random.uniform(5, 500)), vcpus=float(random.choice([0.5, 2, 8]))),
        call_price=CallPrice(amount=float(10 ** random.uniform(-6, -3))),
    )


def usd_of_each(names: list[str], scenario: Scenario, volumes: NDArray[np.float64]) -> NDArray[np.float64]:
    """[variants, volumes]"""
    at = replace(scenario, requests=volumes)
    return np.stack([np.broadcast_to(VARIANTS[name].bill(at, prices()).comparable, volumes.shape) for name in names])


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 40))])
def test_each_bands_variant_is_the_cheapest_in_all_of_it(seed: int) -> None:
    names, scenario = random_scenario(np.random.default_rng(seed))
    parts = bands(names, scenario, prices())
    _assert_no_gaps([(part.lowest, part.highest) for part in parts])
    assert all(one.variant != next_.variant for one, next_ in pairwise(parts))

    middles = np.array([(part.lowest + part.highest) / 2 for part in parts])
    fine = np.geomspace(LOWEST, HIGHEST, 20_011)[:-1]
    for volumes in (middles, fine):
        usd = usd_of_each(names, scenario, volumes)
        band = np.searchsorted([part.lowest for part in parts], volumes, side="right") - 1
        for index, part in enumerate(parts):
            here = usd[:, band == index]
            if part.variant is None:
                assert np.all(np.isinf(here))
            else:
                assert np.all(here[names.index(part.variant)] <= here.min(axis=0) * (1 + 1e-9))


def _assert_no_gaps(ranges: list[tuple[float, float]]) -> None:
    assert ranges[0][0] == LOWEST
    assert ranges[-1][1] == HIGHEST
    assert all(end == start for (_, end), (start, _) in pairwise(ranges))
    assert all(low < high for low, high in ranges)


@pytest.mark.parametrize("cpu_seconds", [0.02, 0.227])
@pytest.mark.parametrize("instance_type", ["ml.t2.medium", "ml.c5.large"])
def test_both_cost_the_same_at_a_crossing_of_lines_and_not_at_a_step(cpu_seconds: float, instance_type: str) -> None:
    scenario = Scenario(cpu_seconds=cpu_seconds, instance_type=instance_type)
    changes = crossings(DEPLOYABLE, scenario, prices())
    assert changes
    for crossing in changes:
        assert crossing.below is not None
        assert crossing.above is not None
        around = np.array([1 - 1e-9, 1 + 1e-9]) * crossing.requests
        (below, here_below), (above, here_above) = usd_of_each([crossing.below, crossing.above], scenario, around)
        assert below <= above * (1 + 1e-6)
        assert here_above <= here_below * (1 + 1e-6)
        assert crossing.usd == pytest.approx(here_above, rel=1e-6)
        is_smooth = here_below == pytest.approx(below, rel=1e-6) and here_above == pytest.approx(above, rel=1e-6)
        assert is_smooth is not crossing.is_step


def test_a_thousand_a_minute_on_t2_machines_cross_more_than_once() -> None:
    changes = crossings(DEPLOYABLE, Scenario(cpu_seconds=0.227), prices())
    assert len(changes) > 2
    assert {crossing.is_step for crossing in changes} == {True, False}
    # Once machines are kept for all of the traffic, one is added at each multiple of 0.4 x 65 % of a vCPU.
    step = 0.4 * 0.65 / 0.227 * 60
    for crossing in changes:
        if crossing.is_step:
            assert crossing.rpm / step == pytest.approx(round(crossing.rpm / step), rel=1e-8)
