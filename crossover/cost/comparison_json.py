"""A comparison as JSON, and as rows for CSV."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NotRequired, TypedDict, cast

import numpy as np

from crossover.cost.bill import Bill
from crossover.cost.bill_comparison import Comparison, Effect
from crossover.cost.comparison_tables import remarks
from crossover.cost.options import Inputs
from crossover.cost.prices import Price


class AmountJson(TypedDict):
    """A rent or the price of a call; a unit of its currency is worth `usd` USD."""

    amount: float
    currency: str
    usd: float
    vcpus: NotRequired[float | None]


class PriceJson(TypedDict):
    """A price; `usd` is that of the first tier."""

    id: str
    usd: float
    unit: str
    date: str
    status: str
    source: str


class LineJson(TypedDict):
    """A line of a bill, a month."""

    name: str
    quantity: float
    usd: float
    price: PriceJson


class BillJson(TypedDict):
    """A bill of a month; no USD where the variant is not possible, no instances where it keeps none."""

    usd: float | None
    possible: bool
    instances: float | None
    assumes_one_instance: bool
    problems: list[str]
    lines: list[LineJson]


class BreakEvenJson(TypedDict):
    """Traffic, requests a month, from which on `above` is the cheapest."""

    requests: float
    below: str | None
    above: str | None
    usd: float
    cause: str
    is_step: bool
    rpm: float


class BandJson(TypedDict):
    """Traffic, requests a month, between two break-even points."""

    variant: str | None
    lowest: float
    highest: float


class EffectJson(TypedDict):
    """What changes when an input has another value."""

    field: str
    factor: float
    value: float
    cheapest: str | None
    usd: float | None
    next_rpm: float | None


class ComparisonJson(TypedDict):
    """Everything about a comparison."""

    schema: int
    region: str
    scenario: dict[str, float | str | bool | AmountJson | None]
    given: list[str]
    rpm: float
    kind: str
    arrivals: str
    warm_seconds: float
    cold_share: float
    candidates: list[str]
    cheapest: str | None
    verdict: str
    variants: dict[str, BillJson]
    break_evens: list[BreakEvenJson]
    bands: list[BandJson]
    sensitivity: list[EffectJson]
    remarks: list[str]
    unconfirmed_prices: list[PriceJson]


class Row(TypedDict):
    """A line of a variant's bill; no USD where the variant is not possible."""

    rpm: float
    variant: str
    possible: bool
    cheapest: bool
    line: str
    quantity: float
    unit_usd: float
    usd: float | None


def as_json(comparison: Comparison, inputs: Inputs, effects: Sequence[Effect]) -> ComparisonJson:
    """Everything about a comparison."""
    scenario = comparison.scenario
    warm = float(scenario.warm())
    return {
        "schema": 1,
        "region": comparison.prices.region,
        "scenario": {each.name: _plain(getattr(scenario, each.name)) for each in fields(scenario)},
        "given": sorted(inputs.given),
        "rpm": float(scenario.rpm),
        "kind": inputs.kind,
        "arrivals": inputs.traffic.text,
        "warm_seconds": warm,
        "cold_share": float(scenario.cold(warm)),
        "candidates": list(comparison.candidates),
        "cheapest": comparison.cheapest,
        "verdict": comparison.verdict,
        "variants": {name: _bill(bill) for name, bill in comparison.bills.items()},
        "break_evens": [
            {
                "requests": point.requests,
                "below": point.below,
                "above": point.above,
                "usd": point.usd,
                "cause": point.cause.value,
                "is_step": point.is_step,
                "rpm": point.rpm,
            }
            for point in comparison.break_evens.points
        ],
        "bands": [cast(BandJson, vars(band)) for band in comparison.break_evens.bands],
        "sensitivity": [
            cast(EffectJson, {**vars(effect), "usd": effect.usd if np.isfinite(effect.usd) else None})
            for effect in effects
        ],
        "remarks": remarks(comparison, inputs),
        "unconfirmed_prices": [_price(price) for price in comparison.unconfirmed_prices],
    }


def as_rows(comparison: Comparison) -> list[Row]:
    """A row for each variant and line."""
    return [
        {
            "rpm": float(comparison.scenario.rpm),
            "variant": name,
            "possible": bool(bill.is_possible),
            "cheapest": name == comparison.cheapest,
            "line": line.name,
            "quantity": float(line.quantity),
            "unit_usd": line.price.value,
            "usd": float(line.usd) if bill.is_possible else None,
        }
        for name, bill in comparison.bills.items()
        for line in bill.lines
    ]


def _bill(bill: Bill) -> BillJson:
    return {
        "usd": float(bill.usd) if bill.is_possible else None,
        "possible": bool(bill.is_possible),
        "instances": None if bill.instances is None else float(bill.instances),
        "assumes_one_instance": bill.assumes_one_instance,
        "problems": [problem.text for problem in bill.problems if np.any(problem.where)],
        "lines": [
            {
                "name": line.name,
                "quantity": float(line.quantity),
                "usd": float(line.usd),
                "price": _price(line.price),
            }
            for line in bill.lines
        ],
    }


def _price(price: Price) -> PriceJson:
    return {
        "id": price.id,
        "usd": price.value,
        "unit": price.unit,
        "date": price.date,
        "status": price.status,
        "source": price.source,
    }


def _plain(value: Any) -> float | str | bool | AmountJson | None:
    """The value of a field of the scenario."""
    if value is None or isinstance(value, bool | str):
        return value
    return cast(AmountJson, vars(value)) if hasattr(value, "amount") else float(value)
