"""The tables on whether provisioned concurrency is cheaper, by hand."""

from dataclasses import replace

import pytest

from crossover.cost.erlang import loss_probability
from crossover.cost.prices import load
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS
from tools.provisioned_rule import cheaper_from, cold_share

PRICES = load("us-east-1")


@pytest.mark.parametrize("seconds", [0.63, 9.0])
def test_one_environment_is_cheaper_once_it_is_in_use_for_the_share_that_the_prices_give(seconds: float) -> None:
    on_demand, kept, used = (
        PRICES[name].value
        for name in ("lambda.gb_second", "lambda.provisioned.gb_second", "lambda.provisioned.duration_gb_second")
    )
    share = kept / (on_demand - used)
    at_once = share / (1 - share)  # then one environment is in use for this share of the time
    one = Scenario(warm_seconds=seconds, cold_share=0.0, init_seconds=0.0, provisioned=1.0)

    assert cheaper_from(one, "standard", PRICES) == pytest.approx(60 * at_once / seconds, rel=0.01)


def test_it_is_never_cheaper_where_half_of_what_is_kept_ready_is_never_used() -> None:
    many = Scenario(warm_seconds=1.0, provisioned=1000.0)
    assert cheaper_from(many, "standard", PRICES) is None


def test_what_begins_with_init_is_the_cold_share_of_the_overflow() -> None:
    scenario = Scenario(requests=60 * MINUTES_PER_MONTH, warm_seconds=1.0, provisioned=1.0, cold_share=0.25)
    bill = VARIANTS["provisioned"].bill(replace(scenario, billing_ms=0.0), PRICES)
    assert cold_share(bill) == pytest.approx(0.25 * loss_probability(1, 1.0))
