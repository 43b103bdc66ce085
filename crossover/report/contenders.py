"""What the page compares: every variant, the one with machines of SageMaker's once for each type of them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crossover.cost.bill import Bill
from crossover.cost.machines import MACHINES
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants import VARIANTS, Variant

HOSTED = "sagemaker"  # whose machine the scenario names
RENT, CALL_PRICE = "rent", "call-price"
ON_EC2 = "ec2-"  # how the names of those begin


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One line of the chart.

    Attributes:
        key: the variant's name, with the machine's type where it can have several.
        variant: which one.
        title: as in a sentence.
        short: as at the end of a line.
        instance_type: of the endpoint's machine; empty where it has none.
    """

    key: str
    variant: Variant
    title: str
    short: str
    instance_type: str = ""

    def bill(self, scenario: Scenario, prices: Prices) -> Bill:
        """What it costs in one scenario or in many."""
        return self.variant.bill(self._own(scenario), prices)

    def costs(self, scenario: Scenario, prices: Prices) -> NDArray[np.float64]:
        """USD a month for each volume of the scenario, infinite where it cannot be had."""
        found = self.bill(scenario, prices).comparable
        return np.array(np.broadcast_to(found, np.shape(scenario.requests)), dtype=float)

    def machines(self, scenario: Scenario) -> NDArray[np.float64] | None:
        """How many run all the time, for each volume; None where none does."""
        if self.variant.machines is None:
            return None
        found = self.variant.machines(self._own(scenario))
        return np.array(np.broadcast_to(found, np.shape(scenario.requests)), dtype=float)

    @property
    def is_always_on(self) -> bool:
        """Whether it is paid by the month, whatever the traffic."""
        return self.variant.name in (HOSTED, RENT) or self.variant.name.startswith(ON_EC2)

    def _own(self, scenario: Scenario) -> Scenario:
        return replace(scenario, instance_type=self.instance_type) if self.instance_type else scenario


SHORT = {
    "standard": "Lambda",
    "snapstart": "SnapStart",
    "provisioned": "Provisioned",
    "efs": "EFS",
    "websocket": "WebSocket",
    "serverless": "Serverless",
}


def contenders(scenario: Scenario, prices: Prices) -> list[Contender]:
    """All of them. Those that need a price of the user's are there with that price only.

    Of SageMaker's machines those that run the container as it is, the scenario's own first.
    """
    given = {RENT: scenario.rent is not None, CALL_PRICE: scenario.call_price is not None}
    offered = [variant for name, variant in VARIANTS.items() if given.get(name, True)]
    return [each for variant in offered for each in _forms(variant, scenario, prices)]


def _forms(variant: Variant, scenario: Scenario, prices: Prices) -> list[Contender]:
    if variant.name != HOSTED:
        short = SHORT.get(variant.name, variant.title.partition(" behind")[0])
        return [Contender(key=variant.name, variant=variant, title=variant.title, short=short)]
    priced = [name.removeprefix("ml.") for name in prices.with_prefix("sagemaker.host.ml.")]
    usable = [name for name in priced if name in MACHINES and not (MACHINES[name].is_arm or MACHINES[name].has_gpu)]
    own = scenario.instance_type
    return [
        Contender(
            key=f"{HOSTED}:{instance_type}",
            variant=variant,
            title=f"{variant.title} on {instance_type}",
            short=f"SageMaker {instance_type.removeprefix('ml.')}",
            instance_type=instance_type,
        )
        for instance_type in dict.fromkeys([own, *(f"ml.{name}" for name in usable)])
    ]
