"""A Lambda function of which some environments are always kept ready (provisioned concurrency)."""

import numpy as np

from crossover.cost.bill import Bill, Problem, line
from crossover.cost.cold_share import poisson_quick
from crossover.cost.erlang import loss_probability, servers_for_loss
from crossover.cost.numbers import Amount
from crossover.cost.prices import Prices
from crossover.cost.scenario import SECONDS_PER_MONTH, Scenario
from crossover.cost.variants.common import (
    function_lines,
    function_problems,
    lambda_price,
    network_lines,
    shared_lines,
    zip_problems,
)
from crossover.cost.variants.variant import Variant

MAX_PROVISIONED = 10_000  # larger numbers are not computed


def ready(scenario: Scenario) -> Amount:
    """How many environments are kept ready."""
    if scenario.provisioned is not None:
        return scenario.provisioned
    at_once = np.minimum(scenario.peak_rate * scenario.warm(), MAX_PROVISIONED)
    return servers_for_loss(at_once, scenario.provisioned_overflow)


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """k m t kept ready; n (1 - B(k, a)) m w used of it; the overflow n B(k, a) on demand.

    B is Erlang's loss formula at the peak's load a = rate w. The overflow is assumed to have
    the cold share of Poisson traffic of its own rate.
    """
    warm = scenario.warm()
    kept = ready(scenario)
    overflow = loss_probability(kept, scenario.peak_rate * warm)
    gb = np.asarray(scenario.memory_mb) / 1024
    used = scenario.requests * (1 - overflow) * gb * scenario.billed(warm)
    discount = scenario.lambda_discount
    on_demand = function_lines(
        scenario,
        prices,
        requests=scenario.requests * overflow,
        memory_mb=scenario.memory_mb,
        warm_seconds=warm,
        init_seconds=scenario.init_seconds,
        cold_share=_overflow_cold_share(scenario, overflow, warm),
        of_what="overflow",
        has_free_tier=False,  # none for a function with provisioned concurrency: aws.amazon.com/lambda/pricing
    )
    return Bill(
        lines=(
            line(
                "kept ready",
                kept * gb * SECONDS_PER_MONTH,
                lambda_price(scenario, prices, "lambda.provisioned.gb_second"),
                discount=discount,
            ),
            line(
                "duration",
                used,
                lambda_price(scenario, prices, "lambda.provisioned.duration_gb_second"),
                discount=discount,
            ),
            line("requests", scenario.requests * (1 - overflow), prices["lambda.request"]),
            *on_demand,
            *network_lines(scenario, prices),
            *shared_lines(scenario, prices),
        ),
        instances=kept,
        problems=(
            *zip_problems(scenario),
            *function_problems(scenario, warm),
            Problem(
                text=f"More than {MAX_PROVISIONED:,} requests come at once.",
                where=scenario.peak_rate * warm > MAX_PROVISIONED,
            ),
        ),
    )


def _overflow_cold_share(scenario: Scenario, overflow: Amount, warm: Amount) -> Amount:
    if scenario.cold_share is not None:
        return scenario.cold_share
    rate = np.maximum(scenario.rate * overflow, 1e-12)
    bracket = poisson_quick(rate, warm, scenario.idle_seconds, lifetime_hours=scenario.lifetime_hours)
    return bracket.low if scenario.least_recently_used else bracket.high


VARIANT = Variant(
    name="provisioned",
    title="Lambda, provisioned concurrency",
    short="Provisioned",
    formula="k m GB-s kept ready; n (1 - B) m w of them used; n B as `standard`, where B is Erlang's loss of k"
    " environments",
    summary="keeps some environments ready",
    bill=bill,
    instances=ready,
    is_deployable=True,
    colour="purple",
    dash="dashdot",
)
