"""What the page of results draws: every observation, its distribution, and the load's steps, all counted here."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossover.bench import result
from crossover.bench.run.observation import Observation
from crossover.bench.run.plan import Phase
from crossover.bench.statistics import QUANTILES
from crossover.cost.numbers import number
from crossover.cost.variants import VARIANTS, style_of
from crossover.errors import UsageError

# In the words of a person, with their units; what result.MEASURES has beside them is shown by its name.
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
KINDS = ("together", "warm", "cold")  # of summaries, the one that says most first
PERCENTILES = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)
DECIMALS = 3  # of ms and MB

Floats = NDArray[np.float64]


def read(path: Path) -> tuple[dict[str, Any], list[Observation]]:
    """A benchmark's result, and its observations.

    Raises:
        UsageError: the file cannot be read, or is no such result.
    """
    document = result.read(path)
    missing = [name for name in MEMBERS if name not in document]
    if missing:
        raise UsageError(f"{path} is no whole result of a benchmark: it lacks {', '.join(missing)}.")
    if not isinstance(document["environment"], dict) or not isinstance(document["environment"].get("region"), str):
        raise UsageError(f"{path} is no whole result of a benchmark: it lacks its environment's region.")
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


def charts(document: Mapping[str, Any], observations: Sequence[Observation]) -> dict[str, Any]:
    """What the script draws.

    Of each variant: its observations, column by column; per measure a value for each, None where it has none; the
    curves of the distribution; and what the result file says of it.
    """
    statistics = document["statistics"]["variants"]
    variants = [
        _variant(name, [each for each in observations if each.variant == name], sums)
        for name, sums in statistics.items()
    ]
    names = [name for name in result.MEASURES if any(name in each["values"] for each in variants)]
    return {
        "measures": [dict(zip(("name", "title", "unit"), (name, *title_of(name)), strict=True)) for name in names],
        "variants": variants,
        "percentiles": [
            {"at": _nines(share), "text": f"{100 * share:.12g} %" if share else "least"} for share in PERCENTILES
        ],
        "steps": {name: sums["throughput"] for name, sums in statistics.items() if sums["throughput"]},
    }


def _variant(name: str, observations: Sequence[Observation], sums: Mapping[str, Any]) -> dict[str, Any]:
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
        "curves": {measure: _curves(observations, column, sums, measure) for measure, column in values.items()},
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
    return None if value is None else round(value, DECIMALS)


def _places(count: int) -> list[float]:
    """Where in its strip each stands, -0.5 to 0.5: evenly spread, the same each time (the golden ratio's multiples)."""
    return [round((index * 0.6180339887498949) % 1 - 0.5, 4) for index in range(count)]


def _note(column: Sequence[float | None]) -> str:
    """How many are drawn, and why the others are not."""
    known = [each for each in column if each is not None]
    said = f"{len(known):,} of {len(column):,} have this value"
    low = sum(each <= 0 for each in known)
    return said + (f", {low:,} of them not above 0, which logarithmic axes cannot show" if low else "")


def _curves(
    observations: Sequence[Observation], column: Sequence[float | None], sums: Mapping[str, Any], measure: str
) -> dict[str, Any]:
    """The shares of warm and of cold ones up to each value, and the percentiles of the kind that says most."""
    pairs = [(value, each.is_cold) for value, each in zip(column, observations, strict=True) if value is not None]
    warm, cold = (np.sort([value for value, is_cold in pairs if is_cold == wanted]) for wanted in (False, True))
    summaries = sums["measures"][measure]
    kind = next(each for each in KINDS if summaries[each])
    share = {"warm": 0.0, "cold": 1.0}.get(kind, sums["load"]["cold_share"])
    return {
        "warm": _shares(warm),
        "cold": _shares(cold),
        "percentiles": {**_percentiles(warm, cold, share), "kind": kind, "points": _points(summaries[kind])},
    }


def _shares(values: Floats) -> dict[str, list[float]]:
    """A step at each value, up to the share of those that are no larger."""
    return {"x": values.tolist(), "y": [(index + 1) / len(values) for index in range(len(values))]}


def _percentiles(warm: Floats, cold: Floats, share: float) -> dict[str, Any]:
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


def _points(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of the result file: median, p95 and p99 with their intervals."""
    return [{"name": name, "x": _nines(share), **_rounded(summary[name])} for name, share in QUANTILES.items()]


def _rounded(estimate: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, DECIMALS) for name, value in estimate.items()}


def _nines(share: float) -> float:
    """Where a percentile stands on an axis on which 90 %, 99 % and 99.9 % are equally far from each other."""
    return round(float(-np.log10(1 - share)), 6) + 0.0


def with_interval(estimate: Mapping[str, float | None]) -> str:
    """A number and, in brackets, its interval."""
    value, low, high = (estimate[name] for name in ("value", "low", "high"))
    assert value is not None
    return number(value) if low is None or high is None else f"{number(value)} ({number(low)} to {number(high)})"
