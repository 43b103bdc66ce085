"""The cost page holds the model's numbers, nothing else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from crossover.cost.break_even import HIGHEST_RPM, LOWEST_RPM, break_evens
from crossover.cost.candidates import Candidate, all_candidates
from crossover.cost.prices import load
from crossover.cost.scenario import MINUTES_PER_MONTH, Rent, Scenario
from crossover.cost.variants import VARIANTS
from crossover.report import cost_data, cost_page
from crossover.report.page import Page
from tests.crossover.report import few

PRICES = load("us-east-1")
SCENARIO = Scenario(cpu_seconds=0.2, requests=72 * MINUTES_PER_MONTH, cold_share=0.03, rent=Rent(amount=150.0))
POSITIONS = (None, 0.0, 0.1)
LINES = {
    "standard", "snapstart", "efs", "sagemaker:ml.t2.medium", "sagemaker:ml.c5.large", "ec2-t3.medium", "rent",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def few_lines_and_positions() -> Iterator[None]:
    """So that a page is made in a second."""
    with pytest.MonkeyPatch.context() as patch:
        few.limit(patch, shares=POSITIONS, keys=LINES)
        yield


@pytest.fixture(scope="module")
def page(few_lines_and_positions: None) -> Page:
    return cost_page.cost_page(SCENARIO, PRICES)


@pytest.fixture(scope="module")
def data(page: Page) -> Any:
    return json.loads(json.dumps(page.data))


def model(key: str, share: float | None) -> tuple[Any, Scenario]:
    """The variant of a line, and the scenario that it is for."""
    name, _, instance_type = key.partition(":")
    own = replace(SCENARIO, cold_share=share, instance_type=instance_type or SCENARIO.instance_type)
    return VARIANTS[name], own


def test_the_cold_share_starts_at_the_arrivals_or_at_the_given_share(data: Any) -> None:
    assert [each["value"] for each in data["colds"]] == [None, 0.0, 0.03, 0.1]
    assert [each["label"] for each in data["colds"]] == ["as the arrivals give it", "0 %", "3 %, as given", "10 %"]
    assert data["start"]["cold"] == 2


def test_without_a_given_share_the_cold_share_is_that_of_the_arrivals() -> None:
    assert cost_data.cold_shares(replace(SCENARIO, cold_share=None)) == list(cost_data.COLD_SHARES)


def test_the_page_begins_at_the_scenarios_own_traffic(data: Any) -> None:
    assert data["grids"][0]["requests"][data["start"]["traffic"]] == SCENARIO.requests


@pytest.mark.parametrize("key", ["standard", "snapstart", "efs", "sagemaker:ml.c5.large", "ec2-t3.medium", "rent"])
def test_lines_are_those_of_the_model(data: Any, key: str) -> None:
    for position, cold in enumerate(data["colds"]):
        curve = data["curves"][data["lines"][key][position]]
        requests = np.array(data["grids"][curve["grid"]]["requests"])
        variant, own = model(key, cold["value"])
        # A volume is rounded to nine digits, which may put it on a step's other side: those have their own test.
        plain = np.isin(requests, data["grids"][0]["requests"])
        bill = variant.bill(replace(own, requests=requests), PRICES)
        assert np.array(curve["usd"])[plain] == pytest.approx(bill.usd[plain], rel=5e-4, abs=0.0051)
        assert np.array(curve["perMillion"])[plain] == pytest.approx(
            (bill.usd / requests * 1e6)[plain], rel=6e-4, abs=0.0051
        )
        if bill.instances is not None:
            assert (
                np.array(curve["instances"])[plain].tolist()
                == np.broadcast_to(bill.instances, requests.shape)[plain].tolist()
            )


def test_what_is_always_on_is_a_step_function(data: Any) -> None:
    curve = data["curves"][data["lines"]["sagemaker:ml.t2.medium"][0]]
    rpm, instances = data["grids"][curve["grid"]]["rpm"], curve["instances"]
    rises = [index for index in range(1, len(rpm)) if instances[index - 1] < instances[index] <= 10]
    assert [instances[index] for index in rises] == list(range(2, 11))
    for index in rises:
        assert rpm[index] / rpm[index - 1] < 1 + 1e-7  # the rise is upright
        assert curve["usd"][index] - curve["usd"][index - 1] == pytest.approx(0.056 * 730 + 30 * 0.14, abs=0.02)


@pytest.mark.parametrize(
    ("on_demand", "always_on"),
    [("standard", "sagemaker:ml.t2.medium"), ("snapstart", "sagemaker:ml.c5.large"), ("standard", "rent")],
)
def test_break_even_points_are_those_of_the_model(data: Any, on_demand: str, always_on: str) -> None:
    pairs = data["pairs"][f"{on_demand} {always_on}"]
    seen = set()
    for cold, pair in zip(data["colds"], pairs, strict=True):
        variant, own = model(always_on, cold["value"])
        names = [on_demand, variant.name]
        (found,) = break_evens([Candidate(variant=VARIANTS[name]) for name in names], own, PRICES)
        expected = found.points
        assert expected
        marked = pair["breakEvens"]
        assert [each["requests"] for each in marked] == pytest.approx([each.requests for each in expected], rel=1e-8)
        assert [each["rpm"] for each in marked] == pytest.approx([each.rpm for each in expected], rel=1e-8)
        assert [each["usd"] for each in marked] == pytest.approx([each.usd for each in expected], rel=1e-6)
        assert [each["above"] for each in marked] == [names.index(each.above or "") for each in expected]
        assert pair["first"] == names.index(found.first or "")
        seen.add(marked[0]["rpm"])
    assert len(seen) == len(data["colds"])  # each position has a point of its own


def test_every_pair_has_its_points_at_every_position(data: Any) -> None:
    always_on = [each["id"] for each in data["alwaysOn"]]
    assert set(data["pairs"]) == {f"{one} {other}" for one in data["onDemand"] for other in always_on}
    assert {len(of_cases) for of_cases in data["pairs"].values()} == {len(data["colds"])}
    assert {len(numbers) for numbers in data["lines"].values()} == {len(data["colds"])}
    assert set(data["lines"]) == {*data["onDemand"], *always_on}
    assert "rent" in always_on


def test_the_sentence_for_the_scenarios_traffic_has_the_models_bills(data: Any) -> None:
    said = data["pairs"]["standard sagemaker:ml.t2.medium"][data["start"]["cold"]]["now"]
    sums = [float(VARIANTS[name].bill(SCENARIO, PRICES).usd) for name in ("standard", "sagemaker")]
    assert said == (
        f"At 72 requests a minute, 3,153,600 a month: Lambda costs {sums[0]:.2f} USD a month, "
        f"SageMaker endpoint on ml.t2.medium costs {sums[1]:.2f} USD a month."
    )


def test_bands_cover_the_whole_range_and_join_instances_of_one_kind(data: Any) -> None:
    for at in data["bands"]:
        for bands in at.values():
            assert bands[0]["lowest"] == LOWEST_RPM
            assert bands[-1]["highest"] == HIGHEST_RPM
            assert [each["highest"] for each in bands[:-1]] == [each["lowest"] for each in bands[1:]]
            names = [each["keys"][0].partition(":")[0] for each in bands]
            assert all(one != other for one, other in pairwise(names))
        assert {each["keys"][0].partition(":")[0] for each in at["candidates"]} <= {
            "standard",
            "snapstart",
            "sagemaker",
        }


def test_candidates_can_be_chosen() -> None:
    data = cost_page.cost_page(SCENARIO, PRICES, ["snapstart", "efs"]).data
    assert {key for at in data["bands"] for band in at["candidates"] for key in band["keys"]} <= {"snapstart", "efs"}
    assert data["candidates"] == "Lambda with SnapStart, Lambda with EFS"


def test_lines_differ_in_colour_or_dashes() -> None:
    described = cost_data._variants(all_candidates(SCENARIO, PRICES))
    styles = [(each["colour"], each["dash"]) for each in described]
    assert [each["name"] for each in described] == [name for name in VARIANTS if name != "call-price"]
    assert len(set(styles)) == len(styles)


def test_lines_that_no_parameter_moves_are_stored_once(data: Any) -> None:
    assert len(set(data["lines"]["rent"])) == 1
    assert len(set(data["lines"]["standard"])) == len(data["colds"])


def test_unconfirmed_prices_are_named(page: Page) -> None:
    assert "Check these before you rely on them: " in page.body
    assert "sagemaker.host.ml.t2.medium (unconfirmed)" in page.body
    assert "lambda.gb_second (" not in page.body  # confirmed
    assert f"<td>{PRICES['lambda.gb_second'].date}</td>" in page.body


def test_given_values_come_first_among_the_assumptions(page: Page) -> None:
    cells = page.body.partition("assumptions</summary>")[2].split("<tbody>")[1]
    first, second = cells.split("</tr>")[:2]
    assert "CPU time of one request" in first
    assert "0.2 CPU-s" in first
    assert "given" in first
    assert "given" in second


def test_ticks_of_linear_axes_begin_at_0_and_end_evenly(data: Any) -> None:
    for ticks in data["ticks"]["linear"]:
        rpm = [each["rpm"] for each in ticks]
        assert rpm[0] == 0
        assert np.diff(rpm) == pytest.approx(rpm[1])
        assert len({each["text"] for each in ticks}) == len(ticks)
    assert data["ticks"]["linear"][-1][-1]["rpm"] == HIGHEST_RPM
    assert data["ticks"]["log"][3] == {"rpm": 100.0, "text": "100", "month": "4.38 M"}


def test_points_are_round_numbers_a_minute_and_the_scenarios_own() -> None:
    rpm = cost_data.drawn(Scenario(requests=71.93 * MINUTES_PER_MONTH)) / MINUTES_PER_MONTH
    assert rpm[0] == pytest.approx(LOWEST_RPM)
    assert rpm[-1] == pytest.approx(HIGHEST_RPM)
    assert np.isclose(rpm, 71.93, rtol=1e-12).any()
    others = rpm[~np.isclose(rpm, 71.93, rtol=1e-12)]
    assert [float(f"{value:.3g}") for value in others] == pytest.approx(others.tolist(), rel=1e-12)
    assert np.max(rpm[1:] / rpm[:-1]) < 1.07  # close enough for straight pieces to look like a line
