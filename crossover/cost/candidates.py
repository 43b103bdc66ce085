"""Candidate variants: what the cheapest is chosen from, a variant once for each instance type that it can run on."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crossover.cost.bill import Bill
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.cost.variants import VARIANTS, Variant

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A variant, on one instance type where it has a choice of them.

    Attributes:
        variant: which one.
        instance_type: of its instances; empty for the scenario's own.
    """

    variant: Variant
    instance_type: str = ""

    @property
    def key(self) -> str:
        """The variant's name, and after a colon the instance type."""
        return f"{self.variant.name}:{self.instance_type}" if self.instance_type else self.variant.name

    @property
    def title(self) -> str:
        """As in a sentence."""
        return f"{self.variant.title} on {self.instance_type}" if self.instance_type else self.variant.title

    @property
    def short(self) -> str:
        """As at the end of a line."""
        short = self.variant.short
        return f"{short} {self.instance_type.removeprefix('ml.')}" if self.instance_type else short

    def bill(self, scenario: Scenario, prices: Prices) -> Bill:
        """Its bill in one scenario, or in many at once."""
        return self.variant.bill(self._own(scenario), prices)

    def costs(self, scenario: Scenario, prices: Prices) -> Floats:
        """USD a month at each traffic of the scenario, [traffic]; infinite where it is not possible."""
        found = self.bill(scenario, prices).comparable
        return np.array(np.broadcast_to(found, np.shape(scenario.requests)), dtype=float)

    def instances(self, scenario: Scenario) -> Floats | None:
        """How many instances it keeps running at each traffic, [traffic]; None where it keeps none."""
        if self.variant.instances is None:
            return None
        found = self.variant.instances(self._own(scenario))
        return np.array(np.broadcast_to(found, np.shape(scenario.requests)), dtype=float)

    def _own(self, scenario: Scenario) -> Scenario:
        return replace(scenario, instance_type=self.instance_type) if self.instance_type else scenario


def candidates_named(names: Iterable[str]) -> list[Candidate]:
    """The variants of these names, on the scenario's own instance type."""
    return [Candidate(variant=VARIANTS[name]) for name in names]


def all_candidates(scenario: Scenario, prices: Prices) -> list[Candidate]:
    """Every variant that has a price, on every instance type that it can run on; the scenario's own type first."""
    return [
        Candidate(variant=variant, instance_type=instance_type)
        for variant in VARIANTS.values()
        if variant.is_priced(scenario)
        for instance_type in (variant.instance_types(scenario, prices) if variant.instance_types else [""])
    ]
