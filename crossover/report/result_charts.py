"""The charts of the results page: every observation, its distribution, and the steps of the load, computed here."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from crossover.bench import result
from crossover.bench.run.observation import Observation
from crossover.bench.run.plan import Phase
from crossover.bench.statistics import QUANTILES, Estimate, Summary
from crossover.cost.numbers import number
from crossover.cost.variants import VARIANTS, style_of
from crossover.errors import UsageError

# Meanings of measures, with their units; another measure of result.MEASURES is shown by its name.
TITLES = {
    "latency_ms": ("latency: from the intended sending to the item", "ms"),
    "item_ms": ("from the upload to the item, by AWS's clocks", "ms"),
    "upload_ms": ("upload, from the intended sending", "ms"),
    "handler_ms": ("the handler's own time", "ms"),
    "inference_ms": ("inference", "ms"),
    "duration_ms": ("duration in the REPORT line", "ms"),
    "billed_ms": ("billed, INIT or restore included", "ms"),
    "init_ms": ("INIT", "ms"),
    "restore_ms": ("restore", "ms"),
    "billed_restore_ms": ("billed part of the restore", "ms"),
    "max_memory_mb": ("most memory used", "MB"),
}
MEMBERS = ("rehearsal", "started", "ended", "environment", "prices", "plan", "statistics", "scenario", "observations")
WARM, COLD, FORCED, FAILED = "warm", "cold in the load", "cold, forced", "failed"
KINDS: tuple[result.Start, ...] = ("together", "warm", "cold")  # of summaries, the most informative first
PERCENTILES = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)
DECIMALS = 3  # of ms and MB

Floats = NDArray[np.float64]
Column = list[float | None]  # a value of each observation


class Measure(TypedDict):
    name: str
    title: str
    unit: str


class Shares(TypedDict):
    """A step at each value `x`, up to the share `y` of the observations that are no larger."""

    x: list[float]
    y: list[float]


class Line(TypedDict):
    """A curve of percentiles: `x` on the axis of nines, `shape` as plotly names it."""

    x: list[float]
    y: list[float]
    shape: str


class Point(TypedDict):
    """A quantile of the result file, with its interval."""

    name: str
    x: float
    value: float | None
    low: float | None
    high: float | None


class Percentiles(Line):
    """The curve of the most informative kind of summary, and its quantiles."""

    kind: str
    points: list[Point]


class Curves(TypedDict):
    warm: Shares
    cold: Shares
    percentiles: Percentiles


class VariantChart(TypedDict):
    """One variant: its observations column by column, and per measure its values, curves and a note."""

    name: str
    title: str
    colour: str
    dash: str
    kinds: list[str]
    phases: list[str]
    numbers: list[int]
    files: list[str]
    places: list[float]
    values: dict[str, Column]
    curves: dict[str, Curves]
    notes: dict[str, str]


class Tick(TypedDict):
    at: float
    text: str


class Charts(TypedDict):
    """What the script draws, as JSON."""

    measures: list[Measure]
    variants: list[VariantChart]
    percentiles: list[Tick]
    steps: dict[str, list[result.Step]]


def read(path: Path) -> tuple[result.Document, list[Observation]]:
    """A benchmark's result, and its observations.

    Raises:
        UsageError: the file cannot be read, or is not such a result.
    """
    document = result.read(path)
    missing = [name for name in MEMBERS if name not in document]
    if missing:
        raise UsageError(f"{path} is not a complete result of a benchmark: it lacks {', '.join(missing)}.")
    if not isinstance(document["environment"], dict) or not isinstance(document["environment"].get("region"), str):
        raise UsageError(f"{path} is not a complete result of a benchmark: it lacks its environment's region.")
    try:
        observations = result.observations_of(document)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"The observations in {path} cannot be read: {error!r}.") from error
    return document, observations


def title_of(measure: str) -> tuple[str, str]:
    """Meaning and unit of a measure."""
    return TITLES.get(measure, (measure, ""))


def variant_title(name: str) -> str:
    """Its name, and what the cost model calls it."""
    return f"{name} ({VARIANTS[name].title})" if name in VARIANTS else name


def charts(document: result.Document, observations: Sequence[Observation]) -> Charts:
    """The charts of a result: of each variant its observations, the curves of their distribution, and its quantiles."""
    statistics = document["statistics"]["variants"]
    variants = [
        _variant(name, [each for each in observations if each.variant == name], figures)
        for name, figures in statistics.items()
    ]
    names = [name for name in result.MEASURES if any(name in each["values"] for each in variants)]
    return {
        "measures": [{"name": name, "title": title_of(name)[0], "unit": title_of(name)[1]} for name in names],
        "variants": variants,
        "percentiles": [
            {"at": _nines(share), "text": f"{100 * share:.12g} %" if share else "least"} for share in PERCENTILES
        ],
        "steps": {name: figures["throughput"] for name, figures in statistics.items() if figures["throughput"]},
    }


def _variant(name: str, observations: Sequence[Observation], figures: result.VariantStatistics) -> VariantChart:
    colour, dash = style_of(name)
    columns = {measure: [_value(each, measure) for each in observations] for measure in result.MEASURES}
    values = {measure: column for measure, column in columns.items() if any(each is not None for each in column)}
    return {
        "name": name,
        "title": variant_title(name),
        "colour": colour,
        "dash": dash,
        "kinds": [kind_of(each) for each in observations],
        "phases": [each.phase.value for each in observations],
        "numbers": [each.number for each in observations],
        "files": [each.file for each in observations],
        "places": _places(len(observations)),
        "values": values,
        "curves": {measure: _curves(observations, column, figures, measure) for measure, column in values.items()},
        "notes": {measure: _note(column) for measure, column in values.items()},
    }


def kind_of(observation: Observation) -> str:
    """One of the four kinds that are drawn."""
    if not observation.succeeded:
        return FAILED
    if not observation.is_cold:
        return WARM
    return FORCED if observation.phase is Phase.COLD else COLD


def _value(observation: Observation, measure: str) -> float | None:
    value = result.MEASURES[measure](observation) if observation.succeeded else None
    return _rounded(value)


def _places(count: int) -> list[float]:
    """Positions within a strip, -0.5 to 0.5: evenly spread and always the same (multiples of the golden ratio)."""
    return [round((index * 0.6180339887498949) % 1 - 0.5, 4) for index in range(count)]


def _note(column: Column) -> str:
    """How many observations are drawn, and why the others are not."""
    known = [each for each in column if each is not None]
    said = f"{len(known):,} of {len(column):,} have this value"
    low = sum(each <= 0 for each in known)
    return said + (f", {low:,} of them not above 0, which logarithmic axes cannot show" if low else "")


def _curves(
    observations: Sequence[Observation], column: Column, figures: result.VariantStatistics, measure: str
) -> Curves:
    """The shares of warm and of cold requests up to each value, and the percentiles of the most informative kind."""
    pairs = [(value, each.is_cold) for value, each in zip(column, observations, strict=True) if value is not None]
    warm, cold = (np.sort([value for value, is_cold in pairs if is_cold == wanted]) for wanted in (False, True))
    summaries = figures["measures"][measure]
    kind, summary = next((each, found) for each in KINDS if (found := summaries[each]))
    share = {"warm": 0.0, "cold": 1.0}.get(kind, figures["load"]["cold_share"])
    assert share is not None  # there is no summary of both together without it
    return {
        "warm": _shares(warm),
        "cold": _shares(cold),
        "percentiles": {**_percentiles(warm, cold, share), "kind": kind, "points": _points(summary)},
    }


def _shares(values: Floats) -> Shares:
    return {"x": values.tolist(), "y": [(index + 1) / len(values) for index in range(len(values))]}


def _percentiles(warm: Floats, cold: Floats, share: float) -> Line:
    """The curve on which the quantiles of `statistics` lie, up to half of the last observation's weight.

    Where all weigh the same they are interpolated; else each value begins where those below it end.
    """
    if share in (0, 1):
        values = cold if share else warm
        last = 1 - 0.5 / len(values)
        at = np.unique([0.0, *np.linspace(0, 1, len(values))[:-1], *QUANTILES.values(), last])
        at = at[at <= last]
        return {
            "x": [_nines(each) for each in at],
            "y": np.quantile(values, at).round(DECIMALS).tolist(),
            "shape": "linear",
        }
    values = np.concatenate([warm, cold])
    weights = np.repeat([(1 - share) / len(warm), share / len(cold)], [len(warm), len(cold)])
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    starts = np.concatenate([[0.0], np.cumsum(weights)[:-1]])
    edges = [*starts.tolist(), 1 - weights[-1] / 2]
    return {"x": [_nines(each) for each in edges], "y": [*values.tolist(), float(values[-1])], "shape": "hv"}


def _points(summary: Summary) -> list[Point]:
    """Median, p95 and p99 with their intervals."""
    return [
        {
            "name": name,
            "x": _nines(share),
            "value": _rounded(summary[name]["value"]),
            "low": _rounded(summary[name]["low"]),
            "high": _rounded(summary[name]["high"]),
        }
        for name, share in QUANTILES.items()
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)


def _nines(share: float) -> float:
    """A percentile's position on an axis on which 90 %, 99 % and 99.9 % are equally far apart."""
    return round(float(-np.log10(1 - share)), 6) + 0.0


def with_interval(estimate: Estimate) -> str:
    """A number and, in brackets, its interval."""
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    return number(value) if low is None or high is None else f"{number(value)} ({number(low)} to {number(high)})"
