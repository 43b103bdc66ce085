"""What holds for every variant."""

from typing import Any

import numpy as np
import pytest

from crossover.cost.scenario import CallPrice, Rent, Scenario
from crossover.cost.variants import VARIANTS
from tests.crossover.cost.by_hand import prices

TIERED = prices({"lambda.gb_second": [(0, 2e-5), (1e6, 1.5e-5)], "s3.storage_gb_month": [(0, 0.03), (100, 0.02)]})
RENT, CALL = Rent(amount=90, currency="EUR", usd=1.1, vcpus=4), CallPrice(amount=1e-4)


def random_settings(cases: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "requests": 10 ** random.uniform(3, 9, cases),
        "peak_factor": random.uniform(1, 10, cases),
        "file_mb": random.uniform(0, 8, cases),
        "item_kb": random.uniform(0.1, 5, cases),
        "cpu_seconds": 10 ** random.uniform(-2, 0, cases),
        "init_seconds": random.uniform(0, 15, cases),
        "memory_mb": random.uniform(128, 10_240, cases),
        "idle_seconds": random.uniform(60, 900, cases),
        "snapstart_versions": random.integers(0, 4, cases).astype(float),
        "provisioned_overflow": 10 ** random.uniform(-4, -1, cases),
        "provisioned_hours": random.choice([100.0, 730.0], cases),
        "provisioned_share": random.uniform(0, 1, cases),
        "nat_gateways": random.integers(0, 3, cases).astype(float),
        "message_kb": random.uniform(0.1, 200, cases),
        "min_instances": random.integers(1, 4, cases).astype(float),
        "utilisation": random.uniform(0.2, 1, cases),
        "waiting": random.uniform(0.01, 1, cases),
        "billing_ms": random.choice([0.0, 1.0, 100.0], cases),
        "lambda_discount": random.uniform(0, 1, cases),
    }


@pytest.mark.parametrize(
    "flags", [{}, {"free_tier": True, "send_files": True}, {"model_on_efs": True, "image_snap_start": True}]
)
@pytest.mark.parametrize("name", VARIANTS)
def test_the_bill_of_many_scenarios_is_that_of_each(name: str, flags: dict[str, Any]) -> None:
    bill, instances = VARIANTS[name].bill, VARIANTS[name].instances
    settings, cases = random_settings(40, seed=6), 40
    many = Scenario(**settings, **flags, rent=RENT, call_price=CALL)
    together = bill(many, TIERED)
    for number in range(cases):
        values: dict[str, Any] = {field: float(value[number]) for field, value in settings.items()}
        one = Scenario(**values, **flags, rent=RENT, call_price=CALL)
        alone = bill(one, TIERED)
        assert np.broadcast_to(together.comparable, cases)[number] == pytest.approx(alone.comparable, rel=1e-9)
        of_one = {line.name: line.usd for line in alone.lines}
        for line in together.lines:  # a network's lines stand there for all where one case has them
            usd = np.broadcast_to(line.usd, cases)[number]
            assert usd == pytest.approx(of_one.get(line.name, 0.0), rel=1e-9, abs=1e-9)
        if instances is not None:
            counted = np.broadcast_to(together.instances, cases)[number]  # type: ignore[arg-type]
            assert counted == alone.instances == instances(one)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("seed", range(5))
def test_more_requests_never_cost_less(name: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    # With a share of cold starts that stays: that of Poisson traffic falls, faster than a rare function's bill grows.
    scenario = Scenario(
        requests=np.geomspace(1e3, 1e9, 4001),
        cold_share=random.uniform(0, 1),
        cpu_seconds=10 ** random.uniform(-2, 0),
        memory_mb=random.uniform(128, 10_240),
        provisioned=float(random.integers(1, 50)),
        free_tier=bool(seed % 2),
        rent=RENT,
        call_price=CALL,
    )
    usd = np.asarray(VARIANTS[name].bill(scenario, TIERED).usd)
    assert np.all(np.diff(usd) >= -1e-9 * usd[1:])
    assert usd[-1] > usd[0]


@pytest.mark.parametrize("name", VARIANTS)
def test_no_line_costs_less_than_0(name: str) -> None:
    many = Scenario(**random_settings(200, seed=7), free_tier=True, rent=RENT, call_price=CALL)
    for line in VARIANTS[name].bill(many, TIERED).lines:
        assert np.all(np.asarray(line.usd) >= -1e-9), line.name
        assert np.all(np.asarray(line.quantity) >= 0), line.name
