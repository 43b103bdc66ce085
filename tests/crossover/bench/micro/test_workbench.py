"""A process phase by phase: the arithmetic, and the probe in the real bundle. No time is asserted."""

import json
import time
import urllib.request
from pathlib import Path

import pytest

from crossover.bench.micro.workbench import (
    COLD_PHASES,
    MODEL_PATH,
    WARM_PHASES,
    ColdStart,
    ProbedStart,
    WarmCall,
    Workbench,
    workbench,
)
from crossover.bench.probing import MODEL, PROBES, SPEECH, SUBJECTS, bundle_python, inference_bundle, probe, s3_event
from crossover.bench.stub_aws import stub_aws
from crossover.bundling.find_python import find_python
from crossover.errors import CrossoverError
from tests.crossover.bench.micro.example_process import process

needs_python = pytest.mark.skipif(find_python("3.12") is None, reason="no Python 3.12 here to run the bundles")
measures = pytest.mark.benchmark


def test_the_phases_of_a_cold_start_add_up_and_the_rest_is_other() -> None:
    found: ProbedStart = {
        "first_line": 100.010,
        "imported": 100.310,
        "answered": 100.350,
        "phases": {"imports: numpy": 0.1, "clients": 0.05, "first run": 0.03, "other": 7.0},
        "fetch": (100.2, 100.26),
        "init_cpu": 0.25,
        "cpu": 0.27,
        "handler_ms": {"total": 29.0},
    }
    cold = ColdStart.read(found, 100.0)
    assert tuple(cold.phases_ms) == COLD_PHASES
    assert cold.total_ms == 350.0
    assert sum(cold.phases_ms.values()) == pytest.approx(350.0)
    assert cold.phases_ms["interpreter"] == pytest.approx(10.0)
    assert cold.phases_ms["imports: numpy"] == 100.0
    assert cold.phases_ms["session"] == 0.0
    assert cold.phases_ms["other"] == pytest.approx(350 - 10 - 100 - 50 - 30)
    assert (cold.init_ms, cold.first_call_ms) == (310.0, 40.0)
    assert (cold.init_cpu_ms, cold.first_call_cpu_ms) == (250.0, 20.0)
    assert (cold.fetch_begin_ms, cold.fetch_end_ms) == (200.0, 260.0)


def test_the_phases_of_a_warm_call_add_up() -> None:
    handler = {"download": 2.0, "decode": 0.5, "inference": 9.0, "total": 11.9}
    call = WarmCall.read({"total_ms": 15.0004, "cpu_ms": 13.0, "store_ms": 2.5, "handler_ms": handler})
    assert call.phases_ms == {"fetch": 2.0, "decode": 0.5, "inference": 9.0, "store": 2.5, "other": 1.0}
    assert (call.total_ms, call.cpu_ms) == (15.0, 13.0)


def test_a_process_is_json_with_a_list_for_each_figure_of_the_warm_calls() -> None:
    written = json.loads(json.dumps(process(warm_ms=(10.0, 12.0), throttled_periods=3).to_json()))
    assert written["warm"]["total_ms"] == [10.0, 12.0]
    assert written["warm"]["phases_ms"]["inference"] == [10.0, 12.0]
    assert set(written["warm"]["phases_ms"]) == set(WARM_PHASES)
    assert written["throttling"] == {"periods": 10, "throttled_periods": 3, "throttled_seconds": 0.1}
    assert written["cold"]["init_ms"] == 300.0


def test_the_stub_answers_s3_dynamodb_and_sagemaker_and_counts() -> None:
    with stub_aws(b"audio", {"/models/m": b"model"}) as aws:
        assert urllib.request.urlopen(f"{aws.url}/bucket/key").read() == b"audio"
        assert urllib.request.urlopen(f"{aws.url}/models/m?x-id=GetObject").read() == b"model"
        write = urllib.request.Request(aws.url, b"{}", {"X-Amz-Target": "DynamoDB_20120810.PutItem"})
        assert urllib.request.urlopen(write).read() == b"{}"
        invocation = urllib.request.urlopen(f"{aws.url}/endpoints/e/invocations", b"{}")
        assert json.load(invocation)["top_labels"]
        put = urllib.request.Request(f"{aws.url}/results/x.npz", b"result", method="PUT")
        assert urllib.request.urlopen(put).status == 200
        assert aws.requests == {"s3": 3, "dynamodb": 1, "sagemaker": 1}


@needs_python
def test_a_probe_that_fails_says_why_in_a_sentence() -> None:
    with pytest.raises(CrossoverError, match=r"The probe proxy\.py failed: ModuleNotFoundError"):
        probe(bundle_python(), PROBES / "proxy.py", "/no/bundle/here", "{}")


@needs_python
def test_a_probe_takes_settings_and_is_started_as_asked(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def started_by(command: list[str]) -> list[str]:
        seen.append(command)
        return ["/bin/sh", "-c", 'echo "{\\"uri\\": \\"$MODEL_S3_URI\\", \\"table\\": \\"$PREDICTIONS_TABLE\\"}"']

    found = probe(bundle_python(), Path("x.py"), 1, settings={"MODEL_S3_URI": "s3://a/b"}, started_by=started_by)
    assert found == {"uri": "s3://a/b", "table": "predictions"}
    assert seen[0][-1] == "1"


@needs_python
@measures
def test_each_moment_of_a_real_start_is_in_one_phase_and_the_model_comes_from_s3() -> None:
    with stub_aws(SPEECH.read_bytes(), {MODEL_PATH: MODEL.read_bytes()}) as aws:
        spawned = time.monotonic()
        settings = {"MODEL_S3_URI": f"s3:/{MODEL_PATH}"}
        found = probe(
            bundle_python(),
            PROBES / "phases.py",
            inference_bundle(),
            s3_event(),
            ",".join(SUBJECTS["audio"].decoders),
            1,
            2,
            0,
            endpoint=aws.url,
            settings=settings,
        )
        assert aws.requests == {"s3": 1 + 3, "dynamodb": 3}  # the model, and an object and an item for each event
    spent = found["cold"]["phases"]
    assert set(spent) | {"interpreter"} == set(COLD_PHASES)  # none is misspelt, and each takes place
    assert min(spent.values()) >= 0
    cold = ColdStart.read(found["cold"], spawned)
    assert cold.phases_ms["other"] == pytest.approx(spent["other"] * 1000, abs=0.01)
    assert sum(cold.phases_ms.values()) == pytest.approx(cold.total_ms)
    assert spawned < found["cold"]["first_line"] < found["cold"]["imported"] < found["cold"]["answered"]
    assert cold.phases_ms["first run"] <= cold.first_call_ms
    assert cold.handler_ms["total"] <= cold.phases_ms["first run"]
    assert 0 < cold.fetch_begin_ms < cold.fetch_end_ms < cold.init_ms
    assert 0 < found["cold"]["init_cpu"] < found["cold"]["cpu"]


@needs_python
@measures
@pytest.mark.parametrize("threads", [1, 3])
def test_a_workbench_runs_processes_with_the_given_threads_and_calls(threads: int) -> None:
    with workbench(SUBJECTS["image"]) as bench:
        ran = bench.run(threads=threads, calls=2)
    assert ran.threads == threads
    assert ran.throttling is None
    assert len(ran.warm) == 2
    for call in ran.warm:
        assert min(call.phases_ms.values()) > 0
        assert call.cpu_ms > 0


@needs_python
@measures
def test_a_handler_that_does_not_predict_is_not_measured() -> None:
    with stub_aws(b"no audio", {MODEL_PATH: MODEL.read_bytes()}) as aws:
        bench = Workbench(
            subject=SUBJECTS["audio"], python=bundle_python(), bundle=inference_bundle(), endpoint=aws.url
        )
        with pytest.raises(CrossoverError, match="The handler did not predict"):
            bench.run(calls=1)
        assert aws.requests["s3"] == 2  # the model was fetched, and the object
