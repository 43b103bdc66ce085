"""Third-party offers: a server for a flat monthly rent, and a service that is paid per call."""

import numpy as np

from crossover.cost.bill import Bill, Problem, line
from crossover.cost.capacity import MAX_INSTANCES, ONE_INSTANCE, instances_needed
from crossover.cost.numbers import Amount
from crossover.cost.prices import ANYWHERE, Price, Prices
from crossover.cost.scenario import CallPrice, Rent, Scenario
from crossover.cost.variants.common import shared_lines
from crossover.cost.variants.variant import Billing, Variant

NONE_GIVEN = Problem(text="No such price is given.")


def rent(scenario: Scenario, prices: Prices) -> Bill:
    """N rents. How the files get from S3 to the server is not counted."""
    if scenario.rent is None:
        return Bill(lines=(), problems=(NONE_GIVEN,))
    count = rented(scenario)
    return Bill(
        lines=(
            line("rent", count, _given("rent", scenario.rent, "month")),
            *shared_lines(scenario, prices),
        ),
        instances=count,
        assumes_one_instance=scenario.single_instance or scenario.rent.vcpus is None,
        problems=(
            *((ONE_INSTANCE,) if scenario.single_instance else ()),
            Problem(text=f"More than {MAX_INSTANCES:,} instances are needed.", where=count > MAX_INSTANCES),
        ),
    )


def call_price(scenario: Scenario, prices: Prices) -> Bill:
    """n calls."""
    if scenario.call_price is None:
        return Bill(lines=(), problems=(NONE_GIVEN,))
    calls = line("calls", scenario.requests, _given("call_price", scenario.call_price, "call"))
    return Bill(lines=(calls, *shared_lines(scenario, prices)))


def rented(scenario: Scenario) -> Amount:
    """How many are rented: one, where its size is not given."""
    vcpus = None if scenario.rent is None else scenario.rent.vcpus
    if vcpus is None or scenario.single_instance:
        return np.ones_like(np.asarray(scenario.requests), dtype=float)
    return instances_needed(
        scenario.peak_rate * scenario.cpu_seconds,
        vcpus=max(1, int(vcpus)),
        sustained_vcpus=vcpus,
        utilisation=scenario.utilisation,
        waiting=scenario.waiting,
    )


def _given(name: str, what: Rent | CallPrice, unit: str) -> Price:
    return Price(
        id=name,
        region=ANYWHERE,
        tiers=((0.0, what.amount * what.usd),),
        unit=f"USD/{unit}",
        source=f"given: {what.amount:g} {what.currency} at {what.usd:g} USD",
        date="undated",
        status="given",
    )


RENT = Variant(
    name="rent",
    title="flat rent",
    formula="N rents, in any currency",
    bill=rent,
    billing=Billing.ALWAYS_ON,
    instances=rented,
    needs="rent",
    group="Rent",
    colour="black",
    dash="solid",
)
CALL_PRICE = Variant(
    name="call-price",
    title="paid per call",
    formula="n calls, in any currency",
    bill=call_price,
    billing=Billing.PER_CALL,
    needs="call_price",
    colour="black",
    dash="dot",
)
