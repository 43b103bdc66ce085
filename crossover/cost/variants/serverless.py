"""SageMaker Serverless Inference behind the proxy: paid by the request, up to 200 at once."""

import numpy as np

from crossover.cost.bill import Bill, Problem, line
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants.common import proxy_lines, shared_lines
from crossover.cost.variants.endpoint import MAX_SECONDS, data_lines, payload_problems
from crossover.cost.variants.variant import Variant

MAX_PAYLOAD_MB = 4.194304  # docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-invoke.html
MAX_CONCURRENCY = 200  # of one endpoint: docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """n GB-s, the data in and out, and the proxy. Its cold starts are not billed, and not counted."""
    computed = scenario.seconds_at(scenario.serverless_memory_mb)
    seconds = computed if scenario.serverless_seconds is None else scenario.serverless_seconds
    gb_seconds = scenario.requests * np.asarray(scenario.serverless_memory_mb) / 1024 * scenario.billed(seconds)
    at_once = scenario.peak_rate * np.asarray(seconds)
    return Bill(
        lines=(
            line("SageMaker Serverless duration", gb_seconds, prices["sagemaker.serverless.gb_second"]),
            *data_lines(scenario, prices),
            *proxy_lines(scenario, prices, prediction_seconds=seconds),
            *shared_lines(scenario, prices),
        ),
        problems=(
            *payload_problems(scenario, MAX_PAYLOAD_MB),
            Problem(
                text=f"A prediction takes longer than SageMaker's {MAX_SECONDS} s.",
                where=np.asarray(seconds) > MAX_SECONDS,
            ),
            Problem(
                text=f"About {np.max(at_once):,.0f} run at once; a serverless endpoint allows {MAX_CONCURRENCY}.",
                where=at_once > MAX_CONCURRENCY,
            ),
        ),
    )


VARIANT = Variant(
    name="serverless",
    title="SageMaker Serverless",
    short="Serverless",
    formula="n w times its GB; data in and out; the proxy",
    bill=bill,
    colour="green",
    dash="dash",
)
