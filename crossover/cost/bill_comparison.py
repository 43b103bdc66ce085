"""All variants at one traffic, the cheapest of the candidates, and at which traffic that changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crossover.cost.bill import Bill
from crossover.cost.break_even import HIGHEST, LOWEST, BreakEvens, break_evens
from crossover.cost.candidates import candidates_named
from crossover.cost.numbers import number
from crossover.cost.prices import Price, Prices
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS

MAX_SWITCHES_NAMED = 3  # in the verdict


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What each variant costs at one traffic.

    Attributes:
        scenario: with a single number in each field.
        prices: of the region.
        candidates: names of the variants that the cheapest is chosen from.
        bills: of all variants that were asked for, the candidates first.
        break_evens: of the candidates, over all traffic.
    """

    scenario: Scenario
    prices: Prices
    candidates: tuple[str, ...]
    bills: dict[str, Bill]
    break_evens: BreakEvens

    @property
    def cheapest(self) -> str | None:
        """The cheapest candidate at this traffic; None where none is possible."""
        return cheapest({name: self.bills[name] for name in self.candidates})

    @property
    def unconfirmed_prices(self) -> list[Price]:
        """Unconfirmed prices in the bills, sorted by name."""
        used = {line.price.id: line.price for bill in self.bills.values() for line in bill.lines}
        return [price for _, price in sorted(used.items()) if not price.is_confirmed]

    @property
    def verdict(self) -> str:
        """Which one to use at this traffic, and at which to move: a sentence or two."""
        return _verdict(self)


def compare(scenario: Scenario, prices: Prices, *, candidates: Sequence[str], others: Sequence[str] = ()) -> Comparison:
    """The bills of candidates and others, and where the cheapest of the candidates changes."""
    names = dict.fromkeys([*candidates, *others])
    lowest, highest = min(LOWEST, float(scenario.requests)), max(HIGHEST, float(scenario.requests))
    bills = {name: VARIANTS[name].bill(scenario, prices) for name in names}
    (found,) = break_evens(candidates_named(candidates), scenario, prices, lowest=lowest, highest=highest)
    return Comparison(
        scenario=scenario,
        prices=prices,
        candidates=tuple(candidates),
        bills=bills,
        break_evens=found,
    )


def cheapest(bills: dict[str, Bill]) -> str | None:
    """The name of the cheapest, the first of those that cost the same; None where none is possible."""
    name = min(bills, key=lambda each: float(bills[each].comparable))
    return name if np.isfinite(bills[name].comparable) else None


def _verdict(comparison: Comparison) -> str:
    rpm = float(comparison.scenario.rpm)
    name = comparison.cheapest
    if name is None:
        return f"At {number(rpm)} requests a minute none of these variants is possible."
    usd = float(comparison.bills[name].usd)
    others = [float(comparison.bills[each].comparable) for each in comparison.candidates if each != name]
    saving = min(others, default=np.inf) - usd
    margin = f", {saving:,.2f} less than the next" if np.isfinite(saving) else ""
    now = f"At {number(rpm)} requests a minute use {name}: {usd:,.2f} USD a month{margin}."
    return f"{now} {_switches(comparison)}"


def _switches(comparison: Comparison) -> str:
    """At which traffic to switch to another variant: the next point below, and the first ones above."""
    requests = float(comparison.scenario.requests)
    found = comparison.break_evens
    above = [point for point in found.points if point.requests > requests]
    below = [point for point in found.points if point.requests <= requests]
    switches = []
    if below:
        switches.append(f"to {below[-1].below or 'none of them'} below {number(below[-1].rpm)} a minute")
    switches += [
        f"to {each.above or 'none of them'} above {number(each.rpm)} a minute" for each in above[:MAX_SWITCHES_NAMED]
    ]
    if not switches:
        lowest, highest = (number(each / MINUTES_PER_MONTH) for each in (found.lowest, found.highest))
        return f"It is the cheapest from {lowest} to {highest} a minute."
    more = len(above) - MAX_SWITCHES_NAMED
    further = f" The cheapest changes {more} more {'time' if more == 1 else 'times'} beyond that." if more > 0 else ""
    return f"Switch {', '.join(switches)}.{further}"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The cheapest variant and the next break-even point when one input has another value.

    Attributes:
        field: of the scenario.
        factor: that it is multiplied by.
        value: it has then.
        cheapest: then, at this traffic; None where none is possible.
        usd: a month, of that.
        next_rpm: requests a minute of the first break-even point above this traffic; None where there is none.
    """

    field: str
    factor: float
    value: float
    cheapest: str | None
    usd: float
    next_rpm: float | None


FACTORS = (0.8, 1.2)
INPUTS = (
    "requests",
    "warm_seconds",
    "cpu_seconds",
    "wait_seconds",
    "init_seconds",
    "cold_share",
    "idle_seconds",
    "memory_mb",
    "proxy_seconds",
    "proxy_overhead",
    "utilisation",
    "file_mb",
)


def sensitivity(comparison: Comparison) -> list[Effect]:
    """Each input a fifth lower and a fifth higher, all else alike; those that are not given are left out."""
    base = comparison.scenario
    varied = [name for name in INPUTS if getattr(base, name) is not None]
    if base.cold_share is not None:
        varied.remove("idle_seconds")  # has no effect
    cases = [(name, factor) for name in varied for factor in FACTORS]
    arrays: dict[str, Any] = {
        name: np.array([_varied(base, name, factor if name == field else 1.0) for field, factor in cases])
        for name in varied
    }
    scenarios = replace(base, **arrays)
    costs = np.stack(
        [
            np.broadcast_to(VARIANTS[name].bill(scenarios, comparison.prices).comparable, len(cases))
            for name in comparison.candidates
        ]
    )
    found = break_evens(candidates_named(comparison.candidates), scenarios, comparison.prices)
    effects = []
    for case, (name, factor) in enumerate(cases):
        requests = scenarios.requests[case]  # type: ignore[index]
        usd = costs[:, case].min()
        effects.append(
            Effect(
                field=name,
                factor=factor,
                value=float(arrays[name][case]),
                cheapest=comparison.candidates[costs[:, case].argmin()] if np.isfinite(usd) else None,
                usd=float(usd),
                next_rpm=next((each.rpm for each in found[case].points if each.requests > requests), None),
            )
        )
    return effects


def _varied(scenario: Scenario, field: str, factor: float) -> float:
    low, high = Scenario.__dataclass_fields__[field].metadata["bounds"]
    return float(np.clip(getattr(scenario, field) * factor, low, high))
