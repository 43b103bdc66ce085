"""What is computed from one observation."""

import pytest

from benchmarks.peers.serving.server_observations import percentile
from tests.benchmarks.peers.serving.example_observations import NO_ERRORS, loop, start, step


@pytest.mark.parametrize(
    ("percent", "value"), [(1, 10), (50, 10), (90, 10), (90.1, 20), (99, 20), (99.1, 70), (100, 70)]
)
def test_a_percentile_is_the_least_value_that_the_share_of_a_histogram_does_not_exceed(
    percent: float, value: float
) -> None:
    assert percentile([10, 20, 70], [90, 9, 1], percent) == value


def test_a_rank_is_not_missed_by_rounding() -> None:
    assert 55 / 100 * 100 > 55
    assert percentile([1, 2], [55, 45], 55) == 1


def test_a_histogram_without_observations_has_no_percentile() -> None:
    assert percentile([], [], 50) is None
    assert step(latency_us=[], counts=[]).percentile_ms(99) is None


def test_latencies_are_in_ms() -> None:
    assert step(latency_us=[12_500], counts=[3]).percentile_ms(50) == 12.5


def test_only_successful_requests_count() -> None:
    half = step(requests=100, seconds=2.0, errors={**NO_ERRORS, "status": 50, "timeout": 7}, server_cpu_seconds=1.0)
    assert half.succeeded == 50
    assert half.requests_per_second == 25
    assert half.cpu_seconds_per_request == 0.02


def test_without_a_success_there_is_no_cpu_time_per_request() -> None:
    none = step(requests=3, errors={**NO_ERRORS, "status": 3})
    assert (none.requests_per_second, none.cpu_seconds_per_request) == (0, None)


def test_a_loop_is_named_after_its_kind_and_counts_its_predictions() -> None:
    assert [loop(1, 2).name, loop(2, 1).name, loop(1, None).name] == [
        "1 loop, 2 threads",
        "2 loops, 1 thread",
        "1 loop, default threads",
    ]
    each = loop(latency_ms=(30.0, 10.0, 20.0, 20.0), seconds=2.0)
    assert each.per_second == 2
    assert each.cpu_seconds_per_prediction == 0.125
    assert (each.percentile_ms(25), each.percentile_ms(99)) == (10.0, 30.0)


def test_the_label_is_that_of_the_best_score() -> None:
    assert start().label == "Speech"
