"""The variants that are instances, and SageMaker Serverless: each worked out by hand, with its limits."""

import math

import numpy as np
import pytest

from crossover.cost.scenario import Scenario
from crossover.cost.variants import VARIANTS, ec2, endpoint, serverless
from crossover.errors import UsageError
from tests.crossover.cost.by_hand import dollars, prices, quantities, reasons

MONTH = 730 * 3600.0  # s

# Ten requests of 0.2 CPU-s a second: 2 CPU-s a second. A proxy of 1/8 GB that takes 0.15 s, 0.5 s more when cold.
TEN_PER_SECOND = Scenario(
    requests=10 * MONTH,
    cpu_seconds=0.2,
    cold_share=0.1,
    proxy_seconds=0.15,
    proxy_init_seconds=0.5,
    proxy_memory_mb=128.0,
    message_kb=0.5,
    answer_kb=2.0,
    shared_lines=False,
)
PROXY = {
    "proxy duration": 10 * MONTH / 8 * 0.15,
    "proxy INIT": 10 * MONTH / 8 * 0.1 * 0.5,
    "proxy requests": 10 * MONTH,
}
PROXY_USD = {
    "proxy duration": 10 * MONTH / 8 * 0.15 * 2e-5,
    "proxy INIT": 10 * MONTH / 8 * 0.1 * 0.5 * 2e-5,
    "proxy requests": 10 * MONTH * 3e-7,
}
QUEUE = {"queue requests": 3 * 10 * MONTH, "queue polling": 5 * 180 * 730}
KB_A_GB = 1024 * 1024


def at(**settings: object) -> Scenario:
    return Scenario(**{**vars(TEN_PER_SECOND), **settings})


# SageMaker


def test_an_endpoint() -> None:
    # 0.4 vCPU sustained, 65 % of them: 2 / 0.26 = 7.7.
    bill = endpoint.bill(at(volume_gb=20.0), prices())
    assert quantities(bill) == pytest.approx(
        {
            "ml.t2.medium instances": 8 * 730,
            "volumes": 8 * 20,
            "data in": 10 * MONTH * 0.5 / KB_A_GB,
            "data out": 10 * MONTH * 2.0 / KB_A_GB,
            **PROXY,
            **QUEUE,
        }
    )
    assert dollars(bill) == pytest.approx(
        {
            "ml.t2.medium instances": 8 * 730 * 0.06,
            "volumes": 8 * 20 * 0.14,
            "data in": 10 * MONTH * 0.5 / KB_A_GB * 0.016,
            "data out": 10 * MONTH * 2.0 / KB_A_GB * 0.032,
            **PROXY_USD,
            **{name: amount * 7e-7 for name, amount in QUEUE.items()},
        }
    )
    assert bill.instances == 8
    assert bill.is_possible
    assert not bill.assumes_one_instance


def test_the_instance_of_an_endpoint_is_a_setting() -> None:
    bill = endpoint.bill(at(instance_type="ml.c5.large"), prices())
    assert dollars(bill)["ml.c5.large instances"] == pytest.approx(2 * 730 * 0.11)  # 2 / 1.3 = 1.5
    with pytest.raises(UsageError, match=r"The instance_type is 'c5.large'; it must be one of ml"):
        endpoint.bill(at(instance_type="c5.large"), prices())


def test_the_published_assumption_is_marked_and_possible() -> None:
    for name in ("sagemaker", "ec2-c5.large"):
        bill = VARIANTS[name].bill(at(single_instance=True), prices())
        assert bill.instances == 1
        assert bill.assumes_one_instance
        assert bill.is_possible
        assert not VARIANTS[name].bill(TEN_PER_SECOND, prices()).assumes_one_instance
    said = reasons(endpoint.bill(at(single_instance=True), prices()), fatal=False)
    assert said == ["One instance whatever the load, as in the published tables: for comparison."]


def test_too_few_instances_are_impossible() -> None:
    bill = endpoint.bill(at(instances=7.0), prices())
    assert not bill.is_possible
    assert bill.comparable == np.inf
    assert reasons(bill, fatal=True) == ["8 instances are needed, not 7."]
    assert dollars(bill)["ml.t2.medium instances"] == pytest.approx(7 * 730 * 0.06)
    more = endpoint.bill(at(instances=9.0), prices())
    assert more.is_possible
    assert more.instances == 9


def test_burstable_instances_are_not_scaled_automatically() -> None:
    (said,) = reasons(endpoint.bill(at(autoscaling=True), prices()), fatal=True)
    assert said == "SageMaker does not scale burstable instances such as ml.t2.medium automatically."
    assert endpoint.bill(at(autoscaling=True, instance_type="ml.c5.large"), prices()).is_possible


def test_files_sent_in_requests_are_billed_and_limited() -> None:
    six = endpoint.bill(at(send_files=True, file_mb=6.291456), prices())
    assert six.is_possible
    assert quantities(six)["data in"] == pytest.approx(10 * MONTH * 6 / 1024)
    larger = endpoint.bill(at(send_files=True, file_mb=6.5), prices())
    assert reasons(larger, fatal=True) == ["A file of 6.5 MB is over the limit of 6.29 MB."]
    assert endpoint.bill(at(file_mb=6.5), prices()).is_possible


def test_a_prediction_of_more_than_a_minute_is_cut_off() -> None:
    assert endpoint.bill(at(requests=1000.0, cpu_seconds=60.0), prices()).is_possible
    assert not endpoint.bill(at(requests=1000.0, cpu_seconds=60.1), prices()).is_possible


def test_an_x86_container_does_not_run_on_arm_and_does_not_use_a_gpu() -> None:
    assert reasons(endpoint.bill(at(instance_type="ml.c7g.large"), prices()), fatal=True) == [
        "ml.c7g.large is arm64; the container is built for x86_64."
    ]
    gpu = endpoint.bill(at(instance_type="ml.g4dn.xlarge"), prices())
    assert gpu.is_possible
    assert any("does not use the GPU" in said for said in reasons(gpu, fatal=False))
    for kind in ("ml.t2.medium", "ml.c5.large"):
        assert reasons(endpoint.bill(at(instance_type=kind), prices()), fatal=False) == []


# SageMaker Serverless


def test_serverless_is_paid_by_the_gb_second() -> None:
    bill = serverless.bill(at(serverless_memory_mb=2048.0, serverless_seconds=0.3001), prices())
    assert quantities(bill) == pytest.approx(
        {
            "SageMaker Serverless duration": 10 * MONTH * 2 * 0.301,
            "data in": 10 * MONTH * 0.5 / KB_A_GB,
            "data out": 10 * MONTH * 2.0 / KB_A_GB,
            **PROXY,
        }
    )
    assert dollars(bill)["SageMaker Serverless duration"] == pytest.approx(10 * MONTH * 2 * 0.301 * 3e-5)
    assert bill.instances is None


def test_serverless_duration_depends_on_its_own_memory() -> None:
    scenario = at(warm_seconds=9.0, cpu_seconds=0.3, wait_seconds=0.05, serverless_memory_mb=1024.0)
    lines = quantities(serverless.bill(scenario, prices()))
    assert lines["SageMaker Serverless duration"] == pytest.approx(10 * MONTH * 0.569)  # 0.05 + 0.3 x 1769 / 1024


def test_a_serverless_endpoint_runs_200_at_once() -> None:
    assert serverless.bill(at(serverless_seconds=20.0), prices()).is_possible
    for beyond in (at(serverless_seconds=20.1), at(serverless_seconds=10.0, peak_factor=2.01)):
        bill = serverless.bill(beyond, prices())
        assert reasons(bill, fatal=True) == ["About 201 run at once; a serverless endpoint allows 200."]


def test_serverless_accepts_4_mb() -> None:
    assert serverless.bill(at(send_files=True, file_mb=4.194304), prices()).is_possible
    larger = serverless.bill(at(send_files=True, file_mb=5.0), prices())
    assert reasons(larger, fatal=True) == ["A file of 5 MB is over the limit of 4.19 MB."]
    assert quantities(larger)["data in"] == pytest.approx(10 * MONTH * 5e6 / 2**30)


def test_serverless_cuts_off_after_a_minute_too() -> None:
    assert not serverless.bill(at(requests=1000.0, cpu_seconds=61.0), prices()).is_possible


# EC2


def test_a_burstable_server_pays_for_what_it_uses_above_its_baseline() -> None:
    # All its 2 vCPUs can be had for money: 2 / 1.3 = 1.5. Two sustain 0.8 of the 2 that are used.
    bill = VARIANTS["ec2-t3.medium"].bill(at(disk_gb=10.0), prices())
    gb_per_hour = 10 * 3600 * 2.5 / KB_A_GB
    assert gb_per_hour > 10 / 800
    assert quantities(bill) == pytest.approx(
        {
            "t3.medium instances": 2 * 730,
            "disks": 2 * 10,
            "public IPv4": 2 * 730,
            "surplus credits": (2 - 0.8) * 730,
            "load balancer": 730,
            "load balancer capacity": gb_per_hour * 730,
            **PROXY,
        }
    )
    assert dollars(bill) == pytest.approx(
        {
            "t3.medium instances": 2 * 730 * 0.04,
            "disks": 2 * 10 * 0.083,
            "public IPv4": 2 * 730 * 0.005,
            "surplus credits": (2 - 0.8) * 730 * 0.05,
            "load balancer": 730 * 0.02,
            "load balancer capacity": gb_per_hour * 730 * 0.006,
            **PROXY_USD,
        }
    )
    assert bill.instances == 2


def test_credits_are_billed_on_the_monthly_mean_at_the_familys_price() -> None:
    # The busiest hour needs 4 instances, 4 / 1.3 = 3.1, which sustain 1.6 vCPUs.
    bill = VARIANTS["ec2-t4g.medium"].bill(at(peak_factor=2.0), prices())
    assert bill.instances == 4
    assert dollars(bill)["surplus credits"] == pytest.approx((2 - 1.6) * 730 * 0.041)


def test_unused_burstable_capacity_is_not_credited() -> None:
    bill = dollars(VARIANTS["ec2-t4g.small"].bill(at(requests=MONTH, cpu_seconds=0.3), prices()))
    assert bill["surplus credits"] == 0


def test_a_server_that_is_not_burstable_has_no_credits() -> None:
    bill = dollars(VARIANTS["ec2-c5.large"].bill(TEN_PER_SECOND, prices()))
    assert "surplus credits" not in bill
    assert bill["c5.large instances"] == pytest.approx(2 * 730 * 0.08)


def test_capacity_units_follow_the_larger_of_connections_and_gigabytes() -> None:
    small = VARIANTS["ec2-c5.large"].bill(at(message_kb=0.05, answer_kb=0.05, peak_factor=3.0), prices())
    assert quantities(small)["load balancer capacity"] == pytest.approx(10 / 800 * 730)
    large = VARIANTS["ec2-c5.large"].bill(at(message_kb=98.0, peak_factor=3.0), prices())
    assert quantities(large)["load balancer capacity"] == pytest.approx(10 * 3600 * 100 / KB_A_GB * 730)
    files = VARIANTS["ec2-c5.large"].bill(at(send_files=True, file_mb=2.097152), prices())
    assert quantities(files)["load balancer capacity"] == pytest.approx(10 * 3600 * (2 / 1024 + 2 / KB_A_GB) * 730)


def test_servers_pay_for_a_vpcs_gateways() -> None:
    bill = dollars(VARIANTS["ec2-c5.large"].bill(at(nat_gateways=1.0), prices()))
    assert bill["NAT gateways"] == pytest.approx(730 * 0.05)


def test_an_arm_server_is_possible_with_another_container() -> None:
    for name, is_arm in (("t4g.small", True), ("t4g.medium", True), ("c7g.large", True), ("c5.large", False)):
        bill = ec2.bill(TEN_PER_SECOND, prices(), instance_type=name)
        assert bill.is_possible
        assert ("It is arm64; the container is built for x86_64." in reasons(bill, fatal=False)) is is_arm


def test_servers_follow_the_settings_of_instances() -> None:
    c5 = VARIANTS["ec2-c5.large"]
    assert c5.bill(at(min_instances=5.0), prices()).instances == 5
    assert c5.bill(at(utilisation=0.9), prices()).instances == math.ceil(2 / 1.8)
    assert not c5.bill(at(instances=1.0), prices()).is_possible
    assert c5.bill(at(peak_factor=4.0), prices()).instances == math.ceil(8 / 1.3)
    assert c5.bill(at(peak_factor=4.0, autoscaling=True), prices()).instances == 2
