"""The crossings that the page marks are those of the model, found another way."""

from dataclasses import replace

import numpy as np
import pytest

from crossover.cost.crossings import crossings
from crossover.cost.prices import load
from crossover.cost.scenario import MINUTES_A_MONTH, Rent, Scenario
from crossover.report.contenders import Contender, contenders
from crossover.report.races import HIGHEST_RPM, LIMIT, LOWEST_RPM, MACHINE, MEET, Field, _cause

PRICES = load("us-east-1")
LOWEST, HIGHEST = LOWEST_RPM * MINUTES_A_MONTH, HIGHEST_RPM * MINUTES_A_MONTH
HEAVY = Scenario(cpu_seconds=0.2)


def of(scenario: Scenario, *keys: str) -> list[Contender]:
    """The contenders with these keys, in this order."""
    found = {each.key: each for each in contenders(scenario, PRICES)}
    return [found[key] for key in keys]


@pytest.mark.parametrize("cold_share", [None, 0.0, 0.1])
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
def test_crossings_are_the_models(scenario: Scenario, one: str, other: str, cold_share: float | None) -> None:
    field = Field(of(scenario, one, other), scenario, PRICES, (0.5, cold_share))
    race = field.races([(0, 1)])[0][1]
    name, _, instance_type = other.partition(":")
    own = replace(scenario, cold_share=cold_share, instance_type=instance_type or scenario.instance_type)
    expected = crossings([one, name], own, PRICES, lowest=LOWEST, highest=HIGHEST)
    names = {0: one, 1: name, None: ""}
    assert [names[each.above] for each in race.crossings] == [each.above for each in expected]
    assert [each.requests for each in race.crossings] == pytest.approx([each.requests for each in expected], rel=1e-9)
    assert [each.usd for each in race.crossings] == pytest.approx([each.usd for each in expected], rel=1e-6)
    assert [each.cause == MEET for each in race.crossings] == [not each.is_step for each in expected]


def test_a_further_machine_and_a_limit_are_told_apart() -> None:
    field = Field(of(HEAVY, "standard", "sagemaker:ml.t2.medium"), HEAVY, PRICES, (0.03,))
    race = field.races([(0, 1)])[0][0]
    assert [each.cause for each in race.crossings][:3] == [MEET, MACHINE, MEET]
    at = replace(HEAVY, cold_share=0.03, requests=np.array([race.crossings[1].requests]))
    function, endpoint = (each.costs(at, PRICES)[0] for each in field.contenders)
    assert function < endpoint  # from the very request on that needs another machine
    fixed = replace(HEAVY, instances=1.0)  # which is enough for 78 requests a minute
    field = Field(of(fixed, "standard", "sagemaker:ml.t2.medium"), fixed, PRICES, (0.03,))
    *_, last = field.races([(0, 1)])[0][0].crossings
    assert (last.cause, last.above) == (LIMIT, 0)
    assert last.rpm == pytest.approx(78)


def test_a_low_step_is_a_step_too() -> None:
    assert _cause(1000.0, 1000.001, 1000.0, 1000.0) == MACHINE
    assert _cause(1000.0, 1000.0 * (1 + 1e-11), 1000.0, 1000.0) == MEET


def test_where_nothing_can_be_had_nothing_wins() -> None:
    scenario = replace(HEAVY, instances=1.0)
    race = Field(of(scenario, "sagemaker:ml.t2.medium"), scenario, PRICES, (0.03,)).races([(0,)])[0][0]
    assert race.first == 0
    assert [(each.above, each.usd, each.cause) for each in race.crossings] == [(None, None, LIMIT)]


def test_of_several_the_cheapest_one_wins_between_crossings() -> None:
    everyone = contenders(HEAVY, PRICES)
    field = Field(everyone, HEAVY, PRICES, (0.01,))
    race = field.races([range(len(everyone))])[0][0]
    edges = [LOWEST, *[each.requests for each in race.crossings], HIGHEST]
    winners = [race.first, *[each.above for each in race.crossings]]
    assert len(winners) > 1
    for winner, low, high in zip(winners, edges[:-1], edges[1:], strict=True):
        volumes = np.geomspace(low * 1.000001, high * 0.999999, 20)
        at = replace(HEAVY, cold_share=0.01, requests=volumes)
        costs = [each.costs(at, PRICES) for each in everyone]
        assert winner is not None
        assert (costs[winner] <= np.min(costs, axis=0)).all()


def test_lines_have_both_sides_of_every_step() -> None:
    field = Field(of(HEAVY, "sagemaker:ml.t2.medium"), HEAVY, PRICES, (0.0,))
    counts = field.machines[0]
    below, above = np.flatnonzero(np.diff(counts)), np.flatnonzero(np.diff(counts)) + 1
    assert counts[0] == 1
    assert counts[-1] == 1 + below.size  # one machine at a time
    assert (field.volumes[above] / field.volumes[below] - 1 < 1e-9).all()


def test_points_are_round_numbers_a_minute_and_the_scenarios_own() -> None:
    scenario = Scenario(requests=71.93 * MINUTES_A_MONTH)
    rpm = Field([], scenario, PRICES, (None,)).drawn / MINUTES_A_MONTH
    assert rpm[0] == pytest.approx(LOWEST_RPM)
    assert rpm[-1] == pytest.approx(HIGHEST_RPM)
    assert np.isclose(rpm, 71.93, rtol=1e-12).any()
    others = rpm[~np.isclose(rpm, 71.93, rtol=1e-12)]
    assert [float(f"{value:.3g}") for value in others] == pytest.approx(others.tolist(), rel=1e-12)
    assert np.max(rpm[1:] / rpm[:-1]) < 1.07  # close enough for straight pieces to look like a line


def test_a_rent_is_there_only_with_a_price() -> None:
    with_rent = contenders(replace(HEAVY, rent=Rent(amount=750.0)), PRICES)
    assert {each.key for each in with_rent} - {each.key for each in contenders(HEAVY, PRICES)} == {"rent"}


def test_of_sagemakers_machines_those_that_run_the_container_and_the_chosen_one_first() -> None:
    keys = [each.key for each in contenders(replace(HEAVY, instance_type="ml.g4dn.xlarge"), PRICES)]
    hosted = [key.partition(":ml.")[2] for key in keys if key.startswith("sagemaker:")]
    assert hosted[0] == "g4dn.xlarge"
    assert {"t2.medium", "c5.large"} < set(hosted)
    assert not [name for name in hosted[1:] if name.startswith(("g", "c6g", "c7g", "m6g"))]
    assert len(hosted) == len(set(hosted))
    usual = [each.key for each in contenders(HEAVY, PRICES)]
    assert "sagemaker:ml.g4dn.xlarge" not in usual
