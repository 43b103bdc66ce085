"""A published comparison of what MobileNetV2 costs, beside the image model that the project brings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crossover.cost.bill import Bill
from crossover.cost.kinds import scenario_of
from crossover.cost.prices import Prices, load
from crossover.cost.published import MILLION, REGION
from crossover.cost.scenario import SECONDS_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS

VCPUS = 2  # of both instance types
LAMBDA_MB = 1024.0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One way to run both, USD for a million requests.

    Attributes:
        what: runs them.
        published: MobileNetV2's, as published.
        published_speed: of it, in words.
        own: the project's own model's, counted in the same way.
        own_speed: of it, in words.
        whole: the own model's whole bill at the published traffic, which the published figures leave out in part.
    """

    what: str
    published: float
    published_speed: str
    own: float
    own_speed: str
    whole: float


def comparisons() -> Sequence[Comparison]:
    """All of them, in the prices of the snapshot."""
    prices = load(REGION)
    own = scenario_of("image")
    return [
        _instance(prices, own, "c5.large", 34.0, 0.69),
        _instance(prices, own, "t4g.medium", 2.63, 3.55),
        _function(prices, own, 0.63, 10.70),
    ]


def _instance(prices: Prices, own: Scenario, instance_type: str, published_rate: float, usd: float) -> Comparison:
    """An instance that is busy all the time, and nothing but the instance."""
    variant = VARIANTS[f"ec2-{instance_type}"]
    rate = VCPUS / float(own.cpu_seconds)
    busy = replace(own, requests=rate * SECONDS_PER_MONTH, single_instance=True)
    whole = replace(own, requests=published_rate * SECONDS_PER_MONTH)
    return Comparison(
        what=f"{instance_type}, always busy",
        published=usd,
        published_speed=f"{published_rate:g} requests/s",
        own=float(variant.bill(busy, prices).lines[0].usd) / float(busy.requests) * MILLION,
        own_speed=f"{rate:.0f} requests/s",
        whole=_per_million(variant.bill(whole, prices), whole),
    )


def _function(prices: Prices, own: Scenario, published_seconds: float, usd: float) -> Comparison:
    """A function without cold starts, and nothing but the function."""
    variant = VARIANTS["standard"]
    whole = replace(own, requests=MILLION, memory_mb=LAMBDA_MB)
    alone = replace(whole, cold_share=0.0, shared_lines=False)
    return Comparison(
        what="Lambda of 1 GB",
        published=usd,
        published_speed=f"{published_seconds:g} s",
        own=_per_million(variant.bill(alone, prices), alone),
        own_speed=f"{float(alone.warm()):.2f} s",
        whole=_per_million(variant.bill(whole, prices), whole),
    )


def _per_million(bill: Bill, scenario: Scenario) -> float:
    return float(bill.usd) / float(scenario.requests) * MILLION


def markdown_table() -> str:
    """The comparisons as docs/cost.md shows them."""
    headings = (
        "USD a million",
        "MobileNetV2, published",
        "EfficientNet-Lite0, counted in the same way",
        "its whole bill",
    )
    lines = [f"| {' | '.join(headings)} |", "|---|---|---|---|"]
    for each in comparisons():
        lines.append(
            f"| {each.what} | {each.published:.2f} ({each.published_speed}) | {each.own:.2f} ({each.own_speed}) |"
            f" {each.whole:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown_table())
