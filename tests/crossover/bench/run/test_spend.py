"""What a benchmark costs: by hand, line by line, in us-east-1."""

from dataclasses import replace
from typing import Any

import pytest

from crossover.bench.run.context import Control
from crossover.bench.run.observation import Outcome
from crossover.bench.run.spend import Meter, Tariff, duration_seconds, estimate
from crossover.cost.prices import load

from .fakes import FILES, deployment, observation, report, variant
from .test_plan import plan

PRICES = load("us-east-1")
REQUEST, GB_SECOND = 0.2e-6, 16.6667e-6
RESTORE, CACHE = 0.0001397998, 1.5046e-6
# An object written and read, an item written and deleted, 1.5 KB of log.
BESIDE = 5e-6 + 0.4e-6 + 2 * 0.625e-6 + 1.5 / 1024**2 * 0.5


def tariff(name: str = "standard", **values: Any) -> Tariff:
    return Tariff(deployment(name, **values), PRICES)


def test_the_cost_of_an_observation_is_what_lambda_billed() -> None:
    seen = observation(reports=(report(billed_ms=120),))
    assert tariff().observation(seen, FILES[0]) == pytest.approx(REQUEST + 2 * 0.120 * GB_SECOND + BESIDE, rel=1e-4)


def test_every_attempt_and_every_restore_is_paid() -> None:
    attempts = (report(billed_ms=500, restore_ms=400.0), report(billed_ms=100))
    seen = observation(variant="snapstart", cold=True, reports=attempts)
    expected = 2 * REQUEST + 2 * 0.6 * GB_SECOND + 2 * RESTORE + BESIDE
    assert tariff("snapstart").observation(seen, FILES[0]) == pytest.approx(expected, rel=1e-4)


def test_without_a_report_the_cost_follows_from_the_items_timings() -> None:
    warm = observation(item_ms=130)  # of which 100 ms are the handler's
    assert tariff().observation(warm, FILES[0]) == pytest.approx(REQUEST + 2 * 0.100 * GB_SECOND + BESIDE, rel=1e-4)
    cold = observation(item_ms=130, cold=True)
    assert tariff().observation(cold, FILES[0]) == pytest.approx(REQUEST + 2 * 0.800 * GB_SECOND + BESIDE, rel=1e-4)


def test_an_upload_that_waits_in_a_queue_costs_three_requests_more() -> None:
    queued = tariff(variant=replace(variant(), upload_queue="https://queues/uploads"))
    assert queued.upload() - tariff().upload() == pytest.approx(3 * 0.4e-6)


def test_refused_uploads_are_free_and_failed_requests_are_not() -> None:
    assert tariff().observation(observation(outcome=Outcome.NOT_UPLOADED, item={}), FILES[0]) == 0
    assert tariff().observation(observation(outcome=Outcome.DEAD_LETTER, item={}), FILES[0]) > BESIDE


def test_the_estimate_grows_with_the_audio() -> None:
    short, long = (tariff().guessed_ms(file, cold=False) for file in FILES)
    assert long - 50 == pytest.approx((short - 50) * 20.0 / 0.4)  # 50 ms of waiting in both


def test_a_snapshot_is_paid_for_three_hours() -> None:
    expected = 2 * (3 * 3600 * CACHE + 0.7 * GB_SECOND)
    assert tariff("snapstart").version() == pytest.approx(expected, rel=1e-4)
    assert tariff("standard").version() == 0


def test_an_endpoint_is_billed_by_the_hour_of_all_its_instances() -> None:
    assert tariff("sagemaker").idle(1800) == pytest.approx(0.056 / 2)
    machines = tariff("sagemaker", instance_type="ml.c5.large", instances=3)
    assert machines.idle(3600) == pytest.approx(3 * 0.102)
    assert tariff("standard").idle(3600) == 0


def test_what_is_kept_ready_mounted_or_stored_is_billed_by_the_hour() -> None:
    ready = tariff("provisioned", provisioned=3)
    assert ready.idle(3600) == pytest.approx(3 * 2 * 3600 * 4.1667e-6)
    assert tariff("efs", has_file_system=True).idle(3600) == pytest.approx(0.0046 / 1.073741824 * 0.3 / 730, rel=1e-3)
    assert tariff("container", is_image=True).idle(3600) == pytest.approx(0.6 * 0.1 / 730, rel=1e-3)
    for name, is_image in (("snapstart", False), ("container", True)):
        plain, cached = (tariff(name, is_image=is_image, is_snapshot=each) for each in (False, True))
        assert cached.idle(3600) - plain.idle(3600) == pytest.approx(2 * 3600 * CACHE)
    [line] = ready.idle_lines(1800)
    assert (line.name, line.quantity) == ("kept ready", "3 for 0.50 h")


def test_an_attempt_that_was_kept_ready_has_a_price_of_its_own_and_the_overflow_that_on_demand() -> None:
    ready = tariff("provisioned", provisioned=3)
    assert ready.attempt(report(billed_ms=100)) == pytest.approx(REQUEST + 2 * 0.1 * 9.7222e-6)
    assert ready.attempt(report(billed_ms=100, init_ms=50.0)) == pytest.approx(REQUEST + 2 * 0.1 * GB_SECOND)


def test_a_cold_start_reads_the_model_from_a_file_system() -> None:
    mounted, other = tariff("efs", has_file_system=True), tariff("standard")
    cold, warm = report(billed_ms=100, init_ms=50.0), report(billed_ms=100)
    assert mounted.attempt(cold) - other.attempt(cold) == pytest.approx(0.0046 / 1.073741824 * 0.03, rel=1e-3)
    assert mounted.attempt(warm) == other.attempt(warm)


def test_on_arm64_time_costs_less() -> None:
    arm, x86 = tariff(architecture="arm64"), tariff()
    one = report(billed_ms=1000)
    assert arm.attempt(one) - REQUEST == pytest.approx(0.8 * (x86.attempt(one) - REQUEST), rel=1e-4)
    ready = tariff("provisioned", provisioned=1, architecture="arm64")
    assert ready.idle(3600) == pytest.approx(2 * 3600 * 3.3334e-6)


def test_the_estimate_has_a_line_for_everything_that_is_paid() -> None:
    made = plan(100, cold=5, variants=["standard", "snapstart", "sagemaker"])
    deployments = [deployment(name) for name in made.variants]
    lines = {line.name: line for line in estimate(made, deployments, PRICES)}
    assert list(lines) == [
        "standard: function",
        "standard: S3, DynamoDB, logs",
        "snapstart: function",
        "snapstart: S3, DynamoDB, logs",
        "snapstart: snapshots",
        "snapstart: SnapStart cache",
        "sagemaker: function",
        "sagemaker: S3, DynamoDB, logs",
        "sagemaker: endpoint",
    ]
    assert lines["standard: S3, DynamoDB, logs"].usd == pytest.approx(105 * BESIDE, rel=1e-4)
    assert lines["snapstart: snapshots"].usd == pytest.approx(5 * 2 * (3 * 3600 * CACHE + 0.7 * GB_SECOND), rel=1e-4)
    seconds = duration_seconds(made, deployments)
    assert seconds > 3 * 99 + 5 * 60
    assert lines["sagemaker: endpoint"].usd == pytest.approx(seconds / 3600 * 0.056)


def test_only_cold_requests_are_estimated_to_be_restored() -> None:
    """The usual one waits 0.05 s and works 0.02 s for 7.1 s of audio; a restore is billed 0.3 s."""
    made = plan(4, cold=1, variants=["snapstart"], files=FILES[:1])
    lines = {line.name: line.usd for line in estimate(made, [deployment("snapstart")], PRICES)}
    gb_seconds = 2 * (5 * (0.05 + 0.02 * 0.4 / 7.1) + 0.3)
    assert lines["snapstart: function"] == pytest.approx(5 * REQUEST + gb_seconds * GB_SECOND + 2 * RESTORE, rel=1e-4)
    without = {line.name for line in estimate(plan(4, cold=0), [deployment("snapstart")], PRICES)}
    assert "snapstart: snapshots" not in without


def test_forcing_takes_its_time_and_an_endpoint_has_to_be_idle() -> None:
    made = plan(61, cold=3, idle_seconds=60.0)  # a minute of load
    assert duration_seconds(made, [deployment()]) == 60 + 3 * 10 + 120
    assert duration_seconds(made, [deployment(), deployment("snapstart")]) == 2 * 60 + 3 * (10 + 120) + 120
    assert duration_seconds(made, [deployment("sagemaker")]) == 60 + 3 * (10 + 60) + 120


def test_a_closed_loop_is_shorter_with_more_concurrency() -> None:
    one = duration_seconds(plan(64, cold=0, arrivals="ramp:1-1"), [deployment()])
    eight = duration_seconds(plan(64, cold=0, arrivals="ramp:8-8"), [deployment()])
    assert one - eight == pytest.approx(64 - 8)


def test_the_meter_stops_at_the_limit_and_counts_nothing_twice() -> None:
    control = Control()
    meter = Meter(1.0, control)
    meter.set("a", 0.4)
    meter.set("a", 0.5)
    meter.set("b", 0.4)
    assert meter.usd == pytest.approx(0.9)
    assert not control.stopping.is_set()
    meter.set("c", 0.2)
    assert control.stopping.is_set()
    assert control.reason == "It stopped because 1.1 USD were spent; the limit is 1 USD."


def test_the_meter_refuses_an_expense_beyond_the_limit() -> None:
    control = Control()
    meter = Meter(1.0, control)
    meter.set("a", 0.4)
    assert meter.allows(0.6)
    assert not control.stopping.is_set()
    assert not meter.allows(0.61)
    assert control.stopping.is_set()
    assert meter.usd == 0.4
    assert "0.4 USD were spent, and 0.61 USD more would be over the limit of 1 USD." in control.reason
