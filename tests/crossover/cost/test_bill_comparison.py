"""The verdict, the sensitivity and the unconfirmed prices."""

from dataclasses import replace

import numpy as np
import pytest

from crossover.cost.bill_comparison import compare, sensitivity
from crossover.cost.numbers import number
from crossover.cost.prices import load
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS, by_default

PRICES = load("us-east-1")


def at(rpm: float, **fields: object) -> Scenario:
    return Scenario(requests=rpm * MINUTES_PER_MONTH, **fields)  # type: ignore[arg-type]


def test_below_the_break_even_point_the_verdict_says_when_to_switch() -> None:
    comparison = compare(at(72), PRICES, candidates=by_default())
    (point,) = comparison.break_evens.points
    assert comparison.cheapest == "standard"
    assert comparison.verdict.startswith("At 72 requests a minute use standard: ")
    assert comparison.verdict.endswith(f"Switch to sagemaker above {number(point.rpm)} a minute.")


def test_above_the_break_even_point_it_says_when_to_switch_back() -> None:
    comparison = compare(at(2000), PRICES, candidates=by_default())
    assert comparison.cheapest == "sagemaker"
    assert f"Switch to standard below {number(comparison.break_evens.points[0].rpm)} a minute." in comparison.verdict


def test_the_saving_is_the_difference_to_the_next() -> None:
    comparison = compare(at(72), PRICES, candidates=by_default())
    first, second, _ = sorted(float(bill.usd) for bill in comparison.bills.values())
    assert f"{first:,.2f} USD a month, {second - first:,.2f} less than the next." in comparison.verdict


def test_many_steps_are_counted_not_listed() -> None:
    comparison = compare(at(10, cpu_seconds=0.2), PRICES, candidates=by_default())
    more = len(comparison.break_evens.points) - 3
    assert more > 1
    assert comparison.verdict.endswith(f" a minute. The cheapest changes {more} more times beyond that.")


def test_one_candidate_has_no_break_even_point_and_no_saving() -> None:
    comparison = compare(at(72), PRICES, candidates=["standard"])
    assert comparison.break_evens.points == ()
    assert comparison.verdict.endswith("USD a month. It is the cheapest from 0.1 to 10,000 a minute.")


def test_where_nothing_is_possible_it_says_so() -> None:
    comparison = compare(at(72, model_on_efs=True), PRICES, candidates=["standard", "snapstart"])
    assert comparison.cheapest is None
    assert comparison.verdict == "At 72 requests a minute none of these variants is possible."


def test_others_are_shown_but_are_not_candidates() -> None:
    comparison = compare(at(5000), PRICES, candidates=["standard"], others=["sagemaker", "standard"])
    assert list(comparison.bills) == ["standard", "sagemaker"]
    assert comparison.bills["sagemaker"].usd < comparison.bills["standard"].usd
    assert comparison.cheapest == "standard"


def test_a_traffic_beyond_the_usual_range_is_compared_too() -> None:
    comparison = compare(at(0.01), PRICES, candidates=by_default())
    assert comparison.break_evens.bands[0].lowest == pytest.approx(0.01 * MINUTES_PER_MONTH)


def test_unconfirmed_prices_are_named_once() -> None:
    comparison = compare(at(72), PRICES, candidates=by_default())
    names = [price.id for price in comparison.unconfirmed_prices]
    assert "sagemaker.host.ml.t2.medium" in names
    assert "lambda.gb_second" not in names
    assert len(names) == len(set(names))


def test_sensitivity_agrees_with_a_new_comparison() -> None:
    scenario = at(72, cold_share=0.05)
    effects = sensitivity(compare(scenario, PRICES, candidates=by_default()))
    assert {effect.factor for effect in effects} == {0.8, 1.2}
    for effect in effects[::3]:
        value = getattr(scenario, effect.field) * effect.factor
        assert effect.value == pytest.approx(value)
        anew = compare(replace(scenario, **{effect.field: value}), PRICES, candidates=by_default())
        assert effect.cheapest == anew.cheapest
        assert effect.usd == pytest.approx(min(float(bill.usd) for bill in anew.bills.values()))
        above = [each.rpm for each in anew.break_evens.points if each.requests > anew.scenario.requests]
        assert effect.next_rpm == pytest.approx(above[0])


def test_sensitivity_leaves_out_inputs_without_effect() -> None:
    def fields(scenario: Scenario) -> set[str]:
        return {effect.field for effect in sensitivity(compare(scenario, PRICES, candidates=by_default()))}

    assert "idle_seconds" in fields(at(72)) and "cold_share" not in fields(at(72))
    assert "idle_seconds" not in fields(at(72, cold_share=0.1)) and "cold_share" in fields(at(72, cold_share=0.1))
    assert "warm_seconds" in fields(at(72, warm_seconds=0.2))


def test_sensitivity_stays_within_the_bounds_of_a_field() -> None:
    effects = sensitivity(compare(at(72, cold_share=0.9), PRICES, candidates=by_default()))
    assert max(effect.value for effect in effects if effect.field == "cold_share") == 1.0


def test_each_bill_is_that_of_its_variant() -> None:
    comparison = compare(at(72), PRICES, candidates=by_default())
    for name, bill in comparison.bills.items():
        assert np.isclose(bill.usd, VARIANTS[name].bill(comparison.scenario, PRICES).usd)
