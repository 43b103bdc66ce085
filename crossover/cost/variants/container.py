"""A Lambda function from a container image."""

from crossover.cost.bill import Bill, line
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants.common import (
    function_problems,
    init_problems,
    network_lines,
    on_demand_lines,
    shared_lines,
)
from crossover.cost.variants.variant import Variant


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """As standard, and the image stored in ECR."""
    return Bill(
        lines=(
            *on_demand_lines(scenario, prices),
            line("container image", scenario.image_gb, prices["ecr.gb_month"]),
            *network_lines(scenario, prices),
            *shared_lines(scenario, prices),
        ),
        problems=(*init_problems(scenario), *function_problems(scenario, scenario.warm())),
    )


VARIANT = Variant(
    name="container",
    title="Lambda from a container image",
    short="Container",
    summary="loads the model from a container image",
    formula="`standard`; GB of the image in ECR",
    bill=bill,
    is_deployable=True,
    colour="sky",
)
