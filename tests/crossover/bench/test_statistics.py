"""Statistics against known values."""

import numpy as np
import pytest

from crossover.bench.statistics import FIGURES, Summary, summarize, throughput, together

SAMPLE = list(np.random.default_rng(7).lognormal(5, 0.5, 300))


def values(summary: Summary | None) -> dict[str, float]:
    assert summary is not None
    return {name: summary[name]["value"] for name in FIGURES}


def test_the_figures_are_numpys() -> None:
    expected = {
        "mean": np.mean(SAMPLE),
        "median": np.median(SAMPLE),
        "sd": np.std(SAMPLE, ddof=1),
        "p95": np.quantile(SAMPLE, 0.95),
        "p99": np.quantile(SAMPLE, 0.99),
        "max": max(SAMPLE),
    }
    summary = summarize(SAMPLE, seed=1)
    assert values(summary) == pytest.approx(expected)
    assert summary is not None
    assert summary["n"] == 300


def test_no_observations_have_no_figures_and_one_has_no_interval() -> None:
    assert summarize([], seed=1) is None
    summary = summarize([3.0], seed=1)
    assert values(summary) == {"mean": 3, "median": 3, "sd": 0, "p95": 3, "p99": 3, "max": 3}
    assert summary is not None
    assert summary["mean"]["low"] is summary["mean"]["high"] is None


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation() -> None:
    summary = summarize(SAMPLE, seed=1)
    assert summary is not None
    error = 1.96 * np.std(SAMPLE, ddof=1) / np.sqrt(300)
    assert summary["mean"]["low"] == pytest.approx(np.mean(SAMPLE) - error, rel=0.01)
    assert summary["mean"]["high"] == pytest.approx(np.mean(SAMPLE) + error, rel=0.01)


def test_intervals_of_a_median_hold_the_true_one_about_as_often_as_they_say() -> None:
    """Of 200 samples of 60 from a distribution whose median is 1."""
    chance = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        summary = summarize(list(chance.lognormal(0, 1, 60)), seed=1)
        assert summary is not None
        low, high = summary["median"]["low"], summary["median"]["high"]
        assert low is not None
        assert high is not None
        hits += low <= 1 <= high
    assert 180 <= hits <= 199


def test_a_maximum_has_no_interval() -> None:
    summary = summarize(SAMPLE, seed=1)
    assert summary is not None
    assert summary["max"]["low"] is summary["max"]["high"] is None


def test_the_same_seed_gives_the_same_intervals() -> None:
    assert summarize(SAMPLE, seed=1) == summarize(SAMPLE, seed=1)
    assert summarize(SAMPLE, seed=1) != summarize(SAMPLE, seed=2)


def test_a_large_sample_is_resampled_in_parts_to_the_same_effect() -> None:
    many = list(np.random.default_rng(1).normal(100, 10, 3000))  # of whose resamples not all fit into memory at once
    summary = summarize(many, seed=1)
    assert summary is not None
    error = 1.96 * np.std(many, ddof=1) / np.sqrt(3000)
    assert summary["mean"]["low"] == pytest.approx(np.mean(many) - error, abs=0.03)


def test_together_warm_and_cold_are_weighted_by_the_share() -> None:
    """As if there were 99 warm requests, 33 of each kind, and one cold."""
    both = values(together([1, 2, 3], [100], 0.01, seed=1))
    spelled_out = [1] * 33 + [2] * 33 + [3] * 33 + [100]
    assert both["mean"] == pytest.approx(np.mean(spelled_out))
    assert (both["median"], both["p95"], both["p99"], both["max"]) == (2, 3, 3, 100)
    assert values(together([1, 2, 3], [100], 0.02, seed=1))["p99"] == 100


def test_together_at_the_share_that_the_observations_have_they_are_one_sample() -> None:
    warm, cold = SAMPLE[:270], [value + 500 for value in SAMPLE[270:]]
    both, one = together(warm, cold, 0.1, seed=1), summarize(warm + cold, seed=1)
    assert values(both)["mean"] == pytest.approx(values(one)["mean"])
    assert values(both)["sd"] == pytest.approx(values(one)["sd"])
    # Quantiles are not interpolated here, so they are the observation above.
    assert values(both)["p95"] == pytest.approx(values(one)["p95"], rel=0.01)
    assert values(both)["p95"] in cold


def test_together_each_kind_is_resampled_separately() -> None:
    """How many were forced to be cold is no matter of chance: the mean scatters only with the kinds' means."""
    both = together([10.0] * 5, [20.0] * 50, 0.3, seed=1)
    assert both is not None
    assert [both["mean"]["value"], both["mean"]["low"], both["mean"]["high"]] == pytest.approx([13, 13, 13])


def test_a_share_of_nothing_leaves_the_other_kind() -> None:
    assert together(SAMPLE, [], 0.0, seed=1) == together(SAMPLE, [1e9], 0.0, seed=1) == summarize(SAMPLE, seed=1)
    assert together([], SAMPLE, 1.0, seed=1) == summarize(SAMPLE, seed=1)
    assert together(SAMPLE, [], 0.1, seed=1) is None
    assert together([], SAMPLE, 0.9, seed=1) is None


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_refuses_a_share_out_of_range(share: float) -> None:
    with pytest.raises(ValueError, match="it must be from 0 to 1"):
        together([1.0], [2.0], share, seed=1)


def test_throughput_counts_from_the_first_sending_to_the_last_end() -> None:
    assert throughput([11.0, 12.0, 14.0], 10.0) == pytest.approx(0.75)
    assert throughput([], 10.0) is None
