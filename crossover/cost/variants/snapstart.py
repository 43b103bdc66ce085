"""A Lambda function with SnapStart: restored from a snapshot, which is paid for by the hour."""

import numpy as np

from crossover.cost.bill import Bill, Line, Problem, line
from crossover.cost.numbers import Amount
from crossover.cost.prices import Prices
from crossover.cost.scenario import SECONDS_PER_MONTH, Scenario
from crossover.cost.variants.common import function_lines, function_problems, network_lines, queue_lines, shared_lines
from crossover.cost.variants.variant import Measurement, Variant


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """What `snapshot_lines` says, and what all share."""
    warm = warm_seconds(scenario)
    return Bill(
        lines=(
            *snapshot_lines(scenario, prices, warm_seconds=warm),
            *network_lines(scenario, prices),
            *queue_lines(scenario, prices),
            *shared_lines(scenario, prices),
        ),
        problems=(
            Problem(text="SnapStart does not work with EFS.", where=scenario.model_on_efs),
            *function_problems(scenario, warm),
        ),
    )


def snapshot_lines(scenario: Scenario, prices: Prices, *, warm_seconds: Amount) -> list[Line]:
    """n m (w + p r) GB-s, n p m restored GB, and V m GB-s of cache all month.

    Source: docs.aws.amazon.com/lambda/latest/dg/snapstart.html, "SnapStart pricing": by the configured memory, and
    cached for at least three hours.
    """
    cold = scenario.cold(warm_seconds)
    gb = np.asarray(scenario.memory_mb) / 1024
    lines = function_lines(
        scenario,
        prices,
        requests=scenario.requests,
        memory_mb=scenario.memory_mb,
        warm_seconds=warm_seconds,
        init_seconds=scenario.restore_seconds,
        cold_share=cold,
        init_name="restoring",
    )
    cached = scenario.snapstart_versions * gb * SECONDS_PER_MONTH
    return [
        *lines,
        line("SnapStart restores", scenario.requests * cold * gb, prices["lambda.snapstart.restore_gb"]),
        line("SnapStart cache", cached, prices["lambda.snapstart.cache_gb_second"]),
    ]


def warm_seconds(scenario: Scenario) -> Amount:
    """The duration of a warm invocation."""
    return scenario.warm() if scenario.snapstart_warm_seconds is None else scenario.snapstart_warm_seconds


VARIANT = Variant(
    name="snapstart",
    title="Lambda with SnapStart",
    short="SnapStart",
    summary="restores a snapshot with the model in it",
    formula="n m (w + p r) GB-s; n requests; n p m GB restored; for each published version m GB-s of cache all month",
    bill=bill,
    measured={
        Measurement.WARM_BILLED_SECONDS: "snapstart_warm_seconds",
        Measurement.COLD_BILLED_RESTORE_SECONDS: "restore_seconds",
        Measurement.COLD_SHARE: "cold_share",
        Measurement.MEMORY_MB: "memory_mb",
    },
    is_deployable=True,
    by_default=True,
    colour="orange",
    dash="dash",
)
