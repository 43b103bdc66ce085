"""The page of costs by traffic: every number that its script can show is counted here, by the model."""

import dataclasses
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from crossover.cost.machines import MACHINES
from crossover.cost.prices import Price, Prices
from crossover.cost.scenario import MINUTES_A_MONTH, Scenario
from crossover.cost.variants import DEPLOYABLE, VARIANTS
from crossover.report import words
from crossover.report.contenders import HOSTED, ON_EC2, Contender, contenders
from crossover.report.numbers import number, significant
from crossover.report.page import Page, details, table, template
from crossover.report.races import HIGHEST_RPM, LOWEST_RPM, Array, Field, Race

# The lever's positions: close together where a share of cold starts is usual.
COLD_SHARES = (None, 0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
DIGITS = 9  # of volumes and crossings
SMALL_DIGITS = 4  # of amounts below 1 USD
MOST_STEPS = 60  # machines; beyond, a step is too low to be seen
DRAWN_AT_FIRST = ("ec2-c5.large", "ec2-t4g.medium")  # of EC2's

# Of Okabe and Ito's palette, by the names in page.css, with a dash pattern each.
STYLES = {
    "standard": ("blue", "solid"),
    "snapstart": ("orange", "dash"),
    "sagemaker": ("green", "solid"),
    "provisioned": ("purple", "dashdot"),
    "efs": ("sky", "dot"),
    "websocket": ("sky", "longdash"),
    "serverless": ("green", "dash"),
    "rent": ("black", "solid"),
    "call-price": ("black", "dot"),
}
EC2_COLOUR, EC2_ARM_COLOUR = "vermillion", "grey"
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True, kw_only=True)
class CostPart:
    """What a page needs to show the costs: cost.js draws them.

    Attributes:
        kicker: what it is about, as text.
        race, assumptions, prices: as HTML.
        data: for the script.
    """

    kicker: str
    race: str
    assumptions: str
    prices: str
    data: dict[str, Any]


def cost_page(scenario: Scenario, prices: Prices, candidates: Sequence[str] = DEPLOYABLE, *, mark: str = "") -> Page:
    """Monthly cost by traffic of all variants around one scenario, and who is the cheapest of all and of some.

    Args:
        scenario: one; its traffic is where the page begins.
        candidates: names of variants, of which the cheapest is shown too.
        mark: of the page.
    """
    part = cost_part(scenario, prices, candidates)
    return Page(
        title=f"Cost by traffic, {prices.region}",
        body=template(
            "cost.html",
            kicker=html.escape(part.kicker),
            race=part.race,
            assumptions=part.assumptions,
            prices=part.prices,
        ),
        data=part.data,
        scripts=("cost.js",),
        mark=mark,
    )


def cost_part(scenario: Scenario, prices: Prices, candidates: Sequence[str] = DEPLOYABLE) -> CostPart:
    """The same as a part of a page; its verdict and its sentence are elements that the page must have."""
    field = Field(contenders(scenario, prices), scenario, prices, _cold_shares(scenario))
    used = _used_prices(field)
    return CostPart(
        kicker=f"Cost by traffic in {prices.region}, {_dates(used)}",
        race=template("race.html"),
        assumptions=_assumptions(scenario),
        prices=_prices(used),
        data=_data(field, used, candidates),
    )


def _cold_shares(scenario: Scenario) -> list[float | None]:
    own = [] if scenario.cold_share is None else [float(np.asarray(scenario.cold_share))]
    return [None, *sorted({*own, *(share for share in COLD_SHARES if share is not None)})]


def _data(field: Field, used: Sequence[Price], candidates: Sequence[str]) -> dict[str, Any]:
    """What the script draws: its positions, and the lines, races and bands of each."""
    always_on = [index for index, each in enumerate(field.contenders) if each.is_always_on]
    by_request = [index for index, each in enumerate(field.contenders) if not each.is_always_on]
    pairs = [(one, other) for one in by_request for other in always_on]
    everyone = list(range(len(field.contenders)))
    chosen = [index for index in everyone if field.contenders[index].variant.name in candidates]
    *raced, best_chosen, best = field.races([*pairs, chosen, everyone])
    keys = [each.key for each in field.contenders]
    return {
        "range": words.RANGE,
        "candidates": ", ".join(VARIANTS[name].title for name in candidates),
        "variants": _variants(field.contenders),
        "racers": [keys[index] for index in by_request],
        "tiers": [_tier(field.contenders[index]) for index in always_on],
        "colds": [{"value": share, "label": _cold_label(share, field.scenario)} for share in field.cold_shares],
        **_lines(field),
        "races": {
            f"{keys[one]} {keys[other]}": [
                _race(race, field, position, one, other) for position, race in enumerate(races)
            ]
            for (one, other), races in zip(pairs, raced, strict=True)
        },
        "bands": [
            {"candidates": _bands(one, field), "all": _bands(other, field)}
            for one, other in zip(best_chosen, best, strict=True)
        ],
        "ticks": {"log": _decades(), "linear": _windows(), "usd": [10.0**power for power in range(-3, 8)]},
        "start": _start(field, by_request, always_on),
        "caption": f"{_summary(field.scenario)} {field.prices.region}, {_dates(used)}.",
    }


def _variants(everyone: Sequence[Contender]) -> list[dict[str, Any]]:
    """The variants, each once, with the style of their lines."""
    first = {each.variant.name: each for each in reversed(everyone)}
    names = list(dict.fromkeys(each.variant.name for each in everyone))
    return [
        {
            "name": name,
            "title": first[name].variant.title,
            "short": first[name].short,
            "colour": colour,
            "dash": dash,
            "shown": not name.startswith(ON_EC2) or name in DRAWN_AT_FIRST,
        }
        for name, (colour, dash) in zip(names, _styles(names), strict=True)
    ]


def _styles(names: Sequence[str]) -> list[tuple[str, str]]:
    """Colour and dashes of each; EC2's get those that the ones before it with its colour do not have."""
    styles: list[tuple[str, str]] = []
    for name in names:
        if name.startswith(ON_EC2):
            colour = EC2_ARM_COLOUR if MACHINES[name.removeprefix(ON_EC2)].is_arm else EC2_COLOUR
            before = sum(other == colour for other, _ in styles)
            styles.append((colour, DASHES[before % len(DASHES)]))
        else:
            styles.append(STYLES[name])
    return styles


def _tier(contender: Contender) -> dict[str, Any]:
    group = "SageMaker" if contender.variant.name == HOSTED else "EC2" if contender.key.startswith(ON_EC2) else "Rent"
    return {
        "id": contender.key,
        "variant": contender.variant.name,
        "title": contender.title,
        "short": contender.short,
        "group": group,
    }


def _cold_label(share: float | None, scenario: Scenario) -> str:
    if share is None:
        return "as the arrivals give it"
    return f"{number(100 * share)} %{', as given' if share == scenario.cold_share else ''}"


def _lines(field: Field) -> dict[str, Any]:
    """The lines: volumes that several of them share, each different line once, and which one stands where."""
    grids: list[Array] = [field.drawn]
    curves: list[dict[str, Any]] = []
    numbers: dict[str, int] = {}
    lines: dict[str, list[int]] = {}
    for contender, machines, steps, costs in zip(
        field.contenders, field.machines, field.steps, field.costs, strict=True
    ):
        visible = steps[machines[np.searchsorted(field.volumes, steps)] <= MOST_STEPS] if steps.size else steps
        volumes = np.union1d(field.drawn, visible)
        grid = next((index for index, each in enumerate(grids) if np.array_equal(each, volumes)), len(grids))
        if grid == len(grids):
            grids.append(volumes)
        at = np.searchsorted(field.volumes, volumes)
        lines[contender.key] = []
        for position in range(len(field.cold_shares)):
            curve = _curve(grid, volumes, costs[position, at], machines[at])
            number_of = numbers.setdefault(repr(curve), len(curves))
            if number_of == len(curves):
                curves.append(curve)
            lines[contender.key].append(number_of)
    shown = [{"rpm": _compact(grid / MINUTES_A_MONTH, DIGITS), "requests": _compact(grid, DIGITS)} for grid in grids]
    return {"grids": shown, "curves": curves, "lines": lines}


def _curve(grid: int, volumes: Array, costs: Array, machines: Array) -> dict[str, Any]:
    curve: dict[str, Any] = {
        "grid": grid,
        "usd": _money(costs),
        "perMillion": _money(costs / volumes * 1e6),
    }
    if np.isfinite(machines).all():
        curve["machines"] = machines.astype(int).tolist()
    return curve


def _money(amounts: Array) -> list[float | int | None]:
    """As `_compact`, with the digits that the page shows, so that a number is rounded once only."""
    return [
        _short(amount, SMALL_DIGITS) if amount < 1 else _short(round(amount, 0 if amount >= 1000 else 2), DIGITS)
        for amount in amounts.tolist()
    ]


def _compact(values: Iterable[float], digits: int) -> list[float | int | None]:
    """For JSON: rounded, whole numbers without a point, None for what is infinite."""
    return [_short(value, digits) for value in values]


def _short(value: float, digits: int) -> float | int | None:
    if not np.isfinite(value):
        return None
    rounded = significant(float(value), digits)
    return int(rounded) if rounded.is_integer() else rounded


def _race(race: Race, field: Field, position: int, one: int, other: int) -> dict[str, Any]:
    names = {one: field.contenders[one].title, other: field.contenders[other].title, None: "neither"}
    own = float(np.asarray(field.scenario.requests))
    at = dataclasses.replace(field.scenario, cold_share=field.cold_shares[position])
    costs = {names[each]: float(field.contenders[each].bill(at, field.prices).comparable) for each in (one, other)}
    side = {one: 0, other: 1, None: None}  # 0 for the one that is paid by the request
    return {
        "verdict": words.verdict(race, names.__getitem__),
        "now": words.at_traffic(
            own / MINUTES_A_MONTH, own, {name: cost if np.isfinite(cost) else None for name, cost in costs.items()}
        ),
        "first": side[race.first],
        "crossings": [
            {
                "rpm": _short(each.rpm, DIGITS),
                "requests": _short(each.requests, DIGITS),
                "usd": None if each.usd is None else _short(each.usd, DIGITS),
                "above": side[each.above],
                "cause": each.cause,
            }
            for each in race.crossings
        ],
    }


def _bands(race: Race, field: Field) -> list[dict[str, Any]]:
    """Who is the cheapest where; neighbours that differ only in the type of their machines are one band."""
    edges = [LOWEST_RPM, *[each.rpm for each in race.crossings], HIGHEST_RPM]
    winners = [race.first, *[each.above for each in race.crossings]]
    known = [None if winner is None else field.contenders[winner] for winner in winners]
    found = []
    for _, group in groupby(enumerate(known), lambda place: place[1] and place[1].variant.name):
        places, held_by = zip(*group, strict=True)
        cheapest = list(dict.fromkeys(each for each in held_by if each))
        lowest, highest = edges[places[0]], edges[places[-1] + 1]
        types = [each.instance_type for each in cheapest[1:]]
        found.append(
            {
                "keys": [each.key for each in cheapest],
                "title": ", ".join([cheapest[0].title, *types]) if cheapest else "none can be had",
                "lowest": _short(lowest, DIGITS),
                "highest": _short(highest, DIGITS),
                "text": words.span(lowest, highest),
            }
        )
    return found


def _decades() -> list[dict[str, Any]]:
    powers = range(round(np.log10(LOWEST_RPM)), round(np.log10(HIGHEST_RPM)) + 1)
    return [_tick(10.0**power) for power in powers]


def _windows() -> list[list[dict[str, Any]]]:
    """The ticks of linear axes, which end at 0.5, 1, 2 requests a minute and so on."""
    ends = [step * 10.0**power for power in range(-1, 5) for step in (1, 2, 5)]
    return [[_tick(end * part / 5) for part in range(6)] for end in ends if LOWEST_RPM < end <= HIGHEST_RPM]


def _tick(rpm: float) -> dict[str, Any]:
    requests = rpm * MINUTES_A_MONTH
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if requests >= size:
            return {"rpm": rpm, "text": number(rpm), "month": number(requests / size) + unit}
    return {"rpm": rpm, "text": number(rpm), "month": number(requests)}


def _start(field: Field, by_request: Sequence[int], always_on: Sequence[int]) -> dict[str, Any]:
    own = float(np.asarray(field.scenario.requests))
    hosted = [index for index in always_on if field.contenders[index].variant.name == HOSTED]
    share = field.scenario.cold_share
    return {
        "racer": field.contenders[by_request[0]].key,
        "tier": field.contenders[(hosted or always_on)[0]].key,
        "cold": 0 if share is None else field.cold_shares.index(float(np.asarray(share))),
        "traffic": int(np.argmin(np.abs(field.drawn - own))),
    }


# ---- what it rests on


def _used_prices(field: Field) -> list[Price]:
    found = {}
    for contender in field.contenders:
        for line in contender.bill(field.scenario, field.prices).lines:
            found[line.price.id] = line.price
    return [found[name] for name in sorted(found)]


def _dates(used: Sequence[Price]) -> str:
    dated = sorted(price.date for price in used if price.date != "undated")
    if not dated:
        return "undated prices"
    return f"prices of {dated[0]}" if dated[0] == dated[-1] else f"prices of {dated[0]} to {dated[-1]}"


def _summary(scenario: Scenario) -> str:
    cpu, memory = (float(np.asarray(each)) for each in (scenario.cpu_seconds, scenario.memory_mb))
    return f"{number(1000 * cpu)} ms of processor time a request, functions of {number(memory)} MB."


def _assumptions(scenario: Scenario) -> str:
    """Every field of the scenario that has a value, those that differ from their defaults first."""
    given: list[list[str]] = []
    usual: list[list[str]] = []
    for each in dataclasses.fields(scenario):
        value = getattr(scenario, each.name)
        if value is None or each.name in ("requests", "instance_type"):
            continue
        is_default = value is each.default or value == each.default
        row = [each.metadata["meaning"], _value(value, each.metadata["unit"])]
        (usual if is_default else given).append([*row, each.metadata["origin"] if is_default else "given"])
    note = (
        "Measured: on two shared cores with a clip of 7.1 s, no figure of AWS. "
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
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return f"{value.amount:,.12g} {value.currency}"  # type: ignore[attr-defined]
    return f"{number(float(np.asarray(value)))} {unit}".strip()


def _prices(used: Sequence[Price]) -> str:
    unsure = [price for price in used if not price.is_sure]
    named = ", ".join(f"{price.id} ({price.status})" for price in unsure)
    note = f"To be checked before you rely on them: {named}." if unsure else "All of them are confirmed."
    rows = [
        [price.id, number(price.value), price.unit, price.date, price.status, price.source]
        for price in [*unsure, *(price for price in used if price.is_sure)]
    ]
    headings = ["price", "of the first tier", "unit", "date", "status", "source"]
    listed = table(headings, rows, classes=["", "number", "", "", "", "source"])
    return f"<p>{html.escape(note)}</p>" + details(f"All {len(rows)} prices", listed)
