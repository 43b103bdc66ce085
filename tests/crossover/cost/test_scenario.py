"""A scenario: bounds, arrays, traffic, and how long a request takes and is billed."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossover.cost.scenario import ASSUMED, MEASURED, SETTING, CallPrice, Rent, Scenario
from crossover.errors import UsageError

ROOT = Path(__file__).parents[3]
NUMBERS = [each for each in dataclasses.fields(Scenario) if each.metadata["bounds"] is not None]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("requests", 0, "The value of requests is 0; it must be from 1 to 1e+12."),
        ("memory_mb", 127, "The value of memory_mb is 127; it must be from 128 to 10,240."),
        ("cold_share", 1.01, "The value of cold_share is 1.01; it must be from 0 to 1."),
        ("cold_share", -0.1, "The value of cold_share is -0.1; it must be from 0 to 1."),
        ("utilisation", math.nan, "The value of utilisation is not a number; it must be from 0.01 to 1."),
        ("cpu_seconds", np.array([0.1, 901.0]), "The value of cpu_seconds is 901; it must be from 1e-06 to 900."),
        ("requests", np.array([1e5, math.nan]), "The value of requests is not a number; it must be from 1 to 1e+12."),
        ("peak_factor", math.inf, "The value of peak_factor is inf; it must be from 1 to 1,000."),
    ],
)
def test_a_number_out_of_its_bounds_is_named(name: str, value: Any, said: str) -> None:
    with pytest.raises(UsageError) as error:
        Scenario(**{name: value})
    assert str(error.value) == said


@pytest.mark.parametrize("each", NUMBERS, ids=lambda each: each.name)
def test_the_bounds_themselves_are_allowed_and_what_is_beyond_is_not(each: "dataclasses.Field[object]") -> None:
    low, high = each.metadata["bounds"]
    for value in (low, high):
        Scenario(**{each.name: value})
    for value in (np.nextafter(low, -math.inf), np.nextafter(high, math.inf)):
        with pytest.raises(UsageError, match=f"The value of {each.name} is"):
            Scenario(**{each.name: value})


@pytest.mark.parametrize("each", dataclasses.fields(Scenario), ids=lambda each: each.name)
def test_every_field_says_what_it_means_and_where_its_default_is_from(each: "dataclasses.Field[object]") -> None:
    assert each.metadata["meaning"]
    assert each.metadata["origin"] in (SETTING, MEASURED, ASSUMED)
    assert "unit" in each.metadata


@pytest.mark.parametrize(
    "name", ["provisioned", "instances", "min_instances", "snapstart_versions", "nat_gateways", "vpc_endpoints"]
)
def test_refuses_fractions_of_counts(name: str) -> None:
    Scenario(**{name: np.array([1.0, 2.0])})  # type: ignore[arg-type]
    for value in (2.5, np.array([1.0, 2.5])):
        with pytest.raises(UsageError, match=rf"The value of {name} is .*2\.5.*; it must be a whole number\."):
            Scenario(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [-5.0, 0.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["amount", "usd", "vcpus"])
def test_the_users_own_prices_must_be_above_0(name: str, number: float) -> None:
    with pytest.raises(UsageError, match=r"of the rent is .*; it must be a number above 0\."):
        Rent(**{"amount": 5.0, name: number})  # type: ignore[arg-type]
    if name != "vcpus":
        with pytest.raises(UsageError, match=r"of the price of a call is .*; it must be a number above 0\."):
            CallPrice(**{"amount": 5.0, name: number})  # type: ignore[arg-type]


def test_10_requests_a_minute_are_438_000_a_month() -> None:
    scenario = Scenario(requests=438_000.0, peak_factor=3.0)
    assert scenario.rpm == pytest.approx(10)
    assert scenario.rate == pytest.approx(1 / 6)
    assert scenario.peak_rate == pytest.approx(3 / 6)


def test_it_has_as_many_cases_as_its_arrays() -> None:
    assert Scenario().cases == 1
    assert Scenario(requests=np.array([1e5, 2e5, 3e5]), cold_share=np.array([0.1, 0.2, 0.3])).cases == 3
    with pytest.raises(ValueError, match=r"shapes \[\(2,\), \(3,\)\]; they must all have one axis of one length"):
        _ = Scenario(requests=np.array([1e5, 2e5, 3e5]), cold_share=np.array([0.1, 0.2])).cases
    with pytest.raises(ValueError, match="one axis"):
        _ = Scenario(requests=np.full((2, 2), 1e5)).cases


def test_cases_can_be_picked_in_any_order_and_more_than_once() -> None:
    scenario = Scenario(requests=np.array([1e5, 2e5, 3e5]), cold_share=np.array([0.1, 0.2, 0.3]), memory_mb=512.0)
    picked = scenario.pick(np.array([2, 0, 2]))
    assert np.asarray(picked.requests).tolist() == [3e5, 1e5, 3e5]
    assert np.asarray(picked.cold_share).tolist() == [0.3, 0.1, 0.3]
    assert picked.memory_mb == 512.0


def test_a_number_in_an_array_without_an_axis_is_a_number() -> None:
    scenario = Scenario(requests=np.array([1e5, 2e5]), cpu_seconds=np.array(0.3))
    assert scenario.cases == 2
    assert scenario.pick(np.array([1])).cpu_seconds == 0.3


def test_work_takes_longer_on_less_than_a_vcpu_and_no_shorter_on_more() -> None:
    scenario = Scenario(cpu_seconds=0.3, wait_seconds=0.05, memory_mb=1769.0 / 3)
    assert scenario.warm() == pytest.approx(0.05 + 0.9)
    assert scenario.seconds_at(np.array([1769.0, 4096.0, 884.5])) == pytest.approx([0.35, 0.35, 0.65])


def test_a_measured_duration_overrides_a_computed_one() -> None:
    assert Scenario(cpu_seconds=0.3, warm_seconds=0.123).warm() == 0.123


def test_the_proxy_takes_as_long_as_the_prediction_and_something_more_unless_measured() -> None:
    scenario = Scenario(cpu_seconds=0.3, wait_seconds=0.05, proxy_overhead=0.02)
    assert scenario.proxy() == pytest.approx(0.37)
    assert dataclasses.replace(scenario, proxy_seconds=0.2).proxy() == 0.2


@pytest.mark.parametrize(
    ("seconds", "billed"),
    [(0.204, 0.204), (0.2041, 0.205), (0.20399, 0.204), (0.0001, 0.001), (0.1 + 0.2, 0.3), (1.1 + 2.2, 3.3)],
)
def test_a_duration_is_billed_up_to_the_next_millisecond(seconds: float, billed: float) -> None:
    assert Scenario().billed(seconds) == pytest.approx(billed, abs=1e-12)


def test_a_whole_number_of_milliseconds_is_billed_as_it_is() -> None:
    milliseconds = np.arange(1, 900_001)
    for seconds in (milliseconds / 1000, milliseconds * 0.001, milliseconds * 0.1 / 100):
        billed = Scenario().billed(seconds)
        assert np.array_equal(np.rint(np.asarray(billed) * 1000), milliseconds)


def test_the_steps_of_billing_can_be_others_or_none() -> None:
    steps = np.array([0.0, 1.0, 100.0])
    assert Scenario(billing_ms=steps).billed(0.2041) == pytest.approx([0.2041, 0.205, 0.3])


def test_a_measured_cold_share_overrides_the_computed_one() -> None:
    assert Scenario(cold_share=0.25, least_recently_used=True).cold(0.2) == 0.25


def test_rare_requests_are_cold_where_the_pause_was_too_long_or_the_environment_was_replaced() -> None:
    # One in 1,000 s on average and 0.01 s of service: they never overlap.
    scenario = Scenario(requests=2628.0, idle_seconds=300.0, lifetime_hours=4.0)
    by_hand = math.exp(-300 / 1000) + 1 / (0.001 * 4 * 3600)
    assert scenario.cold(0.01) == pytest.approx(by_hand, rel=1e-4)


def test_the_least_recently_used_is_the_lower_end_and_the_default_the_upper_one() -> None:
    # 10 requests a minute of 0.128 s, idle for 300 s: 0.0075 in the table of simulations, and nothing at the lower end.
    floor = 1 / (1 / 6 * 4 * 3600)
    assert Scenario(requests=438_000.0).cold(0.128) == pytest.approx(0.0075 + floor, rel=0.01)
    assert Scenario(requests=438_000.0, least_recently_used=True).cold(0.128) == pytest.approx(floor, rel=1e-9)
    # The busiest hour is not the month.
    assert Scenario(requests=438_000.0, peak_factor=10.0).cold(0.128) == Scenario(requests=438_000.0).cold(0.128)


def test_the_defaults_that_are_settings_of_the_stacks_are_the_stacks_own() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    for name in ("memory_mb", "proxy_memory_mb", "instance_type"):
        assert getattr(Scenario(), name) == context[name]
    assert Scenario().min_instances == context["instance_count"]


def test_the_sizes_by_default_are_those_of_the_clip_and_the_model_here() -> None:
    clip, model = (ROOT / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav", ROOT / "model/model.onnx")
    assert Scenario().file_mb == pytest.approx(clip.stat().st_size / 1e6, rel=0.05)
    assert Scenario().model_mb == pytest.approx(model.stat().st_size / 1e6, rel=0.05)
