"""The run: who is asked when and what is kept; and its probes with the real handlers. No time is asserted."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.handlers import handler_tables, implementations, measure_handlers
from benchmarks.peers.handlers.handler_observations import Observation, Section
from benchmarks.peers.handlers.implementations import Implementation
from crossover.bench.probing import MODEL, SPEECH, bundle_python
from crossover.bench.stub_aws import stub_aws
from crossover.bundling.find_python import find_python
from crossover.errors import CrossoverError

needs_python = pytest.mark.skipif(find_python("3.12") is None, reason="no Python 3.12 here to run the handlers")
QUIET: Callable[[str], None] = lambda _: None  # noqa: E731


def task(name: str, order: list[str], *, fails_at: int | None = None) -> measure_handlers.Task:
    """An implementation that notes when it is started and called; the start is call 0."""

    @contextmanager
    def started() -> Iterator[tuple[dict[str, Any], measure_handlers.Ask]]:
        calls = 0

        def call() -> dict[str, Any]:
            nonlocal calls
            order.append(name)
            if calls == fails_at:
                raise CrossoverError("It failed.")
            calls += 1
            return {"ms": float(len(order))}

        yield {"first_ms": call()["ms"]}, call
        order.append(f"{name} ended")

    return started


def test_implementations_are_started_in_turn_and_called_in_turn_and_each_turn_begins_with_another() -> None:
    order: list[str] = []
    found = measure_handlers.observe(
        "part", "clip", {name: task(name, order) for name in ("ours", "usual", "baseline")}, 1, 2
    )
    ended = ["baseline ended", "usual ended", "ours ended"]
    assert order[:9] == ["baseline", "ours", "usual", "ours", "usual", "baseline", "usual", "baseline", "ours"]
    assert sorted(order[9:12]) == sorted(ended)
    assert order[12:21] == ["ours", "usual", "baseline", "usual", "baseline", "ours", "baseline", "ours", "usual"]
    assert [(each.implementation, each.round) for each in found] == [
        *(("ours", -1), ("usual", -1), ("baseline", -1)),
        *(("ours", 0), ("usual", 0), ("baseline", 0)),
    ]
    assert found[3].measured == {"first_ms": 13.0, "ms": [18.0, 20.0]}


def calls_of(observation: Observation) -> int:
    """How many calls were timed."""
    times = observation.measured.get("ms", ())
    assert isinstance(times, Sequence)
    return len(times)


@pytest.mark.parametrize("call", [0, 1, 2])
def test_a_peers_failure_is_kept_and_the_others_continue(call: int) -> None:
    tasks = {"ours": task("ours", []), "usual": task("usual", [], fails_at=call)}
    found = measure_handlers.observe("part", "clip", tasks, 1, 2)
    assert [(each.implementation, each.error, calls_of(each)) for each in found if each.round == 0] == [
        ("ours", "", 2),
        ("usual", "It failed.", 0),
    ]
    assert found[-1].measured == {}


@pytest.mark.parametrize("implementation", ["ours", "baseline"])
def test_without_ours_or_the_baseline_there_is_no_result(implementation: str) -> None:
    with pytest.raises(CrossoverError, match=r"It failed\."):
        measure_handlers.observe("part", "clip", {implementation: task(implementation, [], fails_at=1)}, 1, 2)


class Probes:
    """Answers in place of the processes, as each probe would."""

    def __init__(self, labels: dict[str, str]) -> None:
        self.labels = labels
        self.models: dict[str, set[str]] = {}

    def __call__(self, _: Path, script: Path, *arguments: Any, **how: Any) -> dict[str, Any]:
        name = arguments[0]
        if script.name == "peer_clips.py":
            Path(arguments[1], "a.flac").write_bytes(b"flac")
            return {"names": ["a.flac"]}
        if script.name == "peer_answer.py":
            return {"label": self.labels[name], "top_labels": []}
        raise AssertionError(script)

    @contextmanager
    def asked(self, _: Path, script: Path, *arguments: Any, **how: Any) -> Iterator[tuple[dict[str, Any], Any]]:
        name = arguments[0]
        if script.name == "peer_handler.py":
            self.models.setdefault(name, set()).add(how["settings"]["MODEL_S3_URI"])
            start = {"finished": 1e9, "cold_cpu_s": 0.5, "peak_mb": 100.0}
        else:
            self.models.setdefault(name, set()).add(str(arguments[1]))
            start = {"import_ms": 3.0, "first_ms": 4.0, "peak_mb": 100.0}
        yield start, lambda: {"warm_ms": 2.0, "warm_cpu_ms": 1.0}


def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, labels: dict[str, str]) -> tuple[Section, Probes]:
    def implementation(name: str) -> Implementation:
        return Implementation(name=name, handler=f"{name}_handler", folders=(tmp_path,), model=MODEL)

    probes = Probes(labels)
    tflite = Implementation(
        name="tflite", handler="tflite_handler", folders=(tmp_path,), model=SPEECH
    )  # any other file
    monkeypatch.setattr(measure_handlers, "bundle_python", lambda: Path("python"))
    monkeypatch.setattr(implementations, "ours", lambda: implementation("ours"))
    monkeypatch.setattr(implementations, "usual", lambda: implementation("usual"))
    monkeypatch.setattr(implementations, "tflite", lambda: tflite)
    monkeypatch.setattr(measure_handlers, "probe", probes)
    monkeypatch.setattr(measure_handlers, "interactive_probe", probes.asked)
    return measure_handlers.measure(processes=2, calls=1, progress=QUIET), probes


ALIKE = {"ours_handler": "Speech", "usual_handler": "Speech", "tflite_handler": "Speech"}


def test_the_result_is_json_and_keeps_every_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result, probes = measured(monkeypatch, tmp_path, ALIKE)
    read = json.loads(json.dumps(result))
    # 4 handlers, 3 decoders of each of two clips, 2 models with each number of threads; 2 rounds and the first one.
    assert len(read["observations"]) == (4 + 2 * 3 + 2 * 2) * 3
    assert [clip["name"] for clip in read["clips"]] == ["a.flac", "speech 16 kHz mono.wav"]
    assert [clip["bytes"] for clip in read["clips"]] == [4, SPEECH.stat().st_size]
    assert read["implementations"]["usual"]["answer"]["label"] == "Speech"
    assert {row["processes"] for row in read["summary"]} == {2}
    assert {row["implementation"] for row in read["summary"] if row["measure"] == "cold_ms"} == {
        "ours",
        "usual",
        "tflite",
    }
    assert probes.models["tflite_handler"] == probes.models["run_tflite"] == {str(SPEECH)}
    assert probes.models["ours_handler"] == probes.models["run_onnx"] == {str(MODEL)}


def test_the_baseline_of_the_handlers_has_warm_calls_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result, _ = measured(monkeypatch, tmp_path, ALIKE)
    baseline = {
        row["measure"] for row in result["summary"] if (row["part"], row["implementation"]) == ("handler", "baseline")
    }
    assert baseline == {"warm_ms", "warm_cpu_ms"}


def test_a_peer_that_answers_something_else_is_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result, _ = measured(monkeypatch, tmp_path, {**ALIKE, "usual_handler": "Dog"})
    assert result["implementations"]["usual"] == {
        "description": implementations.DESCRIPTIONS["usual"],
        "unavailable": "It answers 'Dog' where 'Speech' is expected.",
    }
    assert {each["implementation"] for each in result["observations"]} == {"ours", "tflite", "baseline"}
    assert [target[1] for target in handler_tables.targets(result)] == [None, None]


@pytest.fixture(scope="module")
def here() -> dict[str, Implementation]:
    """All implementations."""
    found, reasons = implementations.peers(QUIET)
    assert reasons == {}
    return {implementation.name: implementation for implementation in (implementations.ours(), *found)}


@needs_python
@pytest.mark.benchmark
def test_all_handlers_answer_the_same(here: dict[str, Implementation]) -> None:
    with stub_aws(SPEECH.read_bytes()) as aws:
        answers = {
            name: measure_handlers._answer(bundle_python(), implementation, aws)
            for name, implementation in here.items()
        }
        assert aws.requests["dynamodb"] == len(here)
    assert {answer["label"] for answer in answers.values()} == {"Speech"}
    first = {name: answer["top_labels"][0]["score"] for name, answer in answers.items()}
    assert first["usual"] == pytest.approx(first["ours"], abs=1e-5)
    assert first["tflite"] == pytest.approx(first["ours"], abs=1 / 128)  # its scores are steps of 1/256


@needs_python
@pytest.mark.benchmark
def test_every_task_measures_a_real_process(here: dict[str, Implementation]) -> None:
    python = bundle_python()
    with stub_aws(SPEECH.read_bytes()) as aws, measure_handlers._clips(python, here["ours"]) as clips:
        assert [clip.suffix for clip in clips] == [".flac", ".mp3", ".ogg", ".wav"]
        for tasks in (
            measure_handlers._handlers(python, here, aws),
            measure_handlers._decoders(python, here, clips[0]),
            measure_handlers._models(python, here, 2),
        ):
            for task in tasks.values():
                with task() as (found, ask):
                    calls = [ask(), ask()]
                assert found.get("peak_mb", 50.0) > 20.0
                assert min(found.get("cold_ms", 1.0), found.get("cold_cpu_s", 1.0), found.get("first_ms", 1.0)) > 0
                assert all(set(call) == {"warm_ms", "warm_cpu_ms"} for call in calls)
                assert all(call["warm_ms"] > 0 for call in calls)
