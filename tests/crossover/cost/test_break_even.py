"""Break-even points: of simple lines and step functions, and of random scenarios against a search."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from crossover.cost.bill import Bill, Line, Problem
from crossover.cost.break_even import (
    HIGHEST,
    LOWEST,
    Band,
    BreakEven,
    BreakEvens,
    Cause,
    CostGrid,
    break_evens,
    cause_of,
)
from crossover.cost.candidates import Candidate, all_candidates, candidates_named
from crossover.cost.prices import Prices, load
from crossover.cost.scenario import CallPrice, Rent, Scenario
from crossover.cost.variants import VARIANTS, Variant, by_default
from tests.crossover.cost.by_hand import price, prices

ANYTHING = price("anything", [(0, 1.0)])
Register = Callable[..., str]


def of(names: Sequence[str], scenario: Scenario, *, lowest: float = LOWEST, highest: float = HIGHEST) -> BreakEvens:
    """Of one scenario."""
    (found,) = break_evens(candidates_named(names), scenario, prices(), lowest=lowest, highest=highest)
    return found


def bands(names: Sequence[str], scenario: Scenario, *, lowest: float = LOWEST, highest: float = HIGHEST) -> list[Band]:
    return of(names, scenario, lowest=lowest, highest=highest).bands


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
def steps(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Adds a variant of instances that hold so many requests each; `peak_factor` divides what they hold."""

    def add(name: str, a_instance: float, holds: float, a_request: float = 0.0) -> str:
        def instances(scenario: Scenario) -> NDArray[np.float64]:
            return np.ceil(np.asarray(scenario.requests) * scenario.peak_factor / holds)

        def bill(scenario: Scenario, _: Prices) -> Bill:
            count = instances(scenario)
            usd = count * a_instance + a_request * np.asarray(scenario.requests)
            return Bill(lines=(Line(name="all", quantity=count, price=ANYTHING, usd=usd),), instances=count)

        monkeypatch.setitem(VARIANTS, name, Variant(name=name, title=name, bill=bill, instances=instances))
        return name

    return add


def points(names: Sequence[str], scenario: Scenario | None = None, **limits: float) -> list[BreakEven]:
    return list(of(names, scenario or Scenario(), **limits).points)


def test_two_lines_break_even_where_the_fixed_cost_is_saved(straight: Register) -> None:
    names = [straight("cheap to run", 40.88, 0.81e-6), straight("cheap to have", 0, 13.8e-6)]
    (point,) = points(names)
    at = 40.88 / (13.8e-6 - 0.81e-6)
    assert point.requests == pytest.approx(at, rel=1e-12)
    assert point.rpm == pytest.approx(at / 43_800)
    assert (point.below, point.above) == ("cheap to have", "cheap to run")
    assert point.usd == pytest.approx(at * 13.8e-6)
    assert not point.is_step


def test_a_rent_and_a_price_per_call_break_even_as_published() -> None:
    for rent, calls in ((750, 52_817), (1800, 126_761)):
        scenario = Scenario(
            rent=Rent(amount=rent, currency="EUR", usd=1.1),
            call_price=CallPrice(amount=0.0142, currency="EUR", usd=1.1),
        )
        (point,) = points(["rent", "call-price"], scenario)
        assert point.requests == pytest.approx(rent / 0.0142)
        assert point.requests == pytest.approx(calls, abs=1)
        assert (point.below, point.above, point.is_step) == ("call-price", "rent", False)


def test_where_nothing_changes_there_is_no_break_even_point(straight: Register) -> None:
    names = [straight("dear", 10, 2e-5), straight("cheap", 5, 1e-5)]
    assert points(names) == []
    (band,) = bands(names, Scenario())
    assert (band.variant, band.lowest, band.highest) == ("cheap", LOWEST, HIGHEST)


def test_among_equals_the_first_is_the_cheapest(straight: Register) -> None:
    one, other = straight("one", 5, 1e-5), straight("other", 5, 1e-5)
    for names in ([one, other], [other, one]):
        assert [band.variant for band in bands(names, Scenario())] == [names[0]]


def test_a_break_even_point_is_only_looked_for_in_the_range(straight: Register) -> None:
    names = [straight("a", 0, 2e-5), straight("b", 100, 1e-5)]  # at 10 million
    assert points(names, lowest=1e6, highest=9.99e6) == []
    assert points(names, lowest=10.01e6, highest=1e8) == []
    (point,) = points(names, lowest=9.99e6, highest=10.01e6)
    assert point.requests == pytest.approx(1e7)


def test_a_third_variant_is_found_however_narrow_its_band(straight: Register) -> None:
    # Without the third, at 10 million requests and 200 USD; it costs a thousandth of a cent less there.
    names = [straight("a", 0, 2e-5), straight("b", 100, 1e-5), straight("narrow", 50 - 1e-5, 1.5e-5)]
    first, second = points(names)
    assert (first.below, first.above) == ("a", "narrow")
    assert (second.below, second.above) == ("narrow", "b")
    assert first.requests == pytest.approx((50 - 1e-5) / 0.5e-5, rel=1e-10)
    assert second.requests == pytest.approx((50 + 1e-5) / 0.5e-5, rel=1e-10)
    assert not first.is_step
    assert not second.is_step


def test_many_narrow_bands_are_all_points(straight: Register) -> None:
    # Tangents to a parabola in the logarithm of a narrow range: each is the cheapest for a hundredth of a percent.
    edges = 1e7 * (1 + 1e-4 * np.arange(1, 12))
    slopes = 2e-5 - 1e-7 * np.arange(12)
    fixed = np.concatenate([[0.0], np.cumsum(-np.diff(slopes) * edges)])
    names = [straight(f"line {number}", fixed[number], slopes[number]) for number in range(12)]
    assert [point.requests for point in points(names)] == pytest.approx(list(edges), rel=1e-10)


def test_a_step_function_breaks_even_with_a_line_at_every_step_around_it(straight: Register, steps: Register) -> None:
    # An instance for 60 USD holds a million; by the request a million cost 100.
    names = [straight("line", 0, 1e-4), steps("steps", 60, 1e6)]
    expected = [
        (0.6e6, "steps", False),
        (1.0e6, "line", True),
        (1.2e6, "steps", False),
        # At 2 million the third instance costs 180 against 200: the steps stay below from here on.
    ]
    by_hand = points(names, lowest=1e4, highest=1e8)
    assert [(point.above, point.is_step) for point in by_hand] == [each[1:] for each in expected]
    assert [point.requests for point in by_hand] == pytest.approx([each[0] for each in expected], rel=1e-9)
    assert by_hand[1].requests > 1e6  # which one instance still holds
    assert by_hand[1].usd == pytest.approx(100)


def test_a_single_step_can_change_the_cheapest_for_good(straight: Register, steps: Register) -> None:
    names = [steps("steps", 10, 1e6), straight("line", 15, 1e-9)]
    (point,) = points(names, lowest=1e4, highest=1e8)
    assert point.requests == pytest.approx(1e6, rel=1e-12)
    assert (point.below, point.above, point.is_step) == ("steps", "line", True)
    assert point.usd == pytest.approx(15, abs=0.01)


def test_no_step_is_missed_where_they_are_closer_than_the_grid(steps: Register, straight: Register) -> None:
    # Steps of 100,000 around 18 million, half a percent apart: the line is below the first half of each.
    names = [steps("steps", 10.0, 1e5), straight("line", 5.0, 1e-4)]
    found = points(names, lowest=16.005e6, highest=19.995e6)
    assert [point.is_step for point in found] == [False, True] * 39 + [False]
    assert [point.requests for point in found[::2]] == pytest.approx(list(16.05e6 + 1e5 * np.arange(40)), rel=1e-9)
    assert [point.requests for point in found[1::2]] == pytest.approx(list(16.1e6 + 1e5 * np.arange(39)), rel=1e-9)


def test_several_instances_may_be_needed_at_once(monkeypatch: pytest.MonkeyPatch, straight: Register) -> None:
    def instances(scenario: Scenario) -> NDArray[np.float64]:
        return np.where(np.asarray(scenario.requests) < 3e6, 1.0, 5.0)

    def bill(scenario: Scenario, _: Prices) -> Bill:
        return Bill(lines=(Line(name="all", quantity=1.0, price=ANYTHING, usd=10 * instances(scenario)),))

    monkeypatch.setitem(VARIANTS, "jump", Variant(name="jump", title="jump", bill=bill, instances=instances))
    (point,) = points(["jump", straight("line", 20, 0)])
    assert point.requests == pytest.approx(3e6, rel=1e-12)
    assert point.is_step


def test_where_nothing_is_possible_nothing_is_the_cheapest(straight: Register) -> None:
    names = [straight("early", 1, 1e-6, low=1e5, high=1e6), straight("late", 1, 1e-6, low=1e7, high=1e8)]
    changes = points(names, lowest=1e4, highest=1e9)
    assert [(point.below, point.above) for point in changes] == [
        (None, "early"),
        ("early", None),
        (None, "late"),
        ("late", None),
    ]
    assert [point.requests for point in changes] == pytest.approx([1e5, 1e6, 1e7, 1e8], rel=1e-12)
    assert all(point.is_step for point in changes)
    assert [point.usd for point in changes] == pytest.approx([1.1, 2, 11, 101])  # of the one that is possible
    assert [band.variant for band in bands(names, Scenario(), lowest=1e4, highest=1e9)] == [
        *(None, "early", None, "late", None)
    ]


def test_where_the_cheapest_becomes_impossible_the_next_one_is_the_cheapest(straight: Register) -> None:
    names = [straight("cheap", 0, 1e-6, high=1e6), straight("dear", 10, 1e-6)]
    (point,) = points(names)
    assert (point.below, point.above, point.is_step) == ("cheap", "dear", True)
    assert point.requests == pytest.approx(1e6, rel=1e-12)
    assert point.usd == pytest.approx(11)


def test_nothing_possible_anywhere_is_one_band_without_a_variant() -> None:
    assert points(["rent", "call-price"]) == []
    assert [band.variant for band in bands(["rent", "call-price"], Scenario())] == [None]


def test_the_scenarios_own_traffic_does_not_matter(straight: Register, steps: Register) -> None:
    names = [straight("line", 0, 1e-4), steps("steps", 60, 1e6)]
    assert points(names, Scenario(requests=5e8)) == points(names, Scenario(requests=1.0))


def test_many_scenarios_have_the_break_even_points_of_each(straight: Register, steps: Register) -> None:
    names = [straight("line", 0, 1e-4), steps("steps", 60, 1e6), straight("fixed", 200, 1e-5)]
    factors = np.array([1.0, 1.3, 2.0, 50.0])
    together = break_evens(candidates_named(names), Scenario(peak_factor=factors), prices())
    assert len({len(each.points) for each in together}) > 1
    for factor, of_each in zip(factors, together, strict=True):
        _assert_alike(of_each.points, points(names, Scenario(peak_factor=float(factor))))


def test_many_scenarios_of_the_real_variants_have_the_break_even_points_of_each() -> None:
    random = np.random.default_rng(8)
    settings = {
        "cpu_seconds": random.uniform(0.02, 0.3, 4),
        "cold_share": random.uniform(0, 0.3, 4),
        "peak_factor": random.uniform(1, 4, 4),
        "memory_mb": random.uniform(1024, 8192, 4),
    }
    together = break_evens(candidates_named(by_default()), Scenario(**settings), prices(), highest=5e7)  # type: ignore[arg-type]
    assert len({len(each.points) for each in together}) > 1
    for number, of_each in enumerate(together):
        one = Scenario(**{name: float(values[number]) for name, values in settings.items()})  # type: ignore[arg-type]
        _assert_alike(of_each.points, points(by_default(), one, highest=5e7))


def _assert_alike(some: Sequence[BreakEven], others: Sequence[BreakEven]) -> None:
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


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 16))])
def test_each_bands_variant_is_the_cheapest_in_all_of_it(seed: int) -> None:
    names, scenario = random_scenario(np.random.default_rng(seed))
    parts = bands(names, scenario)
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
def test_both_cost_the_same_at_a_break_even_point_of_lines_and_not_at_a_step(
    cpu_seconds: float, instance_type: str
) -> None:
    scenario = Scenario(cpu_seconds=cpu_seconds, instance_type=instance_type)
    changes = points(by_default(), scenario)
    assert changes
    for point in changes:
        assert point.below is not None
        assert point.above is not None
        around = np.array([1 - 1e-9, 1 + 1e-9]) * point.requests
        (below, here_below), (above, here_above) = usd_of_each([point.below, point.above], scenario, around)
        assert below <= above * (1 + 1e-6)
        assert here_above <= here_below * (1 + 1e-6)
        assert point.usd == pytest.approx(here_above, rel=1e-6)
        is_smooth = here_below == pytest.approx(below, rel=1e-6) and here_above == pytest.approx(above, rel=1e-6)
        assert is_smooth is not point.is_step


def test_t2_instances_have_several_break_even_points_up_to_a_thousand_a_minute() -> None:
    changes = points(by_default(), Scenario(cpu_seconds=0.227))
    assert len(changes) > 2
    assert {point.is_step for point in changes} == {True, False}
    # Once instances are kept for all of the traffic, one is added at each multiple of 0.4 x 65 % of a vCPU.
    step = 0.4 * 0.65 / 0.227 * 60
    for point in changes:
        if point.is_step:
            assert point.rpm / step == pytest.approx(round(point.rpm / step), rel=1e-8)


# ---- grids of many candidates, scenarios and cold shares, as the page has them

US = load("us-east-1")
HEAVY = Scenario(cpu_seconds=0.2)


def with_keys(*keys: str) -> list[Candidate]:
    """The candidates with these keys, in this order."""
    known = {each.key: each for each in all_candidates(HEAVY, US)}
    return [known[key] for key in keys]


def grid(keys: Sequence[str], scenario: Scenario, *shares: float) -> CostGrid:
    """One case as the arrivals give the cold share, and one for each given share."""
    scenarios = [replace(scenario, cold_share=None), replace(scenario, cold_share=np.array(shares))]
    return CostGrid(with_keys(*keys), scenarios if shares else scenarios[:1], US)


@pytest.mark.parametrize(
    ("scenario", "one", "other"),
    [
        (Scenario(), "standard", "sagemaker:ml.t2.medium"),
        (HEAVY, "standard", "sagemaker:ml.t2.medium"),
        (HEAVY, "snapstart", "sagemaker:ml.c5.large"),
        (HEAVY, "serverless", "ec2-c5.large"),
        (HEAVY, "provisioned", "ec2-t4g.small"),
    ],
)
def test_many_groups_and_cases_together_have_the_points_of_each(scenario: Scenario, one: str, other: str) -> None:
    shares = (0.0, 0.1)
    together = grid([one, other, "efs"], scenario, *shares).break_evens([(0, 1), (1, 2), (2, 0)])[0]
    for share, found in zip((None, *shares), together, strict=True):
        (alone,) = break_evens(with_keys(one, other), replace(scenario, cold_share=share), US)
        assert found.first == alone.first
        assert {point.above for point in found.points} <= {one, other}
        _assert_alike(found.points, alone.points)


def test_an_additional_instance_and_a_limit_are_different_causes() -> None:
    keys = ["standard", "sagemaker:ml.t2.medium"]
    found = grid(keys, HEAVY, 0.03).break_evens([(0, 1)])[0][1]
    assert [each.cause for each in found.points][:3] == [Cause.LINES, Cause.INSTANCE, Cause.LINES]
    at = replace(HEAVY, cold_share=0.03, requests=np.array([found.points[1].requests]))
    function, endpoint = (each.costs(at, US)[0] for each in with_keys(*keys))
    assert function < endpoint  # from the very request on that needs another instance
    fixed = replace(HEAVY, instances=1.0)  # which is enough for 78 requests a minute
    *_, last = grid(keys, fixed, 0.03).break_evens([(0, 1)])[0][1].points
    assert (last.cause, last.above) == (Cause.LIMIT, "standard")
    assert last.rpm == pytest.approx(78)


def test_a_low_step_is_a_step_too() -> None:
    assert cause_of((1000.0, 1000.001), (1000.0, 1000.0)) is Cause.INSTANCE
    assert cause_of((1000.0, 1000.0 * (1 + 1e-11)), (1000.0, 1000.0)) is Cause.LINES


def test_where_nothing_is_possible_any_more_there_is_no_cheapest() -> None:
    found = grid(["sagemaker:ml.t2.medium"], replace(HEAVY, instances=1.0), 0.03).break_evens([(0,)])[0][1]
    assert found.first == "sagemaker:ml.t2.medium"
    assert [(each.above, each.cause) for each in found.points] == [(None, Cause.LIMIT)]


def test_the_cheapest_of_all_candidates_is_found_between_the_points() -> None:
    everyone = all_candidates(HEAVY, US)
    scenario = replace(HEAVY, cold_share=0.01)
    (found,) = break_evens(everyone, scenario, US)
    assert len(found.bands) > 1
    for band in found.bands:
        volumes = np.geomspace(band.lowest * 1.000001, band.highest * 0.999999, 20)
        costs = {each.key: each.costs(replace(scenario, requests=volumes), US) for each in everyone}
        assert band.variant is not None
        assert (costs[band.variant] <= np.min(list(costs.values()), axis=0)).all()


def test_a_grid_has_both_sides_of_every_step() -> None:
    of_endpoint = grid(["sagemaker:ml.t2.medium"], HEAVY)
    counts = of_endpoint.instances[0]
    below, above = np.flatnonzero(np.diff(counts)), np.flatnonzero(np.diff(counts)) + 1
    assert counts[0] == 1
    assert counts[-1] == 1 + below.size  # one instance at a time
    assert (of_endpoint.volumes[above] / of_endpoint.volumes[below] - 1 < 1e-9).all()


def test_a_grid_has_the_points_that_are_asked_for_and_their_costs() -> None:
    asked = [12_345.0, 67_890.0]
    found = CostGrid(with_keys("standard", "efs"), [HEAVY], US, at=asked)
    assert np.isin(asked, found.volumes).all()
    at = np.searchsorted(found.volumes, asked)
    for index, each in enumerate(found.candidates):
        bill = each.bill(replace(HEAVY, requests=np.array(asked)), US)
        assert found.costs[index, 0, at].tolist() == pytest.approx(list(bill.usd))  # type: ignore[arg-type]
        assert found.costs_at(asked[0])[index].tolist() == pytest.approx([bill.usd[0]])  # type: ignore[index]


def test_a_range_must_ascend() -> None:
    with pytest.raises(ValueError, match="must ascend"):
        points(["standard"], lowest=5.0, highest=5.0)


# ---- candidates


def test_a_rent_is_there_only_with_a_price() -> None:
    with_rent = {each.key for each in all_candidates(replace(HEAVY, rent=Rent(amount=750.0)), US)}
    assert with_rent - {each.key for each in all_candidates(HEAVY, US)} == {"rent"}


def test_of_sagemakers_instance_types_those_that_run_the_container_and_the_chosen_one_first() -> None:
    keys = [each.key for each in all_candidates(replace(HEAVY, instance_type="ml.g4dn.xlarge"), US)]
    hosted = [key.partition(":ml.")[2] for key in keys if key.startswith("sagemaker:")]
    assert hosted[0] == "g4dn.xlarge"
    assert {"t2.medium", "c5.large"} < set(hosted)
    assert not [name for name in hosted[1:] if name.startswith(("g", "c6g", "c7g", "m6g"))]
    assert len(hosted) == len(set(hosted))
    assert "sagemaker:ml.g4dn.xlarge" not in [each.key for each in all_candidates(HEAVY, US)]
