"""A Lambda function, paid by the request."""

from crossover.cost.bill import Bill
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants.common import (
    function_problems,
    network_lines,
    on_demand_lines,
    queue_lines,
    shared_lines,
    zip_problems,
)
from crossover.cost.variants.variant import Measurement, Variant


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """n m [(1 - p) w + p (i + w)] GB-s, and n requests."""
    return Bill(
        lines=(
            *on_demand_lines(scenario, prices),
            *network_lines(scenario, prices),
            *queue_lines(scenario, prices),
            *shared_lines(scenario, prices),
        ),
        problems=(*zip_problems(scenario), *function_problems(scenario, scenario.warm())),
    )


VARIANT = Variant(
    name="standard",
    title="Lambda",
    summary="loads the model at every cold start",
    formula="n m [(1 - p) w + p (i + w)] GB-s through Lambda's tiers, each duration up to the next ms; n requests",
    bill=bill,
    measured={
        Measurement.WARM_BILLED_SECONDS: "warm_seconds",
        Measurement.COLD_INIT_SECONDS: "init_seconds",
        Measurement.COLD_SHARE: "cold_share",
        Measurement.MEMORY_MB: "memory_mb",
    },
    is_deployable=True,
    by_default=True,
    colour="blue",
    dash="solid",
)
