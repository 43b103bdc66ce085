"""The result file: what it sums up, and that the cost model reads it."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from crossover import documents
from crossover.bench import result
from crossover.bench.run.observation import Observation, Outcome
from crossover.bench.run.plan import Phase
from crossover.bench.run.report_lines import Report
from crossover.cost import measured
from crossover.cost.scenario import Scenario
from crossover.errors import UsageError

from .run.fakes import FILES, existing, observation, report

SIZES = {file.name: file.size_bytes for file in FILES}


def forced(number: int, **values: Any) -> Observation:
    return observation(number, phase=Phase.COLD, cold=True, **values)


def warm(number: int, billed: float = 100, **values: Any) -> Observation:
    return observation(number, reports=(report(billed_ms=billed),), **values)


def sums(observations: list[Observation], *, is_open_loop: bool = True) -> result.VariantCounts:
    return result.sum_up(observations, is_open_loop=is_open_loop, seed=1)


def test_forced_cold_starts_do_not_count_in_the_cold_share() -> None:
    load = [observation(number, cold=number == 0, item_ms=1000 if number == 0 else 100) for number in range(10)]
    summed = sums([*load, *[forced(number, item_ms=2000) for number in range(20)]])
    assert summed["load"] == {"succeeded": 10, "cold": 1, "cold_share": 0.1}
    assert summed["forced"] == {"sent": 20, "cold": 20}
    measure = summed["measures"]["item_ms"]
    assert [existing(measure[start])["n"] for start in ("warm", "cold", "together")] == [9, 21, 30]
    cold_mean = (1000 + 20 * 2000) / 21
    assert existing(measure["together"])["mean"]["value"] == pytest.approx(0.9 * 100 + 0.1 * cold_mean)
    assert summed["cold_share_of"] == "open loop"


def test_nothing_is_discarded_and_failures_are_counted_without_a_latency() -> None:
    summed = sums(
        [
            warm(0),
            observation(1),
            observation(2, outcome=Outcome.REFUSED),
            observation(3, outcome=Outcome.DEAD_LETTER, item={}, reports=(report(), report(), report())),
            observation(4, outcome=Outcome.NO_ITEM, item={}),
            observation(5, outcome=Outcome.NOT_UPLOADED, item={}, uploaded_s=None, upload_retries=4),
        ]
    )
    assert summed["observations"] == 6
    assert summed["outcomes"] == {"succeeded": 2, "refused": 1, "dead letter": 1, "no item": 1, "not uploaded": 1}
    assert existing(summed["measures"]["latency_ms"]["warm"])["n"] == 2
    assert existing(summed["measures"]["billed_ms"]["warm"])["n"] == 1
    assert summed["without_report"] == 3
    assert (summed["retried_invocations"], summed["retried_uploads"]) == (1, 1)


def test_a_variant_without_a_success_has_counts_only() -> None:
    summed = sums([observation(0, outcome=Outcome.NO_ITEM, item={})])
    assert summed["load"]["cold_share"] is None
    assert summed["measures"]["latency_ms"] == {"warm": None, "cold": None, "together": None}
    assert sums([])["observations"] == 0


def test_every_attempt_of_a_retried_invocation_is_billed() -> None:
    summed = sums([observation(0, reports=(report(billed_ms=300), report(billed_ms=100)))])
    assert existing(summed["measures"]["billed_ms"]["warm"])["mean"]["value"] == 400


def test_each_file_has_its_own_summary() -> None:
    summed = sums([observation(0, item_ms=50), observation(1, item_ms=900, file=FILES[1].name), forced(0)])
    assert {name: each["median"]["value"] for name, each in summed["by_file"].items()} == {
        FILES[0].name: 50,
        FILES[1].name: 900,
    }


def test_a_closed_loop_has_its_throughput_by_concurrency() -> None:
    """Two at once, each of which takes 10 ms to upload and 190 ms more."""
    pairs = [
        observation(
            number,
            concurrency=2,
            intended_s=number // 2 * 0.2,
            sent_s=number // 2 * 0.2,
            uploaded_s=number // 2 * 0.2 + 0.01,
            item_ms=190,
        )
        for number in range(8)
    ]
    [row] = sums(pairs, is_open_loop=False)["throughput"]
    assert (row["concurrency"], row["requests"]) == (2, 8)
    assert row["per_second"] == pytest.approx(10)
    assert row["latency_ms"]["median"]["value"] == pytest.approx(200)
    assert sums(pairs)["throughput"] == []


def test_a_million_requests_cost_what_was_billed_at_the_cold_share() -> None:
    def usd(attempt: Report) -> float:
        return attempt.billed_ms + (1000 if attempt.restore_ms else 0)

    observations = [
        warm(0, 100),
        warm(1, 200),
        forced(0, reports=(report(billed_ms=400, restore_ms=300.0),)),
        observation(2),  # without a report
    ]
    costs = result.usd_per_million(observations, usd, 0.1)
    assert costs == pytest.approx({"warm": 150e6, "cold": 1400e6, "together": 0.9 * 150e6 + 0.1 * 1400e6})
    assert result.usd_per_million(observations[:2], usd, 0.0) == {"warm": 150e6, "cold": None, "together": 150e6}
    assert result.usd_per_million(observations[:2], usd, 0.1)["together"] is None
    assert result.usd_per_million([], usd, None) == {"warm": None, "cold": None, "together": None}


def everything() -> list[Observation]:
    found = []
    for name, billed in (("standard", 100), ("snapstart", 120), ("sagemaker", 80)):
        found += [warm(number, billed + number, variant=name, cold=False) for number in range(1, 5)]
        restore = {"restore_ms": 300.0, "billed_restore_ms": 150.0} if name == "snapstart" else {"init_ms": 600.0}
        found.append(observation(0, variant=name, cold=True, reports=(report("r", billed_ms=700, **restore),)))
    found.append(forced(0, reports=(report(billed_ms=900, init_ms=800.0),)))
    return found


def scenario(observations: list[Observation], **values: Any) -> dict[str, float]:
    memory = {"standard": 2048, "snapstart": 2048, "sagemaker": 128}
    known: dict[str, Any] = {"memory_mb": memory, "file_bytes": SIZES, "is_open_loop": True}
    return result.scenario(observations, **{**known, **values}).values


def test_measurements_become_a_scenario() -> None:
    assert scenario(everything()) == pytest.approx(
        {
            "warm_seconds": 0.1025,
            "init_seconds": 0.7,  # one of the load and a forced one
            "snapstart_warm_seconds": 0.1225,
            "restore_seconds": 0.15,
            "proxy_seconds": 0.0825,
            "proxy_init_seconds": 0.6,
            "cold_share": 0.2,
            "memory_mb": 2048,
            "proxy_memory_mb": 128,
            "file_mb": 0.012288,
            "billing_ms": 0,
        }
    )
    assert set(scenario(everything())) <= {each.name for each in fields(Scenario)}


def test_missing_measurements_are_left_out() -> None:
    only_snapstart = [each for each in everything() if each.variant == "snapstart"]
    found = scenario(only_snapstart, memory_mb={"snapstart": 4096})
    assert set(found) == {
        "snapstart_warm_seconds",
        "restore_seconds",
        "cold_share",
        "memory_mb",
        "file_mb",
        "billing_ms",
    }
    assert "cold_share" not in scenario(everything(), is_open_loop=False)
    assert scenario([observation(0)], memory_mb={"standard": 2048}) == pytest.approx(
        {"cold_share": 0, "memory_mb": 2048, "file_mb": 0.012288}
    )


def test_what_several_variants_measure_is_that_of_the_first_and_says_whose() -> None:
    names = ("container", "efs", "provisioned")
    observations = [warm(1, 100 + number, variant=name, cold=False) for number, name in enumerate(names)]
    known: dict[str, Any] = {"file_bytes": SIZES, "is_open_loop": True}
    found = result.scenario(observations, memory_mb=dict.fromkeys(names, 2048), **known)
    own = {f"{name}_warm_seconds": name for name in names}
    assert {name: found.values[name] for name in own} == pytest.approx(
        {"container_warm_seconds": 0.1, "efs_warm_seconds": 0.101, "provisioned_warm_seconds": 0.102}
    )
    assert found.variants == {**own, "memory_mb": "provisioned", "cold_share": "efs"}
    observations.append(warm(1, 200, variant="standard", cold=False))
    found = result.scenario(observations, memory_mb=dict.fromkeys((*names, "standard"), 2048), **known)
    assert found.values["warm_seconds"] == pytest.approx(0.2)
    assert found.variants == {**own, **dict.fromkeys(("warm_seconds", "memory_mb", "cold_share"), "standard")}


def test_a_result_is_read_as_it_was_written_and_the_cost_model_reads_it_too(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    observations = everything()
    document = {
        "schema": result.SCHEMA,
        "kind": result.KIND,
        "scenario": scenario(observations),
        "observations": [each.to_json() for each in observations],
    }
    documents.write(path, document)
    read = result.read(path)
    assert read == json.loads(json.dumps(document))
    assert result.observations_of(read) == observations
    values: dict[str, Any] = {**measured.read(path).values}
    assert Scenario(**values).warm_seconds == pytest.approx(0.1025)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["idle_usd_per_hour", "endpoint_usd_per_hour"])
def test_what_is_paid_idle_is_read_from_earlier_results_too(name: str) -> None:
    figures: Any = {**sums([observation(0)]), name: 0.056}
    assert result.idle_usd_per_hour(figures) == 0.056


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "cannot be read"),
        ("[]", "is not a result of `crossover bench run` of schema 2"),
        ('{"schema": 2}', "is not a result"),
        ('{"schema": 1, "kind": "crossover bench run"}', "is not a result"),
    ],
)
def test_refuses_a_file_that_is_not_a_result(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=named):
        result.read(path)


def test_a_result_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        documents.write(tmp_path / "gone" / "results.json", {})
