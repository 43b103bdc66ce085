"""A check names every fault, measures, and says where a model fits."""

import json
import math
from pathlib import Path

import pytest

from crossover import cli, command_line
from crossover.errors import UsageError
from crossover.model import probe
from crossover.model.check import BUNDLE_BYTES, LAMBDA_MEMORY_MB, check, lambda_memory, places
from crossover.model.contract import warnings_of
from tests.crossover.cdk.onnx_files import CONTRACT, write_model

REPORTED = Path(__file__).parents[2] / "lambda_src/reported/models"


def run(*arguments: object) -> int:
    return command_line.run(cli.app, ["model", "check", *map(str, arguments)], program="crossover")


def test_a_small_model_fits_everywhere(capsys: pytest.CaptureFixture[str]):
    assert run(REPORTED / "c0-good.onnx", "--json") == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["input_kind"], found["output_kind"]) == ("audio", "labels")
    assert (found["faults"], found["warnings"]) == ([], [])
    assert all(run["fault"] == "" and run["ms"] > 0 for run in found["runs"])
    whats = [run["what"] for run in found["runs"]]
    assert {"digital silence", "a single sample", "the longest audio that is allowed, 600 s"} <= set(whats)
    assert all(place["fits"] for place in found["fits"])
    assert 50 < found["loaded_mb"] <= found["usual_mb"] <= found["peak_mb"] < found["need_mb"] <= found["lambda_mb"]


def test_a_file_that_would_take_too_long_is_not_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probe, "LONGEST_SECONDS", 0.0)

    found = probe.measure(REPORTED / "c0-good.onnx")

    (longest,) = (run for run in found["runs"] if run["what"].startswith("the longest"))
    assert (longest["ms"], longest["fault"]) == (None, "")
    assert longest["note"].startswith("not run: it would take about")


def test_all_that_is_missing_is_named_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = write_model(tmp_path / "model.onnx", metadata={**CONTRACT, "name": "", "sample_rate": "0", "labels": "x"})

    assert run(path) == 1

    begin, *faults, remedy = capsys.readouterr().out.splitlines()
    assert begin == f"{path} cannot be deployed:"
    assert remedy == f"`crossover model describe {path}` writes its metadata."
    assert [fault.partition(" (")[0].partition(",")[0] for fault in faults] == [
        "- its metadata lack name",
        "- its sample_rate is '0'",
        "- its labels are 'x'",
    ]


def test_what_a_model_fails_on_is_a_warning(capsys: pytest.CaptureFixture[str]):
    assert run(REPORTED / "c3-needs-400-samples.onnx") == 0

    printed = capsys.readouterr().out
    assert "Warning: The model fails on 0.01 s of sound, so such files become FAILED items: " in printed
    assert "Warning: The model fails on a single sample, so such files become FAILED items: " in printed
    assert "can be deployed." in printed


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match=f"^There is no model file {tmp_path}/none.onnx.$"):
        check(tmp_path / "none.onnx")
    with pytest.raises(UsageError, match=f"^The model {tmp_path} is a folder, but must be a file.$"):
        check(tmp_path)


def test_warnings_of_the_same_reason_are_one():
    found = warnings_of([("noise", "Not finite."), ("silence", "Too short."), ("zeros", "Not finite.")])

    assert found == (
        "The model fails on noise; zeros, so such files become FAILED items: Not finite.",
        "The model fails on silence, so such files become FAILED items: Too short.",
    )


def test_a_model_that_ends_its_process_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    ends = tmp_path / "python"
    ends.write_text("#!/bin/sh\nkill -SEGV $$\n")
    ends.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(ends))

    (tmp_path / "mine.onnx").touch()

    assert check(tmp_path / "mine.onnx").faults == ("it ended the process that ran it, with signal 11",)


@pytest.mark.parametrize(("need", "size"), [(100, 128), (116, 128), (117, 256), (3_500, 4096), (9_309, 10_240)])
def test_the_smallest_memory_size_that_is_enough_with_a_margin(need: int, size: int):
    assert lambda_memory(need) == size


def test_more_memory_than_lambda_has_fits_no_function():
    assert lambda_memory(9_310) is None
    assert not any(place.fits for place in places(10**6, 9_310, 10**6))
    assert list(LAMBDA_MEMORY_MB) == sorted(LAMBDA_MEMORY_MB)


@pytest.mark.parametrize(
    ("megabytes", "fits"),
    [(50, (True, True, True, True)), (200, (True, False, True, True)), (11_000, (True, False, False, False))],
)
def test_a_large_file_does_not_fit_the_zip_package(megabytes: float, fits: tuple[bool, ...]):
    of_lambda = {
        place.name: place.fits for place in places(math.ceil(megabytes * 1024**2), 1_000, BUNDLE_BYTES["audio"])
    }
    names = [name for name in of_lambda if name.startswith("Lambda") and "EFS" not in name]
    assert tuple(of_lambda[name] for name in names) == fits
