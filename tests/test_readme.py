"""The README's tables are made from the code, so that they cannot go stale."""

from pathlib import Path

from benchmarks import performance
from crossover import documents
from crossover.cost.comparison import compare
from crossover.cost.prices import load
from crossover.cost.scenario import MINUTES_A_MONTH, Scenario
from crossover.cost.variants import DEPLOYABLE
from stacks.settings import markdown_table

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_settings_table_is_the_code_s() -> None:
    assert markdown_table() in README


def test_the_costs_at_72_requests_a_minute_are_the_model_s() -> None:
    scenario = Scenario(requests=72.0 * MINUTES_A_MONTH)
    comparison = compare(scenario, load("us-east-1"), candidates=DEPLOYABLE)
    assert comparison.verdict in README
    for name, bill in comparison.bills.items():
        row = f" {name:<14} │ {float(bill.usd):6.2f} │ {float(bill.usd / scenario.requests * 1e6):13.2f} │"
        assert row in README


def test_the_speeds_are_those_of_the_committed_results() -> None:
    micro, peers = (documents.read(path) for path in (performance.MICRO, performance.PEERS))
    assert performance.speed_table(micro, peers) in README
