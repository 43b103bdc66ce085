"""What the rest of the project asks a variant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from crossover.cost.bill import Bill
from crossover.cost.numbers import Amount
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario


class Billing(Enum):
    """What the largest part of a variant's bill grows with."""

    ON_DEMAND = "on demand"  # requests and their durations
    PER_CALL = "per call"  # requests alone
    ALWAYS_ON = "always on"  # the hours of its instances, whatever the traffic


class Measurement(Enum):
    """What a benchmark measures of a variant's function, as means over its requests."""

    WARM_BILLED_SECONDS = "billed duration of a warm invocation, s"
    COLD_INIT_SECONDS = "INIT of a cold start, s"
    COLD_BILLED_RESTORE_SECONDS = "billed part of restoring a snapshot, s"
    MEMORY_MB = "memory of the function, MB"
    COLD_SHARE = "share of cold starts in an open-loop load"


@dataclass(frozen=True, kw_only=True, eq=False)
class Variant:
    """One way to run the model, and what its bill is.

    Attributes:
        name: as on the command line; that of the construct in crossover.cdk.compute where there is one.
        title: as in a table or a sentence.
        short: as at the end of a line in a chart; the title unless given.
        summary: what runs the model, in a few words; only pictures of a deployable variant show it.
        formula: what it costs a month, in the symbols of docs/cost.md, which lists it.
        bill: the bill in one scenario, or in many at once.
        billing: what most of it grows with.
        instances: how many instances it keeps running, as its bill has them; None where it keeps none. Must not depend
            on the cold share.
        instance_types: types that it can run on, the scenario's own first; None where it has no choice of them. Only
            for what is always on.
        needs: the scenario's field that must be given before it has a price; empty where there is none.
        measured: which measurement of a benchmark of this variant fills which field of the scenario.
        backfill_note: a sentence on what the price of a backfill assumes of it, or leaves out.
        is_deployable: whether this project has a construct for it.
        by_default: whether it is deployed where nobody chooses the variants.
        group: heading in the page's list of variants that are always on; `short` unless given.
        is_drawn: whether the page draws its line at first.
        colour: of its line, one of COLOURS; one that is free where it is empty.
        dash: of its line, one of DASHES; one that is free for the colour where it is empty.

    Raises:
        ValueError: it has instance types, but is not always on.
    """

    name: str
    title: str
    bill: Callable[[Scenario, Prices], Bill]
    short: str = ""
    summary: str = ""
    formula: str = ""
    billing: Billing = Billing.ON_DEMAND
    instances: Callable[[Scenario], Amount] | None = None
    instance_types: Callable[[Scenario, Prices], Sequence[str]] | None = None
    needs: str = ""
    measured: Mapping[Measurement, str] = field(default_factory=dict)
    backfill_note: str = ""
    is_deployable: bool = False
    by_default: bool = False
    group: str = ""
    is_drawn: bool = True
    colour: str = ""
    dash: str = ""

    def __post_init__(self) -> None:
        if self.instance_types is not None and not self.is_always_on:
            raise ValueError(f"The variant {self.name!r} has instance types; its billing must be always on.")
        object.__setattr__(self, "short", self.short or self.title)
        object.__setattr__(self, "group", self.group or self.short)

    @property
    def is_always_on(self) -> bool:
        """Whether it is paid by the hour, whatever the traffic."""
        return self.billing is Billing.ALWAYS_ON

    def is_priced(self, scenario: Scenario) -> bool:
        """Whether the scenario has the price that it needs."""
        return not self.needs or getattr(scenario, self.needs) is not None
