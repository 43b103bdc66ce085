"""The variants that are a Lambda function, each worked out by hand: time in GB-s, and what each adds."""

import math
from dataclasses import replace

import numpy as np
import pytest

from crossover.cost.scenario import Scenario
from crossover.cost.variants import container, efs, provisioned, snapstart, standard, websocket
from tests.crossover.cost.by_hand import US_EAST_1, dollars, prices, quantities, reasons

MONTH = 730 * 3600.0  # s
MILLION = Scenario(
    requests=1e6, memory_mb=2048.0, warm_seconds=0.2, init_seconds=1.0, cold_share=0.1, shared_lines=False
)


def at(**settings: object) -> Scenario:
    return Scenario(**{**vars(MILLION), **settings})


def test_standard() -> None:
    bill = standard.bill(MILLION, prices())
    assert quantities(bill) == pytest.approx(
        {"Lambda duration": 400_000, "Lambda INIT": 200_000, "Lambda requests": 1e6}
    )
    assert dollars(bill) == pytest.approx({"Lambda duration": 8, "Lambda INIT": 4, "Lambda requests": 0.3})
    assert bill.instances is None
    assert not bill.assumes_one_instance


# SnapStart


def test_snapstart_pays_for_each_restore_and_for_every_published_version_all_month() -> None:
    bill = snapstart.bill(at(restore_seconds=0.3, snapstart_versions=3.0), prices())
    assert quantities(bill) == pytest.approx(
        {
            "Lambda duration": 400_000,
            "Lambda restoring": 1e6 * 2 * 0.1 * 0.3,
            "Lambda requests": 1e6,
            "SnapStart restores": 1e6 * 0.1 * 2,
            "SnapStart cache": 3 * 2 * MONTH,
        }
    )
    assert dollars(bill) == pytest.approx(
        {
            "Lambda duration": 8,
            "Lambda restoring": 60_000 * 2e-5,
            "Lambda requests": 0.3,
            "SnapStart restores": 200_000 * 1e-4,
            "SnapStart cache": 3 * 2 * MONTH * 1e-6,
        }
    )


def test_snapstart_has_its_own_warm_time_where_measured() -> None:
    assert quantities(snapstart.bill(at(snapstart_warm_seconds=0.25), prices()))["Lambda duration"] == pytest.approx(
        1e6 * 2 * 0.25
    )


def test_each_function_has_its_own_warm_time_where_measured() -> None:
    measured = at(efs_warm_seconds=0.22, container_warm_seconds=0.24, snapstart_warm_seconds=0.3)
    assert quantities(efs.bill(measured, prices()))["Lambda duration"] == pytest.approx(1e6 * 2 * 0.22)
    assert quantities(container.bill(measured, prices()))["Lambda duration"] == pytest.approx(1e6 * 2 * 0.24)
    assert quantities(standard.bill(measured, prices()))["Lambda duration"] == pytest.approx(1e6 * 2 * 0.2)
    with_snapshot = replace(measured, image_snap_start=True)
    assert quantities(container.bill(with_snapshot, prices()))["Lambda duration"] == pytest.approx(1e6 * 2 * 0.24)
    assert quantities(snapstart.bill(with_snapshot, prices()))["Lambda duration"] == pytest.approx(1e6 * 2 * 0.3)


def test_the_published_cache_of_4_gb_costs_15_82_a_month() -> None:
    bill = snapstart.bill(at(memory_mb=4096.0), prices(US_EAST_1))
    assert dollars(bill)["SnapStart cache"] == pytest.approx(15.82, abs=0.005)


@pytest.mark.parametrize("memory_mb", [128.0, 2048.0, 10_240.0])
@pytest.mark.parametrize("restore", [0.1, 1.0])
def test_a_restore_is_cheaper_than_init_only_where_init_takes_8_39_s_longer(memory_mb: float, restore: float) -> None:
    longer = 0.0001397998 / 1.66667e-5
    assert longer == pytest.approx(8.39, abs=0.005)
    init = restore + longer + np.array([-0.01, 0.01])
    scenario = at(memory_mb=memory_mb, restore_seconds=restore, init_seconds=init, snapstart_versions=0.0, requests=1e5)
    cheaper = snapstart.bill(scenario, prices(US_EAST_1)).usd < standard.bill(scenario, prices(US_EAST_1)).usd
    assert list(np.asarray(cheaper)) == [False, True]


@pytest.mark.parametrize("memory_mb", [128.0, 4096.0])
def test_the_cache_costs_as_much_as_running_for_9_03_percent_of_the_month(memory_mb: float) -> None:
    cached = dollars(snapstart.bill(at(memory_mb=memory_mb), prices(US_EAST_1)))["SnapStart cache"]
    running = at(memory_mb=memory_mb, requests=0.0903 * MONTH / 0.2, cold_share=0.0)
    assert dollars(standard.bill(running, prices(US_EAST_1)))["Lambda duration"] == pytest.approx(cached, rel=5e-4)


# Provisioned concurrency. Two requests of 0.5 s each second are a load of 1: B(1) = 1/2, B(2) = 1/5, B(3) = 1/16.

ONE_ERLANG = {"requests": 2 * MONTH, "warm_seconds": 0.5, "init_seconds": 2.0}


def test_what_is_provisioned_has_its_own_warm_time_where_measured_in_load_use_and_overflow() -> None:
    measured = at(**{**ONE_ERLANG, "warm_seconds": 0.2}, provisioned_warm_seconds=0.5, provisioned=2.0)
    assert provisioned.bill(measured, prices()).usd == provisioned.bill(at(**ONE_ERLANG, provisioned=2.0), prices()).usd


def test_provisioned_concurrency_overflows_to_on_demand() -> None:
    bill = provisioned.bill(at(**ONE_ERLANG, provisioned=2.0), prices())
    assert quantities(bill) == pytest.approx(
        {
            "kept ready": 2 * 2 * MONTH,
            "INIT of these": 2 * 730 / 4 * 2 * 2,
            "duration": 1.6 * MONTH * 2 * 0.5,
            "requests": 1.6 * MONTH,
            "overflow duration": 0.4 * MONTH * 2 * 0.5,
            "overflow INIT": 0.4 * MONTH * 2 * 0.1 * 2,
            "overflow requests": 0.4 * MONTH,
        }
    )
    assert dollars(bill) == pytest.approx(
        {
            "kept ready": 4 * MONTH * 4e-6,
            "INIT of these": 1460 * 1e-5,
            "duration": 1.6 * MONTH * 1e-5,
            "requests": 1.6 * MONTH * 3e-7,
            "overflow duration": 0.4 * MONTH * 2e-5,
            "overflow INIT": 0.16 * MONTH * 2e-5,
            "overflow requests": 0.4 * MONTH * 3e-7,
        }
    )
    assert bill.instances == 2


def test_the_overflow_is_that_of_the_busiest_hour() -> None:
    # A load of 2: B(2) = 2 / (1 + 2 + 2).
    bill = provisioned.bill(at(**ONE_ERLANG, provisioned=2.0, peak_factor=2.0), prices())
    assert quantities(bill)["overflow requests"] == pytest.approx(0.8 * MONTH)


@pytest.mark.parametrize(("overflow", "kept"), [(0.5, 1), (0.49, 2), (0.2, 2), (0.0625, 3), (0.062, 4), (0.01, 5)])
def test_the_number_kept_ready_follows_from_the_overflow(overflow: float, kept: int) -> None:
    # B(4) = 1/65, B(5) = 1/326.
    scenario = at(**ONE_ERLANG, provisioned_overflow=overflow)
    assert provisioned.ready(scenario) == kept
    bill = provisioned.bill(scenario, prices())
    assert quantities(bill)["kept ready"] == pytest.approx(kept * 2 * MONTH)
    assert bill.instances == kept


def test_the_busiest_hour_decides_how_many_are_kept_ready() -> None:
    # B(3) = 4/19 for a load of 2.
    assert provisioned.ready(at(**ONE_ERLANG, provisioned_overflow=0.25, peak_factor=2.0)) == 3


def test_a_rare_overflow_is_always_cold() -> None:
    # One in 1,000 s on average: of those a thousandth overflows.
    scenario = at(requests=MONTH / 1000, warm_seconds=1.0, init_seconds=2.0, cold_share=None, provisioned=1.0)
    lines = quantities(provisioned.bill(scenario, prices()))
    assert lines["overflow INIT"] == pytest.approx(2 * lines["overflow duration"])


def test_the_overflow_is_as_cold_as_traffic_of_its_own_rate() -> None:
    # Half of 2 requests a second overflow; with a load of 0.5 of their own.
    lines = quantities(provisioned.bill(at(**{**ONE_ERLANG, "cold_share": None}, provisioned=1.0), prices()))
    losses = [0.5**k / math.factorial(k) / sum(0.5**n / math.factorial(n) for n in range(k + 1)) for k in range(20)]
    share = sum((losses[k - 1] - losses[k]) * math.exp(-1.0 * losses[k - 1] * 300) for k in range(1, 20))
    floor = 1 / (1.0 * 4 * 3600)
    assert lines["overflow INIT"] == pytest.approx((share + floor) * MONTH * 2 * 2, rel=1e-6)


def test_provisioned_concurrency_has_no_free_tier() -> None:
    # aws.amazon.com/lambda/pricing: "does not apply to functions that have Provisioned Concurrency enabled".
    paid, free = (
        dollars(provisioned.bill(at(**ONE_ERLANG, provisioned=2.0, free_tier=free), prices())) for free in (False, True)
    )
    for name in ("kept ready", "duration", "requests"):
        assert free[name] == paid[name]
    for name in ("overflow duration", "overflow INIT", "overflow requests"):
        assert free[name] == paid[name]


def test_provisioned_concurrency_is_cheaper_from_60_percent_use() -> None:
    share = 4.1667e-6 / (1.66667e-5 - 9.7222e-6)
    assert share == pytest.approx(0.6, abs=1e-4)
    # So many are kept that hardly any overflows: 1,000 at a load of about 600.
    load = 1000 * share * np.array([0.999, 1.001])
    scenario = at(requests=load * MONTH, warm_seconds=1.0, memory_mb=1024.0, cold_share=0.0, provisioned=1000.0)
    kept, on_demand = (variant.bill(scenario, prices(US_EAST_1)) for variant in (provisioned, standard))
    assert list(np.asarray(kept.usd < on_demand.usd)) == [False, True]


def test_environments_kept_ready_for_some_hours_leave_the_others_to_on_demand() -> None:
    # 200 hours a month with three quarters of the 2 requests each second: 1.5 * 730 / 200 a second in these hours, a
    # load of 2.7375 at 0.5 s each; B(1) = 2.7375 / 3.7375, B(2) = 2.7375 B(1) / (2 + 2.7375 B(1)).
    hours = 200 * 3600
    b1 = 2.7375 / 3.7375
    b2 = 2.7375 * b1 / (2 + 2.7375 * b1)
    scenario = at(**ONE_ERLANG, provisioned=2.0, provisioned_hours=200.0, provisioned_share=0.75)
    lines = quantities(provisioned.bill(scenario, prices()))
    assert lines == pytest.approx(
        {
            "kept ready": 2 * 2 * hours,
            "INIT of these": 2 * 200 / 4 * 2 * 2,
            "duration": 1.5 * MONTH * (1 - b2) * 2 * 0.5,
            "requests": 1.5 * MONTH * (1 - b2),
            "overflow duration": 1.5 * MONTH * b2 * 2 * 0.5,
            "overflow INIT": 1.5 * MONTH * b2 * 2 * 0.1 * 2,
            "overflow requests": 1.5 * MONTH * b2,
            "other hours duration": 0.5 * MONTH * 2 * 0.5,
            "other hours INIT": 0.5 * MONTH * 2 * 0.1 * 2,
            "other hours requests": 0.5 * MONTH,
        }
    )


def test_the_requests_are_spread_over_all_hours_unless_it_is_said_otherwise() -> None:
    half, all_day = (
        quantities(provisioned.bill(at(**ONE_ERLANG, provisioned=2.0, provisioned_hours=hours), prices()))
        for hours in (365.0, 730.0)
    )
    assert half["overflow requests"] == pytest.approx(all_day["overflow requests"] / 2)
    assert half["other hours requests"] == pytest.approx(MONTH)
    assert "other hours requests" not in all_day


@pytest.mark.parametrize(
    ("hours", "lifetime", "starts"), [(730.0, 4.0, 182.5), (100.0, 4.0, 730 / 24), (1.0, 1.0, 730 / 24)]
)
def test_environments_are_initialized_when_they_are_replaced_and_each_day_that_they_are_kept(
    hours: float, lifetime: float, starts: float
) -> None:
    scenario = at(**ONE_ERLANG, provisioned=3.0, provisioned_hours=hours, lifetime_hours=lifetime)
    assert quantities(provisioned.bill(scenario, prices()))["INIT of these"] == pytest.approx(3 * starts * 2 * 2)


# EFS


def test_efs_stores_what_is_mounted_and_reads_the_model_at_each_cold_start() -> None:
    bill = efs.bill(at(efs_gb=1.5, model_mb=536.870912), prices())
    assert quantities(bill) == pytest.approx(
        {
            "Lambda duration": 400_000,
            "Lambda INIT": 200_000,
            "Lambda requests": 1e6,
            "EFS storage": 1.5,
            "EFS reads": 1e6 * 0.1 * 0.5,
        }
    )
    assert dollars(bill) == pytest.approx(
        {
            "Lambda duration": 8,
            "Lambda INIT": 4,
            "Lambda requests": 0.3,
            "EFS storage": 1.5 * 0.3,
            "EFS reads": 50_000 * 0.03,
        }
    )


def test_efs_stores_the_model_unless_told_otherwise() -> None:
    assert quantities(efs.bill(at(model_mb=536.870912), prices()))["EFS storage"] == pytest.approx(0.5)


def test_the_init_that_mounts_efs_is_billed_where_it_is_known() -> None:
    usual, longer = (efs.bill(at(efs_init_seconds=seconds), prices()) for seconds in (None, 12.0))

    assert quantities(longer)["Lambda INIT"] > quantities(usual)["Lambda INIT"]
    assert any("INIT takes longer than 10 s" in problem.text and problem.where for problem in longer.problems)
    assert not any("INIT takes longer" in problem.text and problem.where for problem in usual.problems)


# WebSocket


def test_a_websocket_is_paid_by_32_kb_both_ways_and_by_the_minute() -> None:
    bill = websocket.bill(at(message_kb=32.1, answer_kb=1.0, connection_seconds=90.0, image_gb=2.0), prices())
    assert quantities(bill) == pytest.approx(
        {
            "Lambda duration": 400_000,
            "Lambda INIT": 200_000,
            "Lambda requests": 1e6,
            "WebSocket messages": 1e6 * (2 + 1),
            "WebSocket minutes": 1e6 * 1.5,
            "container image": 2,
        }
    )
    assert dollars(bill) == pytest.approx(
        {
            "Lambda duration": 8,
            "Lambda INIT": 4,
            "Lambda requests": 0.3,
            "WebSocket messages": 3e6 * 1e-6,
            "WebSocket minutes": 1.5e6 * 2.5e-7,
            "container image": 0.2,
        }
    )


@pytest.mark.parametrize(("kb", "messages"), [(0.5, 1), (32.0, 1), (32.5, 2), (64.0, 2), (128.0, 4)])
def test_a_message_is_billed_in_steps_of_32_kb(kb: float, messages: int) -> None:
    sent = quantities(websocket.bill(at(message_kb=kb, answer_kb=0.5), prices()))["WebSocket messages"]
    answered = quantities(websocket.bill(at(message_kb=0.5, answer_kb=kb), prices()))["WebSocket messages"]
    assert sent == answered == 1e6 * (messages + 1)


def test_a_file_sent_through_the_socket_needs_no_bucket() -> None:
    bill = websocket.bill(at(send_files=True, file_mb=0.1, shared_lines=True), prices())
    assert quantities(bill)["WebSocket messages"] == 1e6 * (4 + 1)  # 102.4 KB
    assert {"DynamoDB writes", "logs"} < set(dollars(bill))
    assert not any(name.startswith("S3") for name in dollars(bill))
    by_address = dollars(websocket.bill(at(file_mb=0.1, shared_lines=True), prices()))
    assert {"S3 uploads", "S3 downloads", "S3 storage"} < set(by_address)


def test_refuses_a_message_of_more_than_128_kb() -> None:
    assert websocket.bill(at(send_files=True, file_mb=0.131072), prices()).is_possible
    too_large = websocket.bill(at(send_files=True, file_mb=0.2097152), prices())
    assert not too_large.is_possible
    assert reasons(too_large, fatal=True) == ["A message of 205 KB is over WebSocket's limit of 128 KB."]
    assert websocket.bill(at(file_mb=0.2), prices()).is_possible
    assert not websocket.bill(at(message_kb=129.0), prices()).is_possible


def test_refuses_an_answer_of_more_than_128_kb() -> None:
    assert not websocket.bill(at(answer_kb=129.0), prices()).is_possible


# From a container image


def test_an_image_is_billed_as_a_zip_file_and_stored_in_ecr() -> None:
    bill = container.bill(at(image_gb=0.5), prices())
    assert quantities(bill) == pytest.approx({**quantities(standard.bill(MILLION, prices())), "container image": 0.5})
    assert dollars(container.bill(at(image_gb=0.5), prices(US_EAST_1)))["container image"] == pytest.approx(0.05)


def test_the_init_of_an_image_is_billed_where_it_is_known() -> None:
    bill = container.bill(at(container_init_seconds=12.0), prices())
    assert quantities(bill)["Lambda INIT"] == pytest.approx(12 * 200_000)
    assert reasons(bill, fatal=False) == reasons(standard.bill(at(init_seconds=12.0), prices()), fatal=False) != []


def test_an_image_with_snapstart_is_billed_as_snapstart_and_has_no_limit_of_its_init() -> None:
    scenario = at(image_snap_start=True, image_gb=0.5, container_init_seconds=12.0, snapstart_warm_seconds=0.3)
    bill = container.bill(scenario, prices())
    assert quantities(bill) == pytest.approx({**quantities(snapstart.bill(scenario, prices())), "container image": 0.5})
    assert reasons(bill, fatal=False) == []


def test_what_is_too_large_for_a_zip_file_fits_into_an_image() -> None:
    large = at(model_on_efs=True)
    assert container.bill(large, prices()).is_possible
    assert not standard.bill(large, prices()).is_possible
