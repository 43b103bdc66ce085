"""A Lambda function that mounts its model from EFS."""

import numpy as np

from crossover.cost.bill import Bill, line
from crossover.cost.prices import Prices
from crossover.cost.scenario import MB_PER_GB, Scenario
from crossover.cost.variants.common import (
    function_lines,
    function_problems,
    init_problems,
    network_lines,
    queue_lines,
    shared_lines,
)
from crossover.cost.variants.variant import Measurement, Variant


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """As standard, and what is stored and read there; in a VPC, whose gateways to S3 and DynamoDB are free.

    With elastic throughput, which the construct chooses: bursting has no price by the GB, but then all cold starts
    together get 100 MiB/s. https://docs.aws.amazon.com/efs/latest/ug/performance.html#throughput-modes

    A model is read twice, first for its hash; the second time from memory, unless the function has too little. Left
    out: writing a new model, and the VPC's flow logs.
    """
    warm = scenario.warm() if scenario.efs_warm_seconds is None else scenario.efs_warm_seconds
    cold = scenario.cold(warm)
    init = scenario.init_seconds if scenario.efs_init_seconds is None else scenario.efs_init_seconds
    model_gb = np.asarray(scenario.model_mb) / MB_PER_GB
    lines = function_lines(
        scenario,
        prices,
        requests=scenario.requests,
        memory_mb=scenario.memory_mb,
        warm_seconds=warm,
        init_seconds=init,
        cold_share=cold,
    )
    stored_gb = model_gb if scenario.efs_gb is None else scenario.efs_gb
    return Bill(
        lines=(
            *lines,
            line("EFS storage", stored_gb, prices["efs.storage_gb_month"]),
            line("EFS reads", scenario.requests * cold * model_gb, prices["efs.read_gb"]),
            *network_lines(scenario, prices),
            *queue_lines(scenario, prices),
            *shared_lines(scenario, prices),
        ),
        problems=(*init_problems(scenario, init), *function_problems(scenario, warm)),
    )


VARIANT = Variant(
    name="efs",
    title="Lambda with EFS",
    short="EFS",
    summary="mounts the model from EFS",
    formula="`standard`; GB stored; n p times the model's GB read",
    bill=bill,
    measured={
        Measurement.WARM_BILLED_SECONDS: "efs_warm_seconds",
        Measurement.COLD_INIT_SECONDS: "efs_init_seconds",
        Measurement.COLD_SHARE: "cold_share",
        Measurement.MEMORY_MB: "memory_mb",
    },
    backfill_note="Not in it: each environment reads the model from EFS, once for many objects, billed by the GB.",
    is_deployable=True,
    colour="sky",
    dash="dot",
)
