"""What several variants have: time and requests of a function, the free tier, discounts, shared lines, the network."""

import numpy as np
import pytest

from crossover.cost.scenario import CallPrice, Rent, Scenario
from crossover.cost.variants import VARIANTS, efs, endpoint, provisioned, snapstart, standard, websocket
from crossover.errors import UsageError
from tests.crossover.cost.by_hand import dollars, prices, quantities, reasons

# 2 GB, 0.2 s warm, 1 s of INIT for one in ten.
MILLION = Scenario(
    requests=1e6, memory_mb=2048.0, warm_seconds=0.2, init_seconds=1.0, cold_share=0.1, shared_lines=False
)
WARM_GB_SECONDS = 1e6 * 2 * 0.2
INIT_GB_SECONDS = 1e6 * 2 * 0.1 * 1.0


def at(**settings: object) -> Scenario:
    return Scenario(**{**vars(MILLION), **settings})


def test_init_is_billed_and_shares_tiers_and_free_tier_with_durations() -> None:
    tiers = prices({"lambda.gb_second": [(0, 2e-5), (500_000, 1e-5)]})
    bill = dollars(standard.bill(MILLION, tiers))
    assert WARM_GB_SECONDS == 400_000
    assert bill["Lambda duration"] == pytest.approx(400_000 * 2e-5)
    assert bill["Lambda INIT"] == pytest.approx(100_000 * 2e-5 + 100_000 * 1e-5)


def test_the_free_tier_reduces_gb_seconds_and_requests() -> None:
    bill = standard.bill(at(requests=1.5e6, free_tier=True), prices())
    assert quantities(bill) == pytest.approx(
        {"Lambda duration": 600_000, "Lambda INIT": 300_000, "Lambda requests": 1.5e6}
    )
    assert dollars(bill) == pytest.approx(
        {"Lambda duration": 200_000 * 2e-5, "Lambda INIT": 300_000 * 2e-5, "Lambda requests": 0.5e6 * 3e-7}
    )


def test_init_uses_the_free_tier_that_warm_time_leaves() -> None:
    # 300,000 GB-s warm, 150,000 of INIT: 100,000 of those are free too.
    bill = dollars(standard.bill(at(requests=0.75e6, free_tier=True), prices()))
    assert bill == pytest.approx({"Lambda duration": 0, "Lambda INIT": 50_000 * 2e-5, "Lambda requests": 0})
    assert standard.bill(at(requests=0.5e6, free_tier=True), prices()).usd == 0


def test_the_tiers_begin_after_the_free_tier() -> None:
    tiers = prices({"lambda.gb_second": [(0, 2e-5), (100_000, 1e-5)]})
    bill = dollars(standard.bill(at(requests=1.5e6, cold_share=0.0, free_tier=True), tiers))
    assert bill["Lambda duration"] == pytest.approx(100_000 * 2e-5 + 100_000 * 1e-5)


@pytest.mark.parametrize("name", VARIANTS)
def test_on_arm64_the_time_of_functions_costs_less_and_nothing_else_does(name: str) -> None:
    settings = {"provisioned": 3.0, "cold_share": 0.1, "shared_lines": True, "rent": Rent(amount=1.0)}
    settings |= {"call_price": CallPrice(amount=1.0)}
    x86, arm = (
        dollars(VARIANTS[name].bill(at(**settings, architecture=architecture), prices()))
        for architecture in ("x86_64", "arm64")
    )
    factors = {"kept ready": 3 / 4, "duration": 8 / 10}
    expected = {line: usd * factors.get(line, 0.8 if line in TIMES else 1.0) for line, usd in x86.items()}
    assert arm == pytest.approx(expected)


@pytest.mark.parametrize("name", VARIANTS)
def test_with_a_queue_the_variants_that_are_deployed_here_have_its_requests(name: str) -> None:
    settings = {"provisioned": 3.0, "rent": Rent(amount=1.0), "call_price": CallPrice(amount=1.0)}
    direct, queued = (VARIANTS[name].bill(at(**settings, ingest=ingest), prices()) for ingest in ("direct", "queue"))
    expected = {"queue requests": 3e6, "queue polling": 5 * 730 * 180} if VARIANTS[name].is_deployable else {}
    assert quantities(queued) == pytest.approx(quantities(direct) | expected)
    assert queued.usd - direct.usd == pytest.approx(sum(expected.values()) * 7e-7)


def test_polls_and_then_requests_of_a_queue_use_its_free_tier() -> None:
    bill = dollars(standard.bill(at(requests=1e6, ingest="queue", free_tier=True), prices()))
    assert bill["queue polling"] == 0
    assert bill["queue requests"] == pytest.approx((3e6 - (1e6 - 657_000)) * 7e-7)


def test_how_uploads_come_is_direct_or_queue() -> None:
    with pytest.raises(UsageError, match=r"The ingest is 'stream'; it must be direct or queue\."):
        at(ingest="stream")


def test_the_free_tier_is_an_option() -> None:
    assert dollars(standard.bill(MILLION, prices()))["Lambda requests"] == pytest.approx(0.3)


def test_durations_are_rounded_with_and_without_init() -> None:
    # 204.1 ms are billed as 205, and with 0.5 ms of INIT still as 205; with 1 ms of it as 206.
    for init_ms, added in ((0.5, 0.0), (1.0, 0.001)):
        lines = quantities(standard.bill(at(warm_seconds=0.2041, init_seconds=init_ms / 1000), prices()))
        assert lines["Lambda duration"] == pytest.approx(1e6 * 2 * 0.205)
        assert lines["Lambda INIT"] == pytest.approx(1e6 * 2 * 0.1 * added, abs=1e-6)
    exact = quantities(standard.bill(at(warm_seconds=0.2041, init_seconds=0.0005, billing_ms=0.0), prices()))
    assert exact["Lambda duration"] == pytest.approx(1e6 * 2 * 0.2041)
    assert exact["Lambda INIT"] == pytest.approx(1e6 * 2 * 0.1 * 0.0005)


TIMES = {"Lambda duration", "Lambda INIT", "Lambda restoring", "proxy duration", "proxy INIT"}
TIMES |= {"kept ready", "INIT of these", "duration", "overflow duration", "overflow INIT"}


@pytest.mark.parametrize("name", VARIANTS)
def test_each_discount_applies_to_what_it_says_only(name: str) -> None:
    settings = {"provisioned": 3.0, "cold_share": 0.1, "shared_lines": True, "nat_gateways": 1.0, "vpc_endpoints": 1.0}
    instances = {"sagemaker_discount": {"ml.t2.medium instances"} if name == "sagemaker" else set()}
    instances["ec2_discount"] = {f"{name.removeprefix('ec2-')} instances"} if name.startswith("ec2-") else set()
    full = dollars(VARIANTS[name].bill(at(**settings), prices()))
    for discount, reduced in {"lambda_discount": TIMES, **instances}.items():
        less = dollars(VARIANTS[name].bill(at(**settings, **{discount: 0.2}), prices()))
        assert less == pytest.approx({line: usd * (0.8 if line in reduced else 1) for line, usd in full.items()})
        assert not instances.get(discount) or instances[discount] < set(full)


def test_every_variant_has_files_items_and_logs() -> None:
    # 2 MB a file, kept for a quarter of a year: what comes in three months is what is stored.
    scenario = Scenario(requests=1_024_000.0, file_mb=2.097152, storage_days=365 / 4, item_kb=2.1, log_kb=1024.0)
    shared = {
        "S3 uploads": (1_024_000, 1_024_000 * 5e-6),
        "S3 downloads": (1_024_000, 1_024_000 * 4e-7),
        "S3 storage": (6000, 6000 * 0.02),
        "DynamoDB writes": (1_024_000 * 3, 1_024_000 * 3 * 6e-7),
        "logs": (1000, 1000 * 0.5),
    }
    for name, variant in VARIANTS.items():
        if name in ("rent", "call-price"):
            continue  # need a price: tested where they are
        bill = variant.bill(scenario, prices())
        assert {line: quantities(bill)[line] for line in shared} == pytest.approx(
            {line: quantity for line, (quantity, _) in shared.items()}
        )
        assert {line: dollars(bill)[line] for line in shared} == pytest.approx(
            {line: usd for line, (_, usd) in shared.items()}
        )


@pytest.mark.parametrize("name", VARIANTS)
def test_the_shared_lines_can_be_left_out(name: str) -> None:
    with_them, without = (
        dollars(VARIANTS[name].bill(at(shared_lines=shared, provisioned=3.0), prices())) for shared in (True, False)
    )
    shared = {"S3 uploads", "S3 downloads", "S3 storage", "DynamoDB writes", "logs"}
    assert not shared & set(without)
    assert without == pytest.approx({line: usd for line, usd in with_them.items() if line not in shared})


def test_storage_gets_cheaper_by_the_tier() -> None:
    tiers = prices({"s3.storage_gb_month": [(0, 0.03), (600, 0.01)]})
    scenario = Scenario(requests=1_024_000.0, file_mb=1.048576, storage_days=365 / 12)
    assert dollars(standard.bill(scenario, tiers))["S3 storage"] == pytest.approx(600 * 0.03 + 400 * 0.01)


def test_5_gb_of_logs_are_free() -> None:
    scenario = Scenario(requests=8.0 * 1024 * 1024, log_kb=1.0, free_tier=True)
    bill = standard.bill(scenario, prices())
    assert quantities(bill)["logs"] == pytest.approx(8)
    assert dollars(bill)["logs"] == pytest.approx(3 * 0.5)
    assert dollars(bill)["S3 uploads"] == pytest.approx(8 * 1024 * 1024 * 5e-6)  # nothing of these is free


def test_nat_gateways_and_interface_endpoints_are_paid_by_the_hour_where_there_are_any() -> None:
    bill = efs.bill(at(nat_gateways=2.0, vpc_endpoints=3.0), prices())
    assert quantities(bill)["NAT gateways"] == pytest.approx(2 * 730)
    assert dollars(bill)["NAT gateways"] == pytest.approx(2 * 730 * 0.05)
    assert quantities(bill)["VPC endpoints"] == pytest.approx(3 * 730)
    assert dollars(bill)["VPC endpoints"] == pytest.approx(3 * 730 * 0.01)
    assert not {"NAT gateways", "NAT data", "VPC endpoints"} & set(dollars(efs.bill(MILLION, prices())))


@pytest.mark.parametrize(
    "name", ["standard", "snapstart", "sagemaker", "provisioned", "efs", "websocket", "ec2-c5.large"]
)
def test_the_network_is_billed_in_every_variant_that_can_use_one(name: str) -> None:
    lines = dollars(VARIANTS[name].bill(at(nat_gateways=1.0, vpc_endpoints=1.0, provisioned=1.0), prices()))
    assert lines["NAT gateways"] == pytest.approx(730 * 0.05)
    assert lines["VPC endpoints"] == pytest.approx(730 * 0.01)


def test_requests_to_an_instance_pass_the_interface_endpoint_or_else_the_nat_gateway() -> None:
    gb = 1e6 * (0.5 + 1.0) / 2**20
    by_nat = dollars(endpoint.bill(at(nat_gateways=1.0), prices()))
    assert by_nat["NAT data"] == pytest.approx(gb * 0.045)
    by_endpoint = dollars(endpoint.bill(at(nat_gateways=1.0, vpc_endpoints=1.0), prices()))
    assert by_endpoint["NAT data"] == 0
    assert by_endpoint["VPC endpoint data"] == pytest.approx(gb * 0.02)


def test_a_websocket_waits_for_29_seconds() -> None:
    assert websocket.bill(at(warm_seconds=29.0), prices()).is_possible
    assert not websocket.bill(at(warm_seconds=29.1), prices()).is_possible


def test_exceeding_the_accounts_concurrency_is_a_warning() -> None:
    # 0.2 s each: 5,000 a second are 1,000 at once.
    most = 5000 * 2_628_000.0
    assert reasons(standard.bill(at(requests=most), prices()), fatal=False) == []
    beyond = standard.bill(at(requests=most * 1.001), prices())
    assert reasons(beyond, fatal=False) == ["About 1,001 run at once; an account allows 1,000 unless raised."]
    assert beyond.is_possible
    assert reasons(standard.bill(at(requests=most / 2, peak_factor=2.002), prices()), fatal=False) != []


@pytest.mark.parametrize("bill", [standard.bill, snapstart.bill, efs.bill, provisioned.bill])
def test_an_invocation_ends_after_15_minutes(bill: object) -> None:
    assert bill(at(warm_seconds=900.0), prices()).is_possible  # type: ignore[operator]
    # 400 CPU-s on a quarter of a vCPU.
    too_long = at(warm_seconds=None, cpu_seconds=400.0, memory_mb=1769 / 4, provisioned=1.0)
    assert too_long.warm() > 1600
    assert not bill(too_long, prices()).is_possible  # type: ignore[operator]


def test_a_slow_init_is_repeated() -> None:
    for bill in (standard.bill, provisioned.bill):
        assert reasons(bill(at(init_seconds=10.0), prices()), fatal=False) == []
        slow = bill(at(init_seconds=10.1), prices())
        assert any(said.startswith("INIT takes longer than 10 s") for said in reasons(slow, fatal=False))
        assert slow.is_possible
    # SnapStart's INIT may take longer: it is done when the version is published.
    assert reasons(snapstart.bill(at(init_seconds=100.0), prices()), fatal=False) == []


def test_a_model_that_needs_efs_is_impossible_for_a_zip() -> None:
    mounted = at(model_on_efs=True, provisioned=3.0)
    for bill in (standard.bill, snapstart.bill, provisioned.bill):
        assert not bill(mounted, prices()).is_possible
    assert reasons(snapstart.bill(mounted, prices()), fatal=True) == ["SnapStart does not work with EFS."]
    for bill in (efs.bill, websocket.bill, endpoint.bill):
        assert bill(mounted, prices()).is_possible


def test_the_proxy_waits_for_the_prediction_however_long_it_takes() -> None:
    slow = at(cpu_seconds=10.0, warm_seconds=None, requests=1000.0, proxy_memory_mb=128.0)
    lines = quantities(endpoint.bill(slow, prices()))
    assert lines["proxy duration"] >= 1000 * 10 * 128 / 1024


def test_the_proxy_is_paid_as_a_function_of_its_own_size() -> None:
    proxied = at(proxy_seconds=0.1504, proxy_init_seconds=0.5, proxy_memory_mb=256.0, requests=4e6)
    bill = endpoint.bill(proxied, prices())
    expected = {"proxy duration": 4e6 * 0.25 * 0.151, "proxy INIT": 4e6 * 0.25 * 0.1 * 0.5, "proxy requests": 4e6}
    assert {line: quantities(bill)[line] for line in expected} == pytest.approx(expected)
    assert dollars(bill)["proxy duration"] == pytest.approx(4e6 * 0.25 * 0.151 * 2e-5)
    assert dollars(bill)["proxy INIT"] == pytest.approx(4e6 * 0.25 * 0.1 * 0.5 * 2e-5)
    assert dollars(bill)["proxy requests"] == pytest.approx(4e6 * 3e-7)


def test_an_array_of_settings_is_a_case_each() -> None:
    scenario = at(
        requests=np.array([1e6, 2e6]),
        nat_gateways=np.array([0.0, 1.0]),
        vpc_endpoints=np.array([0.0, 2.0]),
        lambda_discount=np.array([0, 0.5]),
        efs_gb=0.3,
    )
    usd = efs.bill(scenario, prices()).usd
    by_hand = [
        (WARM_GB_SECONDS + INIT_GB_SECONDS) * 2e-5 + 0.3 + 0.3 * 0.3 + 1e6 * 0.1 * 4.6e6 / 2**30 * 0.03,
        (WARM_GB_SECONDS + INIT_GB_SECONDS) * 2e-5 + 0.6 + 0.3 * 0.3 + 2e6 * 0.1 * 4.6e6 / 2**30 * 0.03 + 730 * 0.07,
    ]
    assert usd == pytest.approx(by_hand)
