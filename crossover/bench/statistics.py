"""Statistics of observations: pure functions, the same numbers for the same seed.

Intervals are percentile bootstrap intervals: of many samples drawn with replacement, the middle 95 % of what each
gives. BCa would correct their bias, but needs a jackknife, which fails for quantiles. There is none for the maximum: no
resample can exceed the largest observation. Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
chapters 11 to 14.
"""

from collections.abc import Sequence
from typing import Literal, TypedDict, get_args

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95
QUANTILES: dict[Literal["median", "p95", "p99"], float] = {"median": 0.5, "p95": 0.95, "p99": 0.99}
MOST_AT_ONCE = 2_000_000  # numbers in memory at a time
METHOD = f"percentile bootstrap, {RESAMPLES:,} resamples, {CONFIDENCE:.0%}"

Floats = NDArray[np.float64]


class Estimate(TypedDict):
    """A number with its interval, which a single observation and a maximum do not have."""

    value: float
    low: float | None
    high: float | None


class Summary(TypedDict):
    """Figures of some observations, as they are in a result's JSON.

    `n` is their number, `sd` the standard deviation of a sample, with n - 1. Quantiles are interpolated, as numpy does
    by default, unless observations have different weights.
    """

    n: int
    mean: Estimate
    median: Estimate
    sd: Estimate
    p95: Estimate
    p99: Estimate
    max: Estimate


Figure = Literal["mean", "median", "sd", "p95", "p99", "max"]
FIGURES: tuple[Figure, ...] = get_args(Figure)


def summarize(values: Sequence[float], *, seed: int) -> Summary | None:
    """Sum up observations; None where there are none."""
    if not values:
        return None
    return _summary([np.asarray(values, dtype=float)], None, seed)


def together(warm: Sequence[float], cold: Sequence[float], share: float, *, seed: int) -> Summary | None:
    """Warm and cold observations as if `share` of all requests were cold, however many of each there are.

    Each observation is weighted by its kind's share; a resample draws from each kind as many as there are. A
    quantile is the smallest observation at which the weights reach it: between the warm ones and the cold ones there is
    nothing that could be interpolated.

    Args:
        warm, cold: observations.
        share: of cold ones, 0 to 1.

    Returns:
        None where a kind that has a share has no observations.

    Raises:
        ValueError: the share is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"The share is {share!r}; it must be from 0 to 1.")
    if share in (0, 1):
        return summarize(cold if share else warm, seed=seed)
    if not warm or not cold:
        return None
    weights = [np.full(len(each), weight / len(each)) for each, weight in ((warm, 1 - share), (cold, share))]
    kinds = [np.asarray(each, dtype=float) for each in (warm, cold)]
    return _summary(kinds, np.concatenate(weights), seed)


def throughput(ends: Sequence[float], begin: float) -> float | None:
    """Requests/s from the beginning of the first to the end of the last; None where no time passed.

    Args:
        ends: when each request ended, s.
        begin: when the first was sent, s.
    """
    spent = max(ends, default=begin) - begin
    return len(ends) / spent if spent > 0 else None


def _summary(kinds: Sequence[Floats], weights: Floats | None, seed: int) -> Summary:
    """Of observations that are resampled kind by kind.

    Args:
        kinds: [n of the kind] values each.
        weights: [n of all], the sum 1; None where all weigh the same.
        seed: of the bootstrap.
    """
    sample = np.concatenate(kinds)
    found = _figures(sample[np.newaxis], weights)
    drawn = _resampled(kinds, weights, seed) if len(sample) > 1 else None

    def estimate(name: str) -> Estimate:
        value = float(found[name][0])
        if drawn is None:
            return Estimate(value=value, low=None, high=None)
        margin = (1 - CONFIDENCE) / 2
        low, high = np.quantile(drawn[name], [margin, 1 - margin])
        return Estimate(value=value, low=float(low), high=float(high))

    return Summary(
        n=len(sample),
        mean=estimate("mean"),
        median=estimate("median"),
        sd=estimate("sd"),
        p95=estimate("p95"),
        p99=estimate("p99"),
        max=Estimate(value=float(sample.max()), low=None, high=None),
    )


def _resampled(kinds: Sequence[Floats], weights: Floats | None, seed: int) -> dict[str, Floats]:
    """The figures of every resample, [RESAMPLES] each."""
    chance = np.random.default_rng(seed)
    at_once = max(1, MOST_AT_ONCE // sum(map(len, kinds)))
    parts = []
    for done in range(0, RESAMPLES, at_once):
        rows = min(at_once, RESAMPLES - done)
        drawn = [each[chance.integers(0, len(each), (rows, len(each)))] for each in kinds]
        parts.append(_figures(np.concatenate(drawn, axis=1), weights))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _figures(samples: Floats, weights: Floats | None) -> dict[str, Floats]:
    """Mean, standard deviation and quantiles of each row of [rows, n] values, with weights [n] or without."""
    if weights is None:
        n = samples.shape[1]
        quantiles = np.quantile(samples, list(QUANTILES.values()), axis=1)
        sd = samples.std(axis=1, ddof=1) if n > 1 else np.zeros(len(samples))
        return {"mean": samples.mean(axis=1), "sd": sd, **dict(zip(QUANTILES, quantiles, strict=True))}
    mean = samples @ weights
    variance = (samples - mean[:, np.newaxis]) ** 2 @ weights
    sd = np.sqrt(variance / (1 - weights @ weights))  # with equal weights this divides by n - 1
    return {"mean": mean, "sd": sd, **_weighted_quantiles(samples, weights)}


def _weighted_quantiles(samples: Floats, weights: Floats) -> dict[str, Floats]:
    order = np.argsort(samples, axis=1)
    ascending = np.take_along_axis(samples, order, axis=1)
    reached = np.cumsum(weights[order], axis=1)
    found: dict[str, Floats] = {}
    for name, quantile in QUANTILES.items():
        # A billionth less, for what binary fractions take away; the last observation reaches everything.
        first = np.argmax(reached >= quantile - 1e-9, axis=1)
        found[name] = ascending[np.arange(len(ascending)), first]
    return found
