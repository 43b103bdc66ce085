"""The data of the page of costs: every number that its script can show is computed here, by the model."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NotRequired, TypedDict

import numpy as np

from crossover.cost.break_even import HIGHEST_RPM, LOWEST_RPM, BreakEvens, CostGrid
from crossover.cost.candidates import Candidate, Floats, all_candidates
from crossover.cost.numbers import number, significant
from crossover.cost.prices import Prices
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS, style_of
from crossover.report import sentences

# Positions of the parameter: denser where cold shares usually are.
COLD_SHARES = (None, 0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
DIGITS = 9  # of traffic and break-even points
SMALL_DIGITS = 4  # of amounts below 1 USD
POINTS_DRAWN_PER_DECADE = 40  # of the points of a line
MAX_STEPS = 60  # instances; beyond, a step is too low to be seen


class VariantJson(TypedDict):
    """A variant, the style of its lines, and whether they are shown at first."""

    name: str
    title: str
    short: str
    colour: str
    dash: str
    shown: bool


class AlwaysOn(TypedDict):
    """A candidate that is always on: `id` is its key, `group` the heading that it stands under."""

    id: str
    variant: str
    title: str
    short: str
    group: str


class ColdShare(TypedDict):
    """A position of the parameter; None for that of Poisson arrivals."""

    value: float | None
    label: str


class Grid(TypedDict):
    """Traffic of the points of a line, in requests a minute and a month."""

    rpm: list[float | None]
    requests: list[float | None]


class Curve(TypedDict):
    """What each point of `grid` costs: USD a month and per million requests, None where it is not possible."""

    grid: int
    usd: list[float | None]
    perMillion: list[float | None]
    instances: NotRequired[list[int]]


class Lines(TypedDict):
    """The number of the curve of each candidate at each cold share, by the candidate's key."""

    grids: list[Grid]
    curves: list[Curve]
    lines: dict[str, list[int]]


class BreakEvenJson(TypedDict):
    """A break-even point of a pair: from it on `above` is cheaper, 0 what is on demand, 1 what is always on."""

    rpm: float | None
    requests: float | None
    usd: float | None
    above: int | None
    cause: str


class Pair(TypedDict):
    """What is on demand against what is always on, at one cold share; `first` is cheaper at the lowest traffic."""

    verdict: str
    now: str
    first: int | None
    breakEvens: list[BreakEvenJson]


class BandJson(TypedDict):
    """From `lowest` to `highest` requests a minute the candidates with these keys are the cheapest."""

    keys: list[str]
    title: str
    lowest: float | None
    highest: float | None
    text: str


class Bands(TypedDict):
    """The cheapest at one cold share: of the chosen variants, and of all."""

    candidates: list[BandJson]
    all: list[BandJson]


class Tick(TypedDict):
    """A tick: requests a minute, as text too, and requests a month."""

    rpm: float
    text: str
    month: str


class Ticks(TypedDict):
    """Of the logarithmic axis, of each linear one, and of the costs, in USD."""

    log: list[Tick]
    linear: list[list[Tick]]
    usd: list[float]


class Start(TypedDict):
    """The parameters' first positions: two candidates' keys, a cold share, a point of the first grid."""

    onDemand: str
    alwaysOn: str
    cold: int
    traffic: int


class CostData(Lines):
    """What cost.js reads. `pairs` has "<on demand> <always on>" as keys; it and `bands` have one entry a cold share."""

    range: str
    candidates: str
    variants: list[VariantJson]
    onDemand: list[str]
    alwaysOn: list[AlwaysOn]
    colds: list[ColdShare]
    pairs: dict[str, list[Pair]]
    bands: list[Bands]
    ticks: Ticks
    start: Start
    caption: str


def cost_data(scenario: Scenario, prices: Prices, names: Sequence[str], *, caption: str) -> CostData:
    """What the script draws: the parameters' positions, and the lines, break-even points and bands of each position.

    Args:
        scenario: one.
        prices: of the region.
        names: of variants among which the cheapest is sought, besides that among all.
        caption: of the chart.
    """
    candidates = all_candidates(scenario, prices)
    shares = cold_shares(scenario)
    grid = CostGrid(
        candidates,
        [
            dataclasses.replace(scenario, cold_share=None),
            dataclasses.replace(scenario, cold_share=np.array(shares[1:])),
        ]
        if len(shares) > 1
        else [dataclasses.replace(scenario, cold_share=None)],
        prices,
        at=drawn(scenario),
    )
    always_on = [index for index, each in enumerate(candidates) if each.variant.is_always_on]
    on_demand = [index for index, each in enumerate(candidates) if not each.variant.is_always_on]
    pairs = [(one, other) for one in on_demand for other in always_on]
    chosen = [index for index, each in enumerate(candidates) if each.variant.name in names]
    *of_pairs, of_chosen, of_all = grid.break_evens([*pairs, chosen, range(len(candidates))])
    own = float(np.asarray(scenario.requests))
    costs = grid.costs_at(own)
    by_key = {each.key: each for each in candidates}
    return {
        "range": sentences.RANGE,
        "candidates": ", ".join(VARIANTS[name].title for name in names),
        "variants": _variants(candidates),
        "onDemand": [candidates[index].key for index in on_demand],
        "alwaysOn": [_always_on(candidates[index]) for index in always_on],
        "colds": [{"value": share, "label": _cold_label(share, scenario)} for share in shares],
        **_lines(grid, drawn(scenario)),
        "pairs": {
            f"{candidates[one].key} {candidates[other].key}": [
                _pair(found, candidates[one], candidates[other], own, costs[[one, other], case])
                for case, found in enumerate(of_cases)
            ]
            for (one, other), of_cases in zip(pairs, of_pairs, strict=True)
        },
        "bands": [
            {"candidates": _bands(one, by_key), "all": _bands(other, by_key)}
            for one, other in zip(of_chosen, of_all, strict=True)
        ],
        "ticks": {"log": _decades(), "linear": _windows(), "usd": [10.0**power for power in range(-3, 8)]},
        "start": _start(scenario, shares, candidates),
        "caption": caption,
    }


def cold_shares(scenario: Scenario) -> list[float | None]:
    """The positions of the parameter, the scenario's own among them; None for that of Poisson arrivals."""
    own = [] if scenario.cold_share is None else [float(np.asarray(scenario.cold_share))]
    return [None, *sorted({*own, *(share for share in COLD_SHARES if share is not None)})]


def drawn(scenario: Scenario) -> Floats:
    """Requests a month of the points that each line has: round numbers a minute, and the scenario's own traffic."""
    decades = np.log10(HIGHEST_RPM / LOWEST_RPM)
    even = np.geomspace(LOWEST_RPM, HIGHEST_RPM, round(POINTS_DRAWN_PER_DECADE * decades) + 1)
    digits = 2 - np.floor(np.log10(even)).astype(int)
    rounded = [round(value, digit) for value, digit in zip(even.tolist(), digits.tolist(), strict=True)]
    own = float(np.clip(float(np.asarray(scenario.rpm)), LOWEST_RPM, HIGHEST_RPM))
    return np.unique([*rounded, own]) * MINUTES_PER_MONTH


def _variants(candidates: Sequence[Candidate]) -> list[VariantJson]:
    """The variants, each once, with the style of their lines."""
    first = {each.variant.name: each for each in reversed(candidates)}
    return [
        {
            "name": name,
            "title": first[name].variant.title,
            "short": first[name].short,
            "colour": style_of(name).colour,
            "dash": style_of(name).dash,
            "shown": first[name].variant.is_drawn,
        }
        for name in dict.fromkeys(each.variant.name for each in candidates)
    ]


def _always_on(candidate: Candidate) -> AlwaysOn:
    return {
        "id": candidate.key,
        "variant": candidate.variant.name,
        "title": candidate.title,
        "short": candidate.short,
        "group": candidate.variant.group,
    }


def _cold_label(share: float | None, scenario: Scenario) -> str:
    if share is None:
        return "as the arrivals give it"
    return f"{number(100 * share)} %{', as given' if share == scenario.cold_share else ''}"


def _lines(grid: CostGrid, points: Floats) -> Lines:
    """The lines: traffic that several of them share, each different line once, and which one each candidate has."""
    traffic: list[Floats] = [points]
    curves: list[Curve] = []
    numbers: dict[tuple[object, ...], int] = {}
    lines: dict[str, list[int]] = {}
    for candidate, instances, steps, costs in zip(grid.candidates, grid.instances, grid.steps, grid.costs, strict=True):
        visible = steps[instances[np.searchsorted(grid.volumes, steps)] <= MAX_STEPS] if steps.size else steps
        volumes = np.union1d(points, visible)
        its = next((index for index, each in enumerate(traffic) if np.array_equal(each, volumes)), len(traffic))
        if its == len(traffic):
            traffic.append(volumes)
        at = np.searchsorted(grid.volumes, volumes)
        lines[candidate.key] = []
        seen: dict[bytes, int] = {}  # lines of this candidate that no cold share moves
        for of_case in costs[:, at]:
            key = of_case.tobytes()
            if key not in seen:
                curve = _curve(its, volumes, of_case, instances[at])
                seen[key] = numbers.setdefault(_as_key(curve), len(curves))
                if seen[key] == len(curves):
                    curves.append(curve)
            lines[candidate.key].append(seen[key])
    shown: list[Grid] = [
        {"rpm": _compact(each / MINUTES_PER_MONTH, DIGITS), "requests": _compact(each, DIGITS)} for each in traffic
    ]
    return {"grids": shown, "curves": curves, "lines": lines}


def _curve(grid: int, volumes: Floats, costs: Floats, instances: Floats) -> Curve:
    curve: Curve = {
        "grid": grid,
        "usd": _money(costs),
        "perMillion": _money(costs / volumes * 1e6),
    }
    if np.isfinite(instances).all():
        curve["instances"] = instances.astype(int).tolist()
    return curve


def _as_key(curve: Curve) -> tuple[object, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in curve.values())


def _money(amounts: Floats) -> list[float | None]:
    """As `_compact`, with the digits that the page shows, so that a number is rounded once only."""
    return [
        round(amount)
        if 1000 <= amount < 10**DIGITS
        else _without_point(round(amount, 2))
        if 1 <= amount < 1000
        else _short(amount, SMALL_DIGITS if amount < 1 else DIGITS)
        for amount in amounts.tolist()
    ]


def _compact(values: Iterable[float], digits: int) -> list[float | None]:
    """For JSON: rounded, whole numbers without a point, None for what is infinite."""
    return [_short(value, digits) for value in values]


def _short(value: float, digits: int) -> float | None:
    if not math.isfinite(value):
        return None
    return _without_point(significant(value, digits))


def _without_point(value: float) -> float:
    return int(value) if value.is_integer() else value


def _pair(found: BreakEvens, one: Candidate, other: Candidate, own: float, costs: Floats) -> Pair:
    """Of one that is on demand and one that is always on; `costs` are both bills at the scenario's own traffic."""
    side = {one.key: 0, other.key: 1, None: None}
    at_own = dict(zip((one.title, other.title), costs.tolist(), strict=True))
    return {
        "verdict": sentences.verdict(found, {each.key: each.title for each in (one, other)}),
        "now": sentences.at_traffic(
            own / MINUTES_PER_MONTH, own, {name: cost if np.isfinite(cost) else None for name, cost in at_own.items()}
        ),
        "first": side[found.first],
        "breakEvens": [
            {
                "rpm": _short(each.rpm, DIGITS),
                "requests": _short(each.requests, DIGITS),
                "usd": None if each.above is None else _short(each.usd, DIGITS),
                "above": side[each.above],
                "cause": each.cause.value,
            }
            for each in found.points
        ],
    }


def _bands(found: BreakEvens, by_key: dict[str, Candidate]) -> list[BandJson]:
    """The cheapest over the range of traffic; adjacent ones that differ only in their instance type are one band."""
    shown: list[BandJson] = []
    known = [(band, None if band.variant is None else by_key[band.variant]) for band in found.bands]
    for _, group in groupby(known, lambda pair: pair[1] and pair[1].variant.name):
        bands, candidates = zip(*group, strict=True)
        cheapest = list(dict.fromkeys(each for each in candidates if each))
        lowest, highest = (edge / MINUTES_PER_MONTH for edge in (bands[0].lowest, bands[-1].highest))
        types = [each.instance_type for each in cheapest[1:]]
        shown.append(
            {
                "keys": [each.key for each in cheapest],
                "title": ", ".join([cheapest[0].title, *types]) if cheapest else "none is possible",
                "lowest": _short(lowest, DIGITS),
                "highest": _short(highest, DIGITS),
                "text": sentences.span(lowest, highest),
            }
        )
    return shown


def _decades() -> list[Tick]:
    powers = range(round(np.log10(LOWEST_RPM)), round(np.log10(HIGHEST_RPM)) + 1)
    return [_tick(10.0**power) for power in powers]


def _windows() -> list[list[Tick]]:
    """The ticks of linear axes, which end at 0.5, 1, 2 requests a minute and so on."""
    ends = [step * 10.0**power for power in range(-1, 5) for step in (1, 2, 5)]
    return [[_tick(end * part / 5) for part in range(6)] for end in ends if LOWEST_RPM < end <= HIGHEST_RPM]


def _tick(rpm: float) -> Tick:
    requests = rpm * MINUTES_PER_MONTH
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if requests >= size:
            return {"rpm": rpm, "text": number(rpm), "month": number(requests / size) + unit}
    return {"rpm": rpm, "text": number(rpm), "month": number(requests)}


def _start(scenario: Scenario, shares: Sequence[float | None], candidates: Sequence[Candidate]) -> Start:
    """The parameters' first positions: two variants that can be deployed where there are any."""
    on_demand = [each for each in candidates if not each.variant.is_always_on]
    always_on = [each for each in candidates if each.variant.is_always_on]
    deployable = [each for each in always_on if each.variant.is_deployable]
    share = scenario.cold_share
    return {
        "onDemand": on_demand[0].key,
        "alwaysOn": (deployable or always_on)[0].key,
        "cold": 0 if share is None else shares.index(float(np.asarray(share))),
        "traffic": int(np.argmin(np.abs(drawn(scenario) - float(np.asarray(scenario.requests))))),
    }
