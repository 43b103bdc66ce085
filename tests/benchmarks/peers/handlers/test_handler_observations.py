"""Medians and ratios, from observations made by hand."""

from typing import Any

from benchmarks.peers.handlers.handler_observations import Observation, Row, sum_up


def observation(
    implementation: str, measured: dict[str, Any], *, part: str = "handler", number: int = 0
) -> Observation:
    return Observation(part=part, subject="clip", implementation=implementation, round=number, measured=measured)


def row(observations: list[Observation], implementation: str, measure: str) -> Row:
    (found,) = [
        each for each in sum_up(observations) if (each["implementation"], each["measure"]) == (implementation, measure)
    ]
    return found


def test_the_median_is_that_of_all_processes_calls() -> None:
    observed = [
        observation("ours", {"warm_ms": [1.0, 2.0, 9.0]}),
        observation("ours", {"warm_ms": [3.0, 4.0]}, number=1),
    ]
    assert row(observed, "ours", "warm_ms") == {
        "part": "handler",
        "subject": "clip",
        "implementation": "ours",
        "measure": "warm_ms",
        "processes": 2,
        "n": 5,
        "median": 3.0,
        "min": 1.0,
        "max": 9.0,
        "ratio_to_ours": 1.0,
        "ratio_to_baseline": None,
    }


def test_the_round_that_warms_the_disk_cache_is_not_counted() -> None:
    observed = [observation("ours", {"cold_ms": 900.0}, number=-1), observation("ours", {"cold_ms": 500.0})]
    assert row(observed, "ours", "cold_ms")["median"] == 500.0
    assert sum_up(observed[:1]) == []


def test_each_implementation_is_compared_with_ours_and_the_baseline() -> None:
    observed = [
        observation(implementation, {"warm_ms": [value]})
        for implementation, value in (("usual", 6.0), ("baseline", 2.0), ("ours", 3.0))
    ]
    assert [(each["ratio_to_ours"], each["ratio_to_baseline"]) for each in sum_up(observed)] == [
        (2.0, 3.0),
        (2 / 3, 1.0),
        (1.0, 1.5),
    ]


def test_ratios_are_of_the_same_turns_however_fast_the_machine_was_in_them() -> None:
    observed = [
        observation("ours", {"warm_ms": [1.0, 10.0, 10.0]}),
        observation("usual", {"warm_ms": [2.0, 20.0, 30.0]}),
        observation("ours", {"warm_ms": [1.0, 1.0]}, number=1),
        observation("usual", {"warm_ms": [2.0, 2.0, 9.0]}, number=1),  # the last has nothing beside it
    ]
    usual = row(observed, "usual", "warm_ms")
    assert (usual["ratio_to_ours"], usual["median"], usual["n"]) == (2.0, 5.5, 6)


def test_ratios_are_of_the_same_part_and_subject() -> None:
    observed = [observation("ours", {"warm_ms": 1.0}, part="decode"), observation("usual", {"warm_ms": 5.0})]
    assert row(observed, "usual", "warm_ms")["ratio_to_ours"] is None


def test_the_baseline_of_the_model_is_the_bare_run_of_ours() -> None:
    observed = [
        observation("ours", {"warm_ms": [4.0]}, part="model"),
        observation("tflite", {"warm_ms": [3.0]}, part="model"),
    ]
    assert row(observed, "tflite", "warm_ms")["ratio_to_baseline"] == 0.75


def test_what_failed_or_was_not_called_has_no_median() -> None:
    failed = Observation(part="handler", subject="clip", implementation="usual", round=0, error="It failed.")
    assert sum_up([failed, observation("ours", {"warm_ms": []})]) == []
    assert failed.to_json()["error"] == "It failed."


def test_there_is_no_ratio_to_zero() -> None:
    observed = [observation("ours", {"cold_cpu_s": 0.0}), observation("usual", {"cold_cpu_s": 2.0})]
    assert row(observed, "usual", "cold_cpu_s")["ratio_to_ours"] is None
