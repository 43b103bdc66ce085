"""Files are predicted here as a handler predicts them."""

import json
import sys
from pathlib import Path

import pytest

from crossover import cli, command_line
from crossover.errors import CrossoverError, UsageError
from crossover.model import trying
from crossover.model.awkward_files import wav
from crossover.model.trying import Runtime
from crossover.paths import sources
from tests.crossover.cdk.onnx_files import CONTRACT, write_model

MODEL = sources() / "model/model.onnx"
CROW = sources() / "model/samples/misc_crow.flac"


@pytest.fixture(autouse=True)
def in_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which has the packages of a bundle."""
    runtime = Runtime(command=(sys.executable, "-I"), code=sources() / "lambda_src")
    monkeypatch.setattr(trying, "find_runtime", lambda kind: runtime)


def run(*arguments: object) -> int:
    return command_line.run(cli.app, ["model", "try", *map(str, arguments)], program="crossover")


def test_files_and_folders_are_predicted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/short.wav").write_bytes(wav(16_000, 16_000))
    (tmp_path / "folder/notes.txt").write_text("no audio")

    assert run(MODEL, CROW, tmp_path / "folder") == 0

    printed = capsys.readouterr().out
    assert "Crow 0.59, Caw 0.44, Animal 0.30" in printed
    assert "short.wav" in printed
    assert "notes.txt" not in printed


def test_a_file_that_can_never_succeed_fails_with_its_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "notes.txt").write_text("no audio")

    assert run(MODEL, tmp_path / "notes.txt", CROW, "--json") == 1

    failed, succeeded = map(json.loads, capsys.readouterr().out.splitlines())
    assert (failed["status"], failed["error_code"]) == ("FAILED", "UNSUPPORTED_FORMAT")
    assert (succeeded["status"], succeeded["values"]["label"]) == ("SUCCEEDED", "Crow")
    assert set(succeeded["timings_ms"]) == {"decode", "inference"}


def test_a_result_that_does_not_fit_an_item_becomes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    import onnx

    from tests.crossover.model.graphs import save, value  # needs the onnx package

    path = save(
        tmp_path / "copy.onnx",
        [onnx.helper.make_node("Identity", ["audio"], ["copy"])],
        [value("audio", ["samples"])],
        [value("copy", ["samples"])],
    )
    describe = ["model", "describe", str(path), "--sample-rate", "16000", "--output-kind", "tensors"]
    assert command_line.run(cli.app, describe, program="crossover") == 0
    (tmp_path / "long.wav").write_bytes(wav(16_000, 160_000))
    capsys.readouterr()

    assert run(path, tmp_path / "long.wav", "--output", tmp_path / "results", "--json") == 0

    found = json.loads(capsys.readouterr().out)
    assert found["result"] == str(tmp_path / "results/long.wav.result.npz")
    assert Path(found["result"]).stat().st_size > 0
    assert found["values"]["outputs"]["copy"]["shape"] == [160_000]

    assert run(path, tmp_path / "long.wav") == 0
    assert "--output FOLDER keeps them" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.wav", "none.wav cannot be read: No such file"),
        ("empty", "empty holds no audio: no file in it ends in .3gp"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, reason: str):
    (tmp_path / "empty").mkdir()

    with pytest.raises(UsageError, match=reason):
        run(MODEL, tmp_path / name)


def test_a_model_without_a_contract_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match=r"its metadata lack name, version, license, input_kind"):
        run(write_model(tmp_path / "mine.onnx", metadata={}), CROW)


def test_what_a_handler_would_retry_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trying, "PROBE", tmp_path / "probe.py")
    (tmp_path / "probe.py").write_text("raise MemoryError('no memory')")

    with pytest.raises(CrossoverError, match=r"as it would in the function, and again at each retry: MemoryError: no"):
        run(write_model(tmp_path / "mine.onnx", metadata=CONTRACT), CROW)
