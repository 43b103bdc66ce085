"""The benchmark as a whole: with processes that are made up, and once with real ones. No time is asserted."""

import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from crossover import cli
from crossover.bench import cgroup, machine
from crossover.bench.micro import measure, micro_tables
from crossover.bench.micro.document import Document
from crossover.bench.micro.measure import Options
from crossover.bench.micro.workbench import Process
from crossover.bench.probing import (
    MODEL,
    PROBES,
    SPEECH,
    SUBJECTS,
    Subject,
    bundle_python,
    inference_bundle,
    probe,
    proxy_bundle,
    s3_event,
)
from crossover.bundling.find_python import find_python
from crossover.cost.measured import ONE_MACHINE_MARK, read
from crossover.errors import UsageError
from crossover.report import cli as report_cli
from tests.crossover.bench.micro.example_process import process

needs_python = pytest.mark.skipif(find_python("3.12") is None, reason="no Python 3.12 here to run the bundles")


class Bench:
    """Stands in for a workbench: notes what it is asked to run. Only without a group there is no quota."""

    python = bundle = Path("none")

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, float | None]] = []
        self.subjects: list[str] = []

    def run(self, *, threads: int = 0, calls: int, group: Any = None) -> Process:
        self.asked.append((threads, calls, group))
        slowness = 1.0 if group is None else max(1.0, 1 / group)
        return process(
            threads=threads or 2,
            init_ms=300.0 * slowness,
            warm_ms=(10.0 * slowness,) * calls,
            cpu_share=0.9 / slowness,
            throttled_periods=None if group is None else 1,
        )


class Parent:
    """Gives groups that are nothing but their number of vCPUs."""

    version = 2

    @contextmanager
    def quota(self, vcpus: float) -> Iterator[float]:
        yield vcpus


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench()

    @contextmanager
    def workbench(subject: Subject) -> Iterator[Bench]:
        bench.subjects.append(subject.kind)
        yield bench

    def probe(_: Path, script: Path, *arguments: object, **__: object) -> dict[str, Any]:
        if script.name == "proxy.py":
            return {"peak_mb": 36.0}
        calls = int(str(arguments[-1]))
        if script.name == "large_picture.py":
            noise = int(str(arguments[-2]))
            times = {"decode": [50.0] * calls, "decode_fully": [100.0] * calls}
            return {**times, "bytes": noise * 10**6, "label": "espresso"}
        return {"handler": [11.0] * calls, "handler_with_sdk": [12.0] * calls, "baseline": [10.0] * calls}

    monkeypatch.setattr(measure, "workbench", workbench)
    monkeypatch.setattr(measure, "probe", probe)
    monkeypatch.setattr(measure, "proxy_bundle", lambda: Path("none"))
    monkeypatch.setattr(machine, "describe", lambda kind: {"processors": 2})
    monkeypatch.setattr(machine, "processors", lambda: 2)
    monkeypatch.setattr(cgroup, "find", Parent)
    # A server takes half a second to stop.
    monkeypatch.setattr(measure, "stub_aws", lambda _: nullcontext(SimpleNamespace(url="", requests=Counter())))
    return bench


def run(**options: Any) -> Document:
    chosen = Options(**{"calls": 5, "processes": 3, "memory_mb": (512, 4096), "threads": (1, 2), **options})
    document = measure.run(chosen, progress=lambda _: None)
    written: Document = json.loads(json.dumps(document))
    return written


def test_configurations_take_turns_and_each_has_its_quota(bench: Bench) -> None:
    document = run()
    asked = [(0, 5, None)] + [(threads, 5, share) for share in (512 / 1769, 2) for threads in (1, 2)]
    assert bench.asked == [(0, 0, None), *asked * 3]  # the first one only warms the disk
    assert document["settings"]["quota"] == "cgroup v2"
    assert document["settings"]["no_quota_reason"] == ""
    assert [(row["memory_mb"], row["threads"]) for row in document["sweep"]["rows"]] == [
        (512, 1),
        (512, 2),
        (4096, 1),
        (4096, 2),
    ]
    assert [row["capped"] for row in document["sweep"]["rows"]] == [False, False, True, True]
    assert not any(row["derived"] for row in document["sweep"]["rows"])


def test_every_process_is_in_the_result(bench: Bench) -> None:
    document = run()
    at = [(each["memory_mb"], each["threads_set"], each["threads"]) for each in document["observations"]]
    assert at == [at for at in ((None, None, 2), (512, 1, 1), (512, 2, 2), (4096, 1, 1), (4096, 2, 2)) for _ in "123"]
    assert {len(each["warm"]["total_ms"]) for each in document["observations"]} == {5}
    assert [len(each["observed"]) for each in document["measurements"]] == [15, 15, 3]
    assert [each["result"] for each in document["measurements"]] == [1.1, 1.2, 36.0]
    assert (document["schema"], document["kind"]) == (2, "crossover bench micro")
    assert document["cold"]["n"] == 3
    assert document["cold"]["median_ms"]["total"] == 320.0
    assert document["cold"]["median_ms"]["background"] == {"model fetch": 50.0}
    assert document["warm"]["n"] == 15
    assert document["warm"]["median_ms"]["phases"]["inference"] == 10.0
    assert document["warm"]["cpu_seconds"]["mean"] == 0.009


def test_without_quotas_one_process_serves_all_memory_sizes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    document = run(quota=False)
    assert bench.asked == [(0, 0, None), *[(0, 5, None), (1, 5, None), (2, 5, None)] * 3]
    assert all(row["derived"] for row in document["sweep"]["rows"])
    assert len(document["sweep"]["rows"]) == 4
    assert document["settings"]["quota"] == "none"
    assert document["settings"]["no_quota_reason"] == "It was switched off: --no-quota."

    def find() -> None:
        raise cgroup.QuotaUnavailableError("None here.")

    monkeypatch.setattr(cgroup, "find", find)
    assert run()["settings"]["no_quota_reason"] == "None here."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"memory_mb": (512, 100)}, r"The memory size is 100; it must be from 128 to 10,240\."),
        ({"memory_mb": (10_241,)}, r"The memory size is 10,241"),
        ({"memory_mb": ()}, "No memory size is given"),
        ({"threads": (0,)}, r"The number of threads is 0; it must be from 1 to 64\."),
    ],
)
def test_refuses_invalid_options_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Options(**{"calls": 5, "processes": 3, "memory_mb": (512,), "threads": (1,), **options})


def test_the_scenario_holds_the_inputs_of_the_cost_model(bench: Bench) -> None:
    document = run()
    # The mean of the calls without a quota, and INIT of the model's own memory size with the handler's own threads.
    assert document["scenario"] == {
        "cpu_seconds": 0.009,
        "file_mb": SPEECH.stat().st_size / 1e6,
        "model_mb": MODEL.stat().st_size / 1e6,
        "init_seconds": 0.3,
    }
    assert "init_seconds" not in run(memory_mb=(512,))["scenario"]
    assert "init_seconds" not in run(threads=(1,))["scenario"]


def test_an_image_model_is_compared_with_pillow_and_with_the_audio_models_cold_start(bench: Bench) -> None:
    document = run(subject=SUBJECTS["image"])
    assert bench.subjects == ["image", "audio"]
    starts = [asked for asked in bench.asked[2:] if asked in ((0, 0, None), (0, 5, None))]
    audio, image = (0, 0, None), (0, 5, None)
    assert starts == [audio, image, image, audio, audio, image]  # each is the first as often as the other
    settings = document["settings"]
    assert (settings["input_kind"], settings["file"]) == ("image", "coffee.jpg")
    found = {each["name"]: each for each in document["measurements"]}
    assert found["warm call, whole handler"]["baseline_name"].startswith("Pillow's full decode")
    cold = found["cold start, spawn to answer"]
    assert (cold["baseline_name"], len(cold["baseline"]), cold["max_allowed"]) == ("the audio model's", 3, 1.0)
    for megabytes in measure.LARGE_PICTURE_NOISE:
        large = found[f"decoding a JPEG of 12 megapixels and {megabytes}.0 MB"]
        assert (large["result"], large["max_allowed"], large["holds"]) == (0.5, 0.6, True)
    assert document["scenario"]["file_mb"] == SUBJECTS["image"].file.stat().st_size / 1e6
    assert document["scenario"]["model_mb"] == SUBJECTS["image"].model.stat().st_size / 1e6


def test_phases_of_an_earlier_result_are_shown_by_their_names_then(bench: Bench) -> None:
    document = run()
    for each in document["observations"]:
        phases = each["cold"]["phases_ms"]
        phases["imports: soundfile, soxr"] = phases.pop("imports: decoders")
    for name, row in list(document["cold"]["median_ms"]["phases"].items()):
        if name == "imports: decoders":
            document["cold"]["median_ms"]["phases"]["imports: soundfile, soxr"] = row
    console = Console(width=120, file=io.StringIO())
    console.print(micro_tables.tables(document)[0])
    assert "imports: soundfile, soxr" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("--model gone.onnx", "There is no model file gone.onnx"),
        ("--model image --file gone.jpg", "gone.jpg cannot be read"),
        ("--model image --file .", "a folder; it must be one file"),
        ("--model audio --file a.png", "a.png is image/png by its name, but the model takes audio"),
    ],
)
def test_a_model_and_its_file_are_checked_before_anything_is_measured(
    bench: Bench,
    line: str,
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.png").touch()
    assert crossover(monkeypatch, f"bench micro {line}") == 2
    assert named in capsys.readouterr().err
    assert bench.asked == []


def test_the_cost_model_reads_the_result_and_says_that_it_is_not_from_aws(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "micro.json"
    assert crossover(monkeypatch, "bench micro --calls 5 --processes 3 --output", str(path)) == 0
    assert f"The result is {path}." in capsys.readouterr().out
    found = read(path)
    assert found.is_one_machine and not found.is_rehearsal
    assert crossover(monkeypatch, "cost --json --from", str(path)) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["scenario"]["cpu_seconds"] == 0.009
    assert {"cpu_seconds", "init_seconds", "file_mb", "model_mb"} <= set(answer["given"])
    assert any(
        "The handler was measured alone on one machine: the times are not AWS's" in each for each in answer["remarks"]
    )


def test_a_cost_page_from_such_a_result_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks: list[str] = []

    def page(*_: object, mark: str, kind: str) -> Any:  # the real one takes a second to make
        marks.append(mark)
        return SimpleNamespace(html=lambda: "")

    monkeypatch.setattr(report_cli, "cost_page", page)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "micro.json"
    path.write_text(json.dumps({"schema": 2, "kind": "crossover bench micro", "scenario": {"cpu_seconds": 0.03}}))
    assert crossover(monkeypatch, "report --cost --from", str(path)) == 0
    assert crossover(monkeypatch, "report --cost") == 0
    assert marks == [ONE_MACHINE_MARK, ""]


def test_json_is_the_result_itself(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "bench micro --json --calls 6 --processes 4 --memory 1769,512 --threads 2 --no-quota"
    assert crossover(monkeypatch, line) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["settings"]["calls"] == 6
    assert printed["settings"]["processes"] == 4
    assert printed["settings"]["memory_mb"] == [1769, 512]
    assert printed["settings"]["threads"] == [2]
    assert printed["settings"]["quota"] == "none"


def test_where_the_result_cannot_be_written_nothing_is_measured(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crossover(monkeypatch, "bench micro --output", str(tmp_path / "gone/micro.json")) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert bench.asked == []


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("quota", [True, False])
def test_the_tables_are_complete_at_any_width(bench: Bench, width: int, quota: bool) -> None:
    document = run(quota=quota)
    console = Console(width=width, file=io.StringIO())
    for table in micro_tables.tables(document):
        console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in text
    for part in ("spawn to answer", "model fetch, in the background", "CPU time, all threads", "cheapest"):
        assert part in text
    assert text.count("not AWS figures") == 4
    assert text.count("capped") == 2
    assert text.count("derived") == (0 if quota else 1 + 4)  # in the title and in each row


def test_the_sentences_name_the_cheapest_the_fastest_and_the_marks(bench: Bench) -> None:
    # 10 ms, or 34.55 ms with 512 MB: billed 10 and 35 ms.
    said = micro_tables.sentences(run())
    assert said[0] == "Warm, the cheapest is 512 MB with 1 thread, 0.49 USD a million at 34.6 ms."
    assert said[1] == (
        "The fastest is 4,096 MB with 1 thread (capped), 0.87 USD a million at 10.0 ms: 1.76 times as much."
    )
    assert said[2] == "capped: its share of vCPUs is more than this machine's 2 processors."
    assert len(said) == 3
    derived = micro_tables.sentences(run(quota=False, memory_mb=(1769, 2048), threads=(1,)))
    assert derived[0].startswith("Warm, the cheapest and the fastest is 1,769 MB with 1 thread (derived)")
    assert derived[1].startswith("derived: computed from wall time and CPU time without a quota")
    assert derived[1].endswith("It was switched off: --no-quota.")


def test_a_row_over_its_quota_is_marked_as_unreliable(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "run", lambda **_: process(threads=2, cpu_share=1.0, throttled_periods=0))
    document = run(memory_mb=(512,), threads=(2,))
    assert document["sweep"]["rows"][0]["quota_held"] is False
    assert micro_tables.sentences(document)[-1].startswith("over quota: ")


@needs_python
@pytest.mark.benchmark
@pytest.mark.parametrize("kind", SUBJECTS)
def test_warm_calls_run_in_the_bundle(kind: str) -> None:
    subject = SUBJECTS[kind]
    arguments = (inference_bundle(kind), s3_event(subject.file), subject.file, 3)
    settings = {"MODEL_S3_URI": str(subject.model)}
    times = probe(bundle_python(), PROBES / "warm.py", *arguments, settings=settings)
    for warm in measure._warm_measurements(times, kind):
        assert len(warm.observed) == len(warm.baseline) == 3
        assert min(warm.observed + warm.baseline) > 0


@needs_python
@pytest.mark.benchmark
def test_the_proxy_does_not_fetch_a_large_object() -> None:
    memory = measure._proxy_memory(bundle_python(), proxy_bundle(), 3)
    assert len(memory.observed) == 3
    assert 10 < memory.result < 100  # MB, of the 128 that it has


@needs_python
@pytest.mark.benchmark
def test_real_processes_keep_to_their_quota_where_one_can_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "micro.json"
    line = "bench micro --calls 5 --processes 3 --memory 512 --threads 1 --output"
    assert crossover(monkeypatch, line, str(path)) == 0
    document = json.loads(path.read_text())
    (row,) = document["sweep"]["rows"]
    if document["settings"]["quota"] == "none":
        assert row["derived"]
    else:
        assert row["quota_held"] is True
        assert row["throttled_share"] > 0
        assert all(each["throttling"] for each in document["observations"] if each["memory_mb"] == 512)
    assert document["scenario"]["cpu_seconds"] > 0
    for each in document["observations"]:
        assert sum(each["cold"]["phases_ms"].values()) == pytest.approx(each["cold"]["total_ms"])


def crossover(monkeypatch: pytest.MonkeyPatch, line: str, *arguments: str) -> int:
    """Run a command, and give its exit code."""
    monkeypatch.setattr(sys, "argv", ["crossover", *line.split(), *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code: int = ended.value.code or 0  # type: ignore[assignment]
    return code
