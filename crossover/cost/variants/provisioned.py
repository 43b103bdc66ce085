"""A Lambda function of which some environments are always kept ready (provisioned concurrency)."""

from collections.abc import Sequence

import numpy as np

from crossover.cost.bill import Bill, Line, Problem, line
from crossover.cost.cold_share import poisson_quick
from crossover.cost.erlang import loss_probability, servers_for_loss
from crossover.cost.numbers import Amount
from crossover.cost.prices import Prices
from crossover.cost.scenario import HOURS_PER_MONTH, Scenario
from crossover.cost.variants.common import (
    DAYS_PER_MONTH,
    MAX_CONCURRENCY,
    function_lines,
    function_problems,
    lambda_price,
    network_lines,
    queue_lines,
    shared_lines,
    zip_problems,
)
from crossover.cost.variants.variant import Measurement, Variant

MAX_PROVISIONED = 10_000  # larger numbers are not computed
ALWAYS_UNRESERVED = 100  # of an account's limit: docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html


def ready(scenario: Scenario) -> Amount:
    """How many environments are kept ready, in the hours in which there are any."""
    if scenario.provisioned is not None:
        return scenario.provisioned
    at_once = np.minimum(_load(scenario), MAX_PROVISIONED)
    return servers_for_loss(at_once, scenario.provisioned_overflow)


def bill(scenario: Scenario, prices: Prices) -> Bill:
    """k m t kept ready in h hours; n s (1 - B(k, a)) m w used of it; the rest, n (1 - s + s B(k, a)), on demand.

    B is Erlang's loss formula at the load a of the busiest of these hours, in which a share s of the requests comes.
    What runs on demand is assumed to have the cold share of Poisson traffic of its own rate. Each environment is
    initialized again when AWS replaces it, and with a schedule at least once a day; that is billed even if no request
    comes (docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html), here as time of such an environment.
    """
    warm, hours = _warm_seconds(scenario), np.asarray(scenario.provisioned_hours)
    kept, share = ready(scenario), _share(scenario)
    overflow = loss_probability(kept, _load(scenario))
    served = scenario.requests * share * (1 - overflow)
    gb = np.asarray(scenario.memory_mb) / 1024
    starts = np.maximum(hours / scenario.lifetime_hours, np.where(hours < HOURS_PER_MONTH, DAYS_PER_MONTH, 0.0))
    others: Sequence[Line] = ()
    if np.any(hours < HOURS_PER_MONTH):
        others = _on_demand(scenario, prices, "other hours", 1 - share, HOURS_PER_MONTH - hours)
    init = kept * starts * gb * scenario.billed(scenario.init_seconds)
    ready_price = lambda_price(scenario, prices, "lambda.provisioned.gb_second")
    duration = lambda_price(scenario, prices, "lambda.provisioned.duration_gb_second")
    discount = scenario.lambda_discount
    return Bill(
        lines=(
            line("kept ready", kept * gb * hours * 3600, ready_price, discount=discount),
            line("INIT of these", init, duration, discount=discount),
            line("duration", served * gb * scenario.billed(warm), duration, discount=discount),
            line("requests", served, prices["lambda.request"]),
            *_on_demand(scenario, prices, "overflow", share * overflow, hours),
            *others,
            *network_lines(scenario, prices),
            *queue_lines(scenario, prices),
            *shared_lines(scenario, prices),
        ),
        instances=kept,
        problems=(
            *zip_problems(scenario),
            *function_problems(scenario, warm),
            Problem(
                text=f"More than {MAX_PROVISIONED:,} requests come at once.",
                where=_load(scenario) > MAX_PROVISIONED,
            ),
            Problem(
                text=f"{np.max(kept):,.0f} are kept ready; an account allows {MAX_CONCURRENCY - ALWAYS_UNRESERVED:,} "
                "unless raised, and a new one none.",
                where=kept > MAX_CONCURRENCY - ALWAYS_UNRESERVED,
                fatal=False,
            ),
        ),
    )


def _warm_seconds(scenario: Scenario) -> Amount:
    """The duration of a warm invocation."""
    return scenario.warm() if scenario.provisioned_warm_seconds is None else scenario.provisioned_warm_seconds


def _share(scenario: Scenario) -> Amount:
    """The share of the requests that come while environments are kept ready."""
    in_proportion = np.asarray(scenario.provisioned_hours) / HOURS_PER_MONTH
    if scenario.provisioned_share is None:
        return in_proportion
    return np.where(in_proportion < 1, scenario.provisioned_share, 1.0)


def _load(scenario: Scenario) -> Amount:
    """Requests at once in the busiest of these hours, whose rate is at least their mean."""
    mean = scenario.requests * _share(scenario) / (np.asarray(scenario.provisioned_hours) * 3600)
    return np.maximum(scenario.peak_rate, mean) * _warm_seconds(scenario)


def _on_demand(scenario: Scenario, prices: Prices, of_what: str, share: Amount, hours: Amount) -> list[Line]:
    """A share of the requests that comes on demand, spread over so many hours a month."""
    warm = _warm_seconds(scenario)
    cold = scenario.cold_share
    if cold is None:
        rate = np.maximum(scenario.requests * share / np.maximum(np.asarray(hours) * 3600, 1.0), 1e-12)
        bracket = poisson_quick(rate, warm, scenario.idle_seconds, lifetime_hours=scenario.lifetime_hours)
        cold = bracket.low if scenario.least_recently_used else bracket.high
    return function_lines(
        scenario,
        prices,
        requests=scenario.requests * share,
        memory_mb=scenario.memory_mb,
        warm_seconds=warm,
        init_seconds=scenario.init_seconds,
        cold_share=cold,
        of_what=of_what,
        has_free_tier=False,  # none for a function with provisioned concurrency: aws.amazon.com/lambda/pricing
    )


VARIANT = Variant(
    name="provisioned",
    title="Lambda, provisioned concurrency",
    short="Provisioned",
    summary="keeps some environments ready",
    formula="k m GB-s kept ready for h hours; n s (1 - B) m w of them used; k INITs each time they are replaced; the "
    "rest, n (1 - s (1 - B)), as `standard`; a share s of the requests comes in the h hours, and B is Erlang's loss of "
    "k environments",
    bill=bill,
    instances=ready,
    measured={
        Measurement.WARM_BILLED_SECONDS: "provisioned_warm_seconds",
        Measurement.COLD_INIT_SECONDS: "init_seconds",  # of what ran on demand
        Measurement.MEMORY_MB: "memory_mb",
    },
    backfill_note="That is as if no environment were kept ready; to use one costs less.",
    is_deployable=True,
    colour="purple",
    dash="dashdot",
)
