"""examples/own_model: the model fulfils its contract, fits into a project, and predicts through the handler."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import soundfile

from crossover import cli, command_line
from crossover.new.create import create
from examples.own_model.make_model import NOTES, make_model
from tests.lambda_src.conftest import CONTEXT, aws, load_handler  # noqa: F401, a fixture
from tests.lambda_src.events import event

RATE = 44_100  # Hz; not the model's


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "notes.onnx"
    onnx.save(make_model(), path)
    describe = ["model", "describe", path, "--sample-rate", 16_000, "--labels", ",".join(NOTES)]
    assert command_line.run(cli.app, list(map(str, describe)), program="crossover") == 0
    return path


def recording(hertz: float, seconds: float) -> bytes:
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)
    file = io.BytesIO()
    soundfile.write(file, wave, RATE, format="WAV")
    return file.getvalue()


def test_a_project_takes_it(model: Path, tmp_path: Path) -> None:
    assert "model notes 1" in create(tmp_path / "notes", model=str(model), variants="standard", name="")


@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize("seconds", [0.1, 3.0])
def test_it_recognises_the_note_of_a_recording(
    model: Path,
    aws: SimpleNamespace,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    note: str,
    seconds: float,
) -> None:
    monkeypatch.setenv("MODEL_S3_URI", str(model))
    monkeypatch.setenv("PREDICTOR", "standard")
    handler = load_handler("standard_handler").handler
    handler(event(aws.upload("note.wav", recording(NOTES[note], seconds))), CONTEXT)
    item = aws.item("note.wav")
    assert (item["status"]["S"], item["label"]["S"]) == ("SUCCEEDED", note)
    assert float(item["score"]["N"]) > 0.8
