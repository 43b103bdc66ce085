"""The summary, on observations made by hand."""

import pytest

from benchmarks.peers.serving.server_summary import loop_figures, ratios, relative, sum_up
from tests.benchmarks.peers.serving.example_observations import NO_ERRORS, loop, start, step, step_baseline


def test_figures_are_medians_over_the_turns_and_errors_add_up() -> None:
    steps = [
        step(turn=1, requests=100, latency_us=[1000], counts=[1], server_cpu_seconds=1.0),
        step(turn=2, requests=300, latency_us=[9000], counts=[1], errors={**NO_ERRORS, "timeout": 2}),
        step(turn=3, requests=200, latency_us=[2000], counts=[1], errors={**NO_ERRORS, "connect": 1}),
    ]
    starts = [start(ready=3.0, predicted=4.0), start(ready=1.0, predicted=9.0), start(ready=2.0, predicted=5.0)]
    (row,) = sum_up(steps, starts, [], [])
    assert (row["server"], row["clients"], row["turns"], row["errors"]) == ("ours", 1, 3, 3)
    assert row["figures"]["requests_per_second"] == 100
    assert row["figures"]["p50_ms"] == row["figures"]["p99_ms"] == 2.0
    assert row["figures"]["cpu_seconds_per_request"] == 0.005
    assert (row["figures"]["ready_seconds"], row["figures"]["first_prediction_seconds"]) == (2.0, 5.0)


def test_memory_is_the_peak_of_each_turn_whatever_the_load() -> None:
    steps = [
        step(clients=1, turn=1, memory_mb=100.0),
        step(clients=16, turn=1, memory_mb=300.0),
        step(clients=1, turn=2, memory_mb=110.0),
        step(clients=16, turn=2, memory_mb=500.0),
        step("other", clients=16, turn=2, memory_mb=9000.0),
    ]
    assert [row["figures"]["memory_mb"] for row in sum_up(steps, [], [], [])] == [400.0, 400.0, 9000.0]


def test_each_row_is_compared_with_ours_under_the_same_load_and_with_its_baseline() -> None:
    steps = [
        step("ours", 1, requests=100),
        step("ours", 4, requests=200),
        step("slow", 1, requests=50),
        step("slow", 4, requests=50),
    ]
    step_baselines = [
        step_baseline("ours", 1, predictions=80),
        step_baseline("ours", 4, kind=(2, 1), predictions=200),
        step_baseline("slow", 1, predictions=160),  # the machine was twice as fast here
        step_baseline("slow", 4, kind=(2, 1), predictions=200),
    ]
    starts = [start("ours"), start("slow", ready=3.0)]
    rows = {(row["server"], row["clients"]): row for row in sum_up(steps, starts, [loop(1, 2)], step_baselines)}
    assert rows["ours", 1]["ratio_to_baseline"]["requests_per_second"] == 50 / 80
    assert rows["slow", 1]["ratio_to_baseline"]["requests_per_second"] == 25 / 160
    assert rows["slow", 1]["ratio_to_ours"]["requests_per_second"] == 0.25
    assert rows["slow", 1]["ratio_to_ours"]["p50_ms"] == 2.0
    assert rows["slow", 4]["ratio_to_ours"]["requests_per_second"] == 0.25
    assert rows["slow", 4]["ratio_to_ours"]["ready_seconds"] == 3.0
    assert rows["ours", 4]["ratio_to_ours"] == dict.fromkeys(rows["ours", 4]["ratio_to_ours"], 1.0)
    assert (rows["slow", 1]["baseline"], rows["slow", 4]["baseline"]) == ("1 loop, 2 threads", "2 loops, 1 thread")
    assert rows["slow", 1]["ratio_to_baseline"]["memory_mb"] == 2.0


def test_without_this_projects_server_and_without_loops_there_are_no_ratios() -> None:
    (row,) = sum_up([step("other")], [], [], [])
    assert row["baseline"] is None
    assert set(row["ratio_to_ours"].values()) == set(row["ratio_to_baseline"].values()) == {None}


def test_a_step_is_compared_with_the_baseline_before_and_after_it() -> None:
    step_baselines = [step_baseline(predictions=90, cpu_seconds=1.8), step_baseline(predictions=110, cpu_seconds=1.8)]
    found = relative(step(requests=100, latency_us=[20_000], counts=[1], server_cpu_seconds=1.8), step_baselines)
    assert found["requests_per_second"] == 0.5  # of 100 a second
    assert found["p50_ms"] == found["p99_ms"] == 2.0  # predictions in 20 ms
    assert found["cpu_seconds_per_request"] == 1.0


def test_the_baseline_is_the_fastest_kind_of_loop_for_a_number_of_clients() -> None:
    steps = [step("ours", 1), step("other", 1), step("ours", 2)]
    step_baselines = [
        step_baseline("ours", kind=(1, 2), predictions=100),
        step_baseline("ours", kind=(1, None), predictions=90),
        step_baseline("other", kind=(1, 2), predictions=100),
        step_baseline("other", kind=(1, None), predictions=105),
        step_baseline("ours", 2, kind=(2, 1), predictions=500),
    ]
    ours, other, crowd = sum_up(steps, [], [], step_baselines)
    assert ours["baseline"] == other["baseline"] == "1 loop, 2 threads"
    assert other["ratio_to_baseline"]["requests_per_second"] == 0.5
    assert crowd["ratio_to_baseline"]["requests_per_second"] == 0.1


def test_each_step_has_the_baseline_of_its_own_turn() -> None:
    steps = [step(turn=number, requests=requests) for number, requests in ((1, 100), (2, 400), (3, 30))]
    step_baselines = [step_baseline(turn=number, predictions=rate) for number, rate in ((1, 100), (2, 400), (3, 40))]
    (row,) = sum_up(steps, [], [], step_baselines)
    assert row["ratio_to_baseline"]["requests_per_second"] == 0.5


def test_the_interval_of_the_throughput_ratio_is_that_of_the_median_of_all_turns() -> None:
    steps = [step(turn=turn, requests=requests) for turn, requests in enumerate((160, 180, 200, 220, 240))]
    step_baselines = [step_baseline(turn=turn, predictions=100) for turn in range(5)]
    (row,) = sum_up(steps, [], [], step_baselines)
    assert row["ratio_to_baseline_interval"] is not None
    low, high = row["ratio_to_baseline_interval"]
    assert row["ratio_to_baseline"]["requests_per_second"] == 1.0
    assert 0.8 <= low < 1.0 < high <= 1.2
    (once,) = sum_up(steps[:1], [], [], step_baselines)
    assert once["ratio_to_baseline_interval"] is None  # a single turn tells nothing of others


def test_only_one_clients_latency_has_a_baseline() -> None:
    steps = [step(clients=1), step(clients=2)]
    one, two = sum_up(steps, [], [], [step_baseline(clients=1), step_baseline(clients=2, kind=(2, 1))])
    assert one["ratio_to_baseline"]["p50_ms"] == 1.0  # 10 ms, 100 a second
    assert two["ratio_to_baseline"]["p50_ms"] is two["ratio_to_baseline"]["p99_ms"] is None
    assert two["ratio_to_baseline"]["requests_per_second"] == 0.5


def test_a_kind_of_loop_is_the_median_of_its_rounds() -> None:
    loops = [loop(round_number=number, latency_ms=(1.0,) * count) for number, count in ((1, 10), (2, 90), (3, 30))]
    assert loop_figures("1 loop, 1 thread", "decode+run", loops)["requests_per_second"] == 30


@pytest.mark.parametrize(("mine", "others"), [(None, 1.0), (1.0, None), (1.0, 0.0)])
def test_a_ratio_needs_both_implementations(mine: float | None, others: float | None) -> None:
    assert ratios({"p50_ms": mine}, {"p50_ms": others})["p50_ms"] is None
