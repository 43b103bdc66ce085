"""A Lambda function that mounts its libraries and its model from EFS, for what does not fit into a zip file."""

import numpy as np

from crossover.cost.bill import Bill, line
from crossover.cost.prices import Prices
from crossover.cost.scenario import MB_PER_GB, Scenario
from crossover.cost.variants.common import (
    function_problems,
    init_problems,
    network_lines,
    on_demand_lines,
    shared_lines,
)
from crossover.cost.variants.variant import Variant


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """As standard, and what is stored and read there; in a VPC, whose gateways to S3 and DynamoDB are free.

    The libraries are read at a cold start as well; only the model is counted.
    """
    warm = scenario.warm()
    read_gb = scenario.requests * scenario.cold(warm) * np.asarray(scenario.model_mb) / MB_PER_GB
    return Bill(
        lines=(
            *on_demand_lines(scenario, prices),
            line("EFS storage", scenario.efs_gb, prices["efs.storage_gb_month"]),
            line("EFS reads", read_gb, prices["efs.read_gb"]),
            *network_lines(scenario, prices),
            *shared_lines(scenario, prices),
        ),
        problems=(*init_problems(scenario), *function_problems(scenario, warm)),
    )


VARIANT = Variant(
    name="efs",
    title="Lambda with EFS",
    short="EFS",
    formula="`standard`; GB stored; n p times the model's GB read",
    summary="mounts the model from EFS",
    bill=bill,
    is_deployable=True,
    colour="sky",
    dash="dot",
)
