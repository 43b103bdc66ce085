"""A flat rent and a price per call."""

import numpy as np
import pytest

from crossover.cost.scenario import CallPrice, Rent, Scenario
from crossover.cost.variants import flat
from tests.crossover.cost.by_hand import dollars, prices, quantities, reasons

MONTH = 730 * 3600.0  # s


def test_a_rent_in_another_currency() -> None:
    bill = flat.rent(Scenario(rent=Rent(amount=750, currency="EUR", usd=1.1), shared_lines=False), prices())
    assert quantities(bill) == {"rent": 1}
    assert dollars(bill) == pytest.approx({"rent": 825})
    assert bill.lines[0].price.source == "given: 750 EUR at 1.1 USD"
    assert bill.assumes_one_instance  # for want of its size
    assert bill.instances == 1


def test_a_rent_of_known_size_may_be_needed_several_times() -> None:
    # 10 requests of 0.5 CPU-s a second: 5, and half more in the busiest hour; 4 vCPUs at 65 % hold 2.6.
    scenario = Scenario(
        requests=10 * MONTH, cpu_seconds=0.5, peak_factor=1.5, rent=Rent(amount=100, vcpus=4), shared_lines=False
    )
    bill = flat.rent(scenario, prices())
    assert dollars(bill) == pytest.approx({"rent": 300})
    assert bill.instances == 3
    assert not bill.assumes_one_instance
    assert bill.is_possible


@pytest.mark.parametrize(
    ("vcpus", "a_second", "rents"), [(0.5, 0.32, 1), (0.5, 0.33, 2), (2.5, 1.62, 1), (2.5, 1.63, 2)]
)
def test_a_fraction_of_a_vcpu_can_be_rented(vcpus: float, a_second: float, rents: int) -> None:
    # At 65 %, 0.5 vCPU holds 0.325 CPU-s a second and 2.5 hold 1.625.
    scenario = Scenario(requests=a_second * MONTH, cpu_seconds=1.0, waiting=1.0, rent=Rent(amount=10, vcpus=vcpus))
    assert flat.rented(scenario) == rents


def test_a_fraction_of_a_vcpu_takes_one_request_at_a_time() -> None:
    # Busy for 0.45 s of each, so that 0.45 of the requests wait.
    half = {"cpu_seconds": 0.45, "utilisation": 1.0, "rent": Rent(amount=10, vcpus=0.5)}
    assert flat.rented(Scenario(requests=MONTH, waiting=0.46, **half)) == 1  # type: ignore[arg-type]
    assert flat.rented(Scenario(requests=MONTH, waiting=0.44, **half)) == 2  # type: ignore[arg-type]


def test_one_rent_whatever_the_load_is_marked() -> None:
    scenario = Scenario(requests=1e9, cpu_seconds=1.0, rent=Rent(amount=100, vcpus=4), single_instance=True)
    bill = flat.rent(scenario, prices())
    assert bill.instances == 1
    assert bill.assumes_one_instance


def test_too_large_a_load_cannot_be_rented() -> None:
    # 9,999.9, 10,000.1 and many times 4 vCPUs at half their use.
    load = np.array([19_999.8, 20_000.2, 3e5])
    scenario = Scenario(
        requests=load * MONTH, cpu_seconds=1.0, utilisation=0.5, waiting=1.0, rent=Rent(amount=100, vcpus=4)
    )
    assert np.asarray(flat.rent(scenario, prices()).is_possible).tolist() == [True, False, False]


def test_a_price_per_call() -> None:
    scenario = Scenario(requests=50_000.0, call_price=CallPrice(amount=0.02, currency="EUR", usd=1.5), log_kb=1024.0)
    bill = flat.call_price(scenario, prices())
    assert quantities(bill)["calls"] == 50_000
    assert dollars(bill)["calls"] == pytest.approx(50_000 * 0.02 * 1.5)
    assert dollars(bill)["logs"] == pytest.approx(50_000 / 1024 * 0.5)
    assert bill.instances is None
    assert not bill.assumes_one_instance


def test_a_variant_without_a_price_is_impossible() -> None:
    for variant in (flat.rent, flat.call_price):
        bill = variant(Scenario(), prices())
        assert bill.lines == ()
        assert not bill.is_possible
        assert reasons(bill, fatal=True) == ["No such price is given."]
