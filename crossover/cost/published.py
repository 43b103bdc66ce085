"""Published comparisons: what they say, what this model says under their assumptions, and what without them.

The table is for 4 GB in us-east-1, with Lambda at 204 ms a request, and with one instance whatever the load.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from crossover.cost.bill import Bill
from crossover.cost.break_even import LOWEST, BreakEven, break_evens
from crossover.cost.candidates import candidates_named
from crossover.cost.prices import Prices, load
from crossover.cost.scenario import MINUTES_PER_MONTH, SECONDS_PER_MONTH, CallPrice, Rent, Scenario
from crossover.cost.variants import VARIANTS

REGION = "us-east-1"
MILLION = 1e6

# USD a month by requests a minute.
TABLE = {
    10: {"standard": 6.05, "snapstart": 7.37, "sagemaker": 41.24},
    50: {"standard": 30.24, "snapstart": 36.87, "sagemaker": 42.66},
    72: {"standard": 43.51, "snapstart": 53.05, "sagemaker": 43.43},
    200: {"standard": 120.84, "snapstart": 147.32, "sagemaker": 47.97},
    1000: {"standard": 604.22, "snapstart": 736.62, "sagemaker": 76.38},
}

# The durations are those at which the table's cells come out: means of what was billed, so no further rounding.
SCENARIO = Scenario(
    requests=72.0 * MINUTES_PER_MONTH,
    memory_mb=4096.0,
    warm_seconds=0.203925,
    snapstart_warm_seconds=0.24927,
    proxy_seconds=0.29304,
    billing_ms=0.0,
    cold_share=0.0,
    snapstart_versions=0.0,
    ingest="direct",
    single_instance=True,
    volume_gb=0.0,
    message_kb=0.0,
    answer_kb=0.0,
    shared_lines=False,
)
CPU_SECONDS = 0.227  # of a request, of the model that the table is about
# With what the table leaves out (INIT, restores, storage) at this model's defaults.
CORRECTED = replace(
    SCENARIO,
    cpu_seconds=CPU_SECONDS,
    billing_ms=1.0,
    cold_share=None,
    snapstart_versions=1.0,
    single_instance=False,
    volume_gb=30.0,
    message_kb=0.5,
    answer_kb=1.0,
    shared_lines=True,
)

NOTE = (
    "Reproduced: one instance whatever the load, cold starts and everything but compute left out. Corrected:"
    f" instances as {CPU_SECONDS:g} CPU-s a request ask for, cold starts of Poisson arrivals, whole bills."
)

WHY = {
    "standard": "INIT is billed since August 2025, and S3, DynamoDB and logs are part of the bill.",
    "snapstart": "The snapshot is paid for all month, and each restore; S3, DynamoDB and logs are part of the bill.",
    "sagemaker": "An instance sustains 0.4 vCPU, 65 % of which are enough for {holds:.0f} requests a minute: {count} of"
    " them; volumes, S3, DynamoDB and logs are part of the bill.",
}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One published figure.

    Attributes:
        what: the figure is about.
        unit: of the three figures.
        published: the figure.
        reproduced: this model's under the publication's assumptions.
        corrected: this model's with what they leave out; more than one where there are several break-even points.
        why: the corrected one differs, in a sentence.
    """

    what: str
    unit: str
    published: float
    reproduced: float
    corrected: tuple[float, ...]
    why: str


def claims() -> list[Claim]:
    """All of them, in the prices of the snapshot."""
    prices = load(REGION)
    return [*_cells(prices), _crossover(prices), *_per_million(prices), *_flat(prices)]


def _cells(prices: Prices) -> Iterator[Claim]:
    holds = 0.4 * CORRECTED.utilisation / CPU_SECONDS * 60
    for rpm, row in TABLE.items():
        for name, published in row.items():
            requests = float(rpm * MINUTES_PER_MONTH)
            corrected = VARIANTS[name].bill(replace(CORRECTED, requests=requests), prices)
            yield Claim(
                what=f"{VARIANTS[name].title} at {rpm} a minute",
                unit="USD a month",
                published=published,
                reproduced=float(VARIANTS[name].bill(replace(SCENARIO, requests=requests), prices).usd),
                corrected=(float(corrected.usd),),
                why=WHY[name].format(holds=holds, count=_count(corrected)),
            )


def _crossover(prices: Prices) -> Claim:
    names = ("standard", "sagemaker")
    corrected = _points(names, CORRECTED, prices)
    larger = _points(names, replace(CORRECTED, instance_type="ml.c5.large"), prices)
    return Claim(
        what="SageMaker becomes cheaper than Lambda",
        unit="requests a minute",
        published=72,
        reproduced=_points(names, SCENARIO, prices)[0].rpm,
        corrected=tuple(point.rpm for point in corrected),
        why="Each further ml.t2.medium costs more than Lambda does for the requests that it serves;"
        f" ml.c5.large is cheaper than Lambda from {larger[0].rpm:.0f} requests a minute on.",
    )


def _points(
    names: Sequence[str], scenario: Scenario, prices: Prices, *, lowest: float = LOWEST
) -> tuple[BreakEven, ...]:
    return break_evens(candidates_named(names), scenario, prices, lowest=lowest)[0].points


def _per_million(prices: Prices) -> Iterator[Claim]:
    yield _instance_claim(prices, "c5.large", 34.0, 0.69)
    yield _instance_claim(prices, "t4g.medium", 2.63, 3.55)
    lambda_1_gb = replace(SCENARIO, requests=MILLION, memory_mb=1024.0, warm_seconds=0.63)
    corrected = replace(CORRECTED, requests=MILLION, memory_mb=1024.0, warm_seconds=0.63)
    yield Claim(
        what="Lambda of 1 GB, 0.63 s",
        unit="USD a million",
        published=10.70,
        reproduced=float(VARIANTS["standard"].bill(lambda_1_gb, prices).usd),
        corrected=(float(VARIANTS["standard"].bill(corrected, prices).usd),),
        why=WHY["standard"],
    )


def _instance_claim(prices: Prices, instance_type: str, requests_per_second: float, published: float) -> Claim:
    """An instance that is busy all the time, and nothing but the instance."""
    variant = VARIANTS[f"ec2-{instance_type}"]
    millions = requests_per_second * SECONDS_PER_MONTH / MILLION
    scenario = replace(CORRECTED, requests=millions * MILLION, cpu_seconds=2 / requests_per_second)
    alone = variant.bill(replace(scenario, single_instance=True), prices).lines[0]
    corrected = variant.bill(scenario, prices)
    return Claim(
        what=f"{instance_type} at {requests_per_second:g} requests a second",
        unit="USD a million",
        published=published,
        reproduced=float(alone.usd) / millions,
        corrected=(float(corrected.usd) / millions,),
        why=f"On an instance that is always busy the queue grows without end: {_count(corrected)} of them; disks, IPv4,"
        " surplus credits, load balancer, proxy, S3, DynamoDB and logs are part of the bill.",
    )


def _count(bill: Bill) -> str:
    return "" if bill.instances is None else f"{float(bill.instances):.0f}"


def _flat(prices: Prices) -> Iterator[Claim]:
    for amount, published in ((750.0, 52_817), (1800.0, 126_761)):
        scenario = replace(SCENARIO, rent=Rent(amount=amount, currency="EUR"), call_price=CallPrice(amount=0.0142))
        full = replace(scenario, shared_lines=True)
        yield Claim(
            what=f"{amount:,.0f} EUR a month against 0.0142 EUR a call",
            unit="calls a month",
            published=published,
            reproduced=_points(("call-price", "rent"), scenario, prices, lowest=1000.0)[0].requests,
            corrected=tuple(point.requests for point in _points(("call-price", "rent"), full, prices, lowest=1000.0)),
            why="None: what both need cancels out, and so few calls fit on one instance.",
        )


def markdown_table() -> str:
    """The claims as docs/cost.md shows them."""
    lines = ["| published | figure | reproduced | corrected | why |", "|---|---|---|---|---|"]
    for claim in claims():
        figures = [figure(value, claim.unit) for value in (claim.published, claim.reproduced, *claim.corrected)]
        corrected = " ".join(figures[2:]) or "never"
        lines.append(f"| {claim.what}, {claim.unit} | {figures[0]} | {figures[1]} | {corrected} | {claim.why} |")
    return "\n".join(lines)


def figure(value: float, unit: str) -> str:
    """A claim's figure as a person reads it: USD to the cent, all else whole."""
    return f"{value:,.2f}" if unit.startswith("USD") else f"{value:,.0f}"


if __name__ == "__main__":
    print(markdown_table())
