"""What a backfill costs: the job, and for each object what a prediction costs by the cost model."""

from dataclasses import dataclass, replace

import numpy as np

from crossover.aws import Clients
from crossover.cost import prices as price_snapshot
from crossover.cost.bill import Line, line
from crossover.cost.kinds import scenario_of
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants import VARIANTS
from crossover.deployed import Variant
from crossover.errors import UsageError

ALREADY_PAID = ("S3 uploads", "S3 storage", "S3 result storage")
"""Lines of a prediction that an object in the bucket does not cost once more."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of a backfill.

    Attributes:
        lines: what is paid for, USD.
        seconds: duration of a prediction, of the function that S3 invokes.
        is_assumed: whether this is the cost model's.
        memory_mb: of this function.
        region: whose prices they are.
    """

    lines: tuple[Line, ...]
    seconds: float
    is_assumed: bool
    memory_mb: float
    region: str

    @property
    def usd(self) -> float:
        return sum(float(each.usd) for each in self.lines)


def price_of(clients: Clients, variant: Variant, *, objects: int, seconds: float | None = None) -> Price:
    """The price, without what runs anyway (instances, environments kept ready), and without the free tier.

    Args:
        objects: that the job predicts.
        seconds: duration of a prediction; by default the cost model's, for a file of the kind that it was measured
            with.

    Raises:
        UsageError: `seconds` is out of the model's bounds.
    """
    region = clients("lambda").meta.region_name
    try:
        prices = price_snapshot.load(region)
    except UsageError:  # the snapshot has nothing of this region
        prices = price_snapshot.load(price_snapshot.STAND_IN)
    memory_mb = float(clients("lambda").get_function_configuration(FunctionName=variant.function)["MemorySize"])
    scenario = replace(
        scenario_of(variant.input_kind),
        memory_mb=memory_mb,
        proxy_memory_mb=memory_mb,
        warm_seconds=seconds,
        proxy_seconds=seconds,
        cold_share=0.0,  # a job keeps the environments busy
        provisioned=1.0,
        instances=1.0,
    )
    jobs = [line("S3 Batch Operations: job", 1.0, prices["s3.batch.job"])]
    if objects:
        jobs.append(line("S3 Batch Operations: objects", float(objects), prices["s3.batch.object"]))
    return Price(
        lines=(*jobs, *_prediction_lines(variant, scenario, prices, objects)),
        seconds=float(scenario.proxy() if variant.endpoint else scenario.warm()),
        is_assumed=seconds is None,
        memory_mb=memory_mb,
        region=prices.region,
    )


def _prediction_lines(variant: Variant, scenario: Scenario, prices: Prices, objects: int) -> list[Line]:
    """What the variant's bill is larger by with so many requests more."""
    if not objects or variant.name not in VARIANTS:
        return []
    bill = VARIANTS[variant.name].bill
    without = {each.name: each for each in bill(replace(scenario, requests=1.0), prices).lines}
    lines = []
    for each in bill(replace(scenario, requests=1.0 + objects), prices).lines:
        less = without[each.name]
        more = replace(
            each,
            quantity=np.asarray(each.quantity) - np.asarray(less.quantity),
            usd=np.asarray(each.usd) - np.asarray(less.usd),
        )
        if each.name not in ALREADY_PAID and float(more.usd) > 0:
            lines.append(more)
    return lines
