"""The model that the demo deploys, and the files that it shows."""

import json
from pathlib import Path

import pytest

from crossover.errors import UsageError
from crossover.local.chosen_model import choose_model
from crossover.paths import sources
from tests.crossover.cdk.onnx_files import write_model

IMAGE = sources() / "model/image/model.onnx"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"model_path": "mine.onnx"}}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_by_default_it_is_the_projects_and_the_synth_knows_it(project: Path) -> None:
    write_model(project / "mine.onnx")
    chosen = choose_model("")
    assert (chosen.kind, chosen.context) == ("audio", {})
    assert {path.suffix for path in chosen.files(None)} == {".wav", ".flac"}


@pytest.mark.parametrize("name", ["image", str(IMAGE)])
def test_another_is_named_by_its_kind_or_its_path_and_given_to_the_synth(project: Path, name: str) -> None:
    chosen = choose_model(name)
    assert (chosen.kind, chosen.context) == ("image", {"model_path": str(IMAGE)})
    assert {path.suffix for path in chosen.files(None)} == {".jpg", ".png"}
    assert all(path.is_file() for path in chosen.files(None))


def test_a_path_is_relative_to_the_current_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "models").mkdir()
    model = write_model(project / "models/other.onnx")
    monkeypatch.chdir(project / "models")
    assert choose_model("other.onnx").context == {"model_path": str(model)}


def test_a_file_or_folder_of_ones_own_takes_the_samples_place(project: Path) -> None:
    for name in ("a.jpg", "b.wav"):
        (project / name).touch()
    chosen = choose_model("image")
    assert chosen.files(project) == [project / "a.jpg"]
    with pytest.raises(UsageError, match=r"b\.wav is audio/x-wav by its name, but the model takes image: "):
        chosen.files(project / "b.wav")


def test_an_app_that_has_its_model_from_elsewhere_needs_a_file(project: Path) -> None:
    (project / "a.wav").touch()
    chosen = choose_model("")
    assert chosen.files(project / "a.wav") == [project / "a.wav"]
    with pytest.raises(UsageError, match=r"The model of the project is not known here: its cdk\.json names"):
        chosen.files(None)


def test_a_model_that_cannot_be_served_is_named_with_the_reason(project: Path) -> None:
    (project / "mine.onnx").write_text("no model")
    with pytest.raises(UsageError, match=r"The model file .*mine\.onnx is not an ONNX model: "):
        choose_model("")
