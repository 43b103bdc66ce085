"""A Lambda function, paid by the request."""

from crossover.cost.bill import Bill
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants.common import function_lines, function_problems, network_lines, shared_lines, zip_problems


def bill(scenario: Scenario, prices: Prices) -> Bill:
    warm = scenario.warm()
    lines = function_lines(
        scenario,
        prices,
        requests=scenario.requests,
        memory_mb=scenario.memory_mb,
        warm_seconds=warm,
        init_seconds=scenario.init_seconds,
        cold_share=scenario.cold(warm),
    )
    return Bill(
        lines=(*lines, *network_lines(scenario, prices), *shared_lines(scenario, prices)),
        problems=(*zip_problems(scenario), *function_problems(scenario, warm)),
    )
