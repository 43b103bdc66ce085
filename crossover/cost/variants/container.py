"""A Lambda function from a container image."""

from crossover.cost.bill import Bill, line
from crossover.cost.numbers import Amount
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants.common import (
    function_lines,
    function_problems,
    init_problems,
    network_lines,
    queue_lines,
    shared_lines,
)
from crossover.cost.variants.snapstart import snapshot_lines
from crossover.cost.variants.snapstart import warm_seconds as snapstart_warm_seconds
from crossover.cost.variants.variant import Measurement, Variant


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """As standard, or with `image_snap_start` as snapstart; and the image in ECR, of which each deployment stores one.

    Lambda pulls it from the ECR of its own region, which costs nothing. INIT is billed for images as for zip files:
    aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase.
    """
    init = scenario.init_seconds if scenario.container_init_seconds is None else scenario.container_init_seconds
    warm = _warm_seconds(scenario)
    if scenario.image_snap_start:
        lines = snapshot_lines(scenario, prices, warm_seconds=warm)
    else:
        lines = function_lines(
            scenario,
            prices,
            requests=scenario.requests,
            memory_mb=scenario.memory_mb,
            warm_seconds=warm,
            init_seconds=init,
            cold_share=scenario.cold(warm),
        )
    return Bill(
        lines=(
            *lines,
            line("container image", scenario.image_gb, prices["ecr.gb_month"]),
            *network_lines(scenario, prices),
            *queue_lines(scenario, prices),
            *shared_lines(scenario, prices),
        ),
        problems=(
            *([] if scenario.image_snap_start else init_problems(scenario, init)),
            *function_problems(scenario, warm),
        ),
    )


def _warm_seconds(scenario: Scenario) -> Amount:
    """The duration of a warm invocation."""
    if scenario.container_warm_seconds is not None:
        return scenario.container_warm_seconds
    return snapstart_warm_seconds(scenario) if scenario.image_snap_start else scenario.warm()


VARIANT = Variant(
    name="container",
    title="Lambda from a container image",
    short="Container",
    summary="loads the model from a container image",
    formula="`standard`, or `snapstart` with `image_snap_start`; GB of the image in ECR",
    bill=bill,
    measured={
        Measurement.WARM_BILLED_SECONDS: "container_warm_seconds",
        Measurement.COLD_INIT_SECONDS: "container_init_seconds",
        Measurement.COLD_BILLED_RESTORE_SECONDS: "restore_seconds",
        Measurement.COLD_SHARE: "cold_share",
        Measurement.MEMORY_MB: "memory_mb",
    },
    is_deployable=True,
    colour="sky",
)
