"""The page of costs by traffic: its assumptions and prices as HTML, around what cost.js draws of cost_data."""

import dataclasses
import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossover.cost.architectures import ARM64_REMARK
from crossover.cost.candidates import all_candidates
from crossover.cost.kinds import DEFAULT_KIND, KINDS, scenario_of
from crossover.cost.numbers import number
from crossover.cost.prices import Price, Prices, dates_of
from crossover.cost.scenario import Scenario
from crossover.cost.variants import by_default
from crossover.report.cost_data import CostData, cost_data
from crossover.report.page import Page, details, table, template


@dataclass(frozen=True, kw_only=True)
class CostPart:
    """What a page needs to show the costs: cost.js draws them.

    Attributes:
        kicker: what it is about, as text.
        chart, assumptions, prices: as HTML.
        data: for the script.
    """

    kicker: str
    chart: str
    assumptions: str
    prices: str
    data: CostData


def cost_page(
    scenario: Scenario,
    prices: Prices,
    candidates: Sequence[str] | None = None,
    *,
    mark: str = "",
    kind: str = DEFAULT_KIND,
) -> Page:
    """Monthly cost by traffic of all variants around one scenario, and the cheapest of all and of some.

    Args:
        scenario: one; the page begins at its traffic.
        prices: of the region.
        candidates: names of variants, of which the cheapest is shown too; by default those that can be deployed.
        mark: of the page.
        kind: of the model's input, one of KINDS.
    """
    part = cost_part(scenario, prices, candidates, kind=kind)
    return Page(
        title=f"Cost by traffic, {prices.region}",
        body=template(
            "cost.html",
            kicker=html.escape(part.kicker),
            chart=part.chart,
            assumptions=part.assumptions,
            prices=part.prices,
        ),
        data=part.data,
        scripts=("cost.js",),
        mark=mark,
    )


def cost_part(
    scenario: Scenario, prices: Prices, candidates: Sequence[str] | None = None, *, kind: str = DEFAULT_KIND
) -> CostPart:
    """The same as a part of a page, which must have the elements of its verdict and its sentence."""
    used = _used_prices(scenario, prices)
    caption = f"{_summary(scenario)} {prices.region}, {dates_of(used)}."
    names = by_default() if candidates is None else candidates
    return CostPart(
        kicker=f"Cost by traffic in {prices.region}, {dates_of(used)}",
        chart=template("break_even.html"),
        assumptions=_assumptions(scenario, kind),
        prices=_prices(used),
        data=cost_data(scenario, prices, names, caption=caption),
    )


def _used_prices(scenario: Scenario, prices: Prices) -> list[Price]:
    found = {}
    for candidate in all_candidates(scenario, prices):
        for line in candidate.bill(scenario, prices).lines:
            found[line.price.id] = line.price
    return [found[name] for name in sorted(found)]


def _summary(scenario: Scenario) -> str:
    cpu, memory = (float(np.asarray(each)) for each in (scenario.cpu_seconds, scenario.memory_mb))
    on_arm64 = f" on arm64: {ARM64_REMARK}" if scenario.architecture == "arm64" else ""
    return f"{number(1000 * cpu)} ms of CPU time a request, functions of {number(memory)} MB{on_arm64}."


def _assumptions(scenario: Scenario, kind: str) -> str:
    """Every field of the scenario that has a value, those that differ from the defaults of its kind first."""
    defaults = scenario_of(kind)
    given: list[list[str]] = []
    usual: list[list[str]] = []
    for each in dataclasses.fields(scenario):
        value = getattr(scenario, each.name)
        if value is None or each.name in ("requests", "instance_type"):
            continue
        default = getattr(defaults, each.name)
        is_default = value is default or value == default
        row = [each.metadata["meaning"], _value(value, each.metadata["unit"])]
        (usual if is_default else given).append([*row, each.metadata["origin"] if is_default else "given"])
    note = (
        f"Measured: on two shared cores with {KINDS[kind].on}, not on AWS. "
        "Assumed: a guess, to be replaced by your own. A month has 730 hours."
    )
    headings = ["what", "value", "where from"]
    rows = [*given, *usual]
    return f"<p>{html.escape(note)}</p>" + details(
        f"All {len(rows)} assumptions", table(headings, rows, classes=["", "number", ""])
    )


def _value(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return f"{value.amount:,.12g} {value.currency}"  # type: ignore[attr-defined]
    return f"{number(float(np.asarray(value)))} {unit}".strip()


def _prices(used: Sequence[Price]) -> str:
    unconfirmed = [price for price in used if not price.is_confirmed]
    named = ", ".join(f"{price.id} ({price.status})" for price in unconfirmed)
    note = f"Check these before you rely on them: {named}." if unconfirmed else "All of them are confirmed."
    rows = [
        [price.id, number(price.value), price.unit, price.date, price.status, price.source]
        for price in [*unconfirmed, *(price for price in used if price.is_confirmed)]
    ]
    headings = ["price", "of the first tier", "unit", "date", "status", "source"]
    listed = table(headings, rows, classes=["", "number", "", "", "", "source"])
    return f"<p>{html.escape(note)}</p>" + details(f"All {len(rows)} prices", listed)
