"""A Lambda function, paid by the request."""

from crossover.cost.bill import Bill
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants.common import function_problems, network_lines, on_demand_lines, shared_lines, zip_problems


def bill(scenario: Scenario, prices: Prices) -> Bill:
    return Bill(
        lines=(*on_demand_lines(scenario, prices), *network_lines(scenario, prices), *shared_lines(scenario, prices)),
        problems=(*zip_problems(scenario), *function_problems(scenario, scenario.warm())),
    )
