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
        usd_per_million: what a million objects more cost, if as many of them as there are items left have one.
        seconds: duration of a prediction, of the function that S3 invokes.
        is_assumed: whether this is the cost model's.
        memory_mb, architecture: of this function.
        item_kb: mean size of the items; None where the table has none, and 1 KB is assumed.
        region: whose prices they are.
    """

    lines: tuple[Line, ...]
    usd_per_million: float
    seconds: float
    is_assumed: bool
    memory_mb: float
    architecture: str
    item_kb: float | None
    region: str

    @property
    def usd(self) -> float:
        return sum(float(each.usd) for each in self.lines)


def price_of(clients: Clients, variant: Variant, *, objects: int, seconds: float | None = None) -> Price:
    """The price, without what runs anyway (instances, environments kept ready), and without the free tier.

    Where it is not known it is the most that it can be: environments kept ready, which cost less to use, serve none of
    the objects, each result goes to the results bucket if there is one, and as many objects as there are items are
    predicted again.

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
    config = clients("lambda").get_function_configuration(FunctionName=variant.function)
    memory_mb, architecture = float(config["MemorySize"]), config.get("Architectures", ["x86_64"])[0]
    table = clients("dynamodb").describe_table(TableName=variant.table)["Table"]  # of the last six hours
    items, item_bytes = table.get("ItemCount", 0), table.get("TableSizeBytes", 0)
    item_kb = item_bytes / items / 1024 if items and item_bytes else None
    scenario = replace(
        scenario_of(variant.input_kind),
        architecture=architecture,
        result_kb=1.0 if variant.results_bucket else 0.0,
        item_kb=1.0 if item_kb is None else item_kb,
        memory_mb=memory_mb,
        proxy_memory_mb=memory_mb,
        warm_seconds=seconds,
        proxy_seconds=seconds,
        cold_share=0.0,  # a job keeps the environments busy
        instances=1.0,
        ingest="direct",  # a job invokes the function itself
    )
    return Price(
        lines=(
            line("S3 Batch Operations: job", 1.0, prices["s3.batch.job"]),
            *_object_lines(variant, scenario, prices, objects, items),
        ),
        usd_per_million=sum(
            float(each.usd) for each in _object_lines(variant, scenario, prices, 1_000_000, max(0, items - objects))
        ),
        seconds=float(scenario.proxy() if variant.endpoint else scenario.warm()),
        is_assumed=seconds is None,
        memory_mb=memory_mb,
        architecture=architecture,
        item_kb=item_kb,
        region=prices.region,
    )


def _object_lines(variant: Variant, scenario: Scenario, prices: Prices, objects: int, items: int) -> list[Line]:
    """What so many objects cost: above all what the variant's bill is larger by with so many requests more.

    On demand and without cold starts the bills of all functions are that of `standard`.
    """
    if not objects:
        return []
    bill = VARIANTS["sagemaker" if variant.endpoint else "standard"].bill
    without = {each.name: each for each in bill(replace(scenario, requests=1.0), prices).lines}
    lines = [line("S3 Batch Operations: objects", float(objects), prices["s3.batch.object"])]
    for each in bill(replace(scenario, requests=1.0 + objects), prices).lines:
        less = without[each.name]
        more = replace(
            each,
            quantity=np.asarray(each.quantity) - np.asarray(less.quantity),
            usd=np.asarray(each.usd) - np.asarray(less.usd),
        )
        if each.name not in ALREADY_PAID and float(more.usd) > 0:
            lines.append(more)
    if items:
        # The first write is on the condition that there is no item; it is billed even if there is one.
        units = min(objects, items) * float(np.maximum(1.0, np.ceil(scenario.item_kb)))
        lines.append(line("DynamoDB writes, second", units, prices["dynamodb.write_unit"]))
    return lines
