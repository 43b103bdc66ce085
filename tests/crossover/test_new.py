"""`crossover new`: what is checked before anything is written. tests/package runs the projects that it writes."""

import json
from pathlib import Path

import pytest

from crossover.errors import UsageError
from crossover.new.create import create
from crossover.paths import sources
from stacks.settings import Settings, SettingsError
from tests.crossover.cdk.onnx_files import write_model


def new(folder: Path, *, model: str | Path = "audio", variants: str = "", name: str = "") -> str:
    return create(folder, model=str(model), variants=variants, name=name)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_project_takes_its_own_model(tmp_path: Path) -> None:
    model = write_model(tmp_path / "birds.onnx")
    new(tmp_path / "birds", model=model, name="Avian")
    assert (tmp_path / "birds/model/model.onnx").read_bytes() == model.read_bytes()
    assert names_in(tmp_path / "birds/model") == ["model.onnx"]
    assert json.loads((tmp_path / "birds/cdk.json").read_text())["context"]["stack_prefix"] == "Avian"


def test_a_project_takes_a_published_model_with_what_its_licence_requires(tmp_path: Path) -> None:
    assert "model efficientnet-lite0 1.0.0" in new(tmp_path / "pictures", model="image")
    copied = tmp_path / "pictures/model"
    assert names_in(copied) == ["LICENSE-EFFICIENTNET-LITE", "MODEL_CARD.md", "model.onnx"]
    for path in copied.iterdir():
        assert path.read_bytes() == (sources() / "model/image" / path.name).read_bytes()


def test_an_existing_empty_folder_is_accepted(tmp_path: Path) -> None:
    assert "variants standard, " in new(tmp_path)
    assert (tmp_path / "app.py").is_file()


@pytest.mark.parametrize(
    ("folder", "options", "sentence"),
    [
        ("full", {}, r".*full must be a new or an empty folder, but it holds notes\.txt\.$"),
        ("full/notes.txt", {}, r".*notes\.txt must be a new or an empty folder, but it is a file\.$"),
        ("new", {"variants": "fargate"}, r"There is no variant 'fargate'; there are standard, "),
        (
            "new",
            {"name": "1st"},
            r"The name is '1st'; --name must be 1 to 64 letters, digits and hyphens, a letter first",
        ),
        ("1st", {}, r"The name is '1st'; --name must be "),
        ("new", {"model": Path("missing.onnx")}, r"There is no model file .*missing\.onnx"),
        ("new", {"model": Path(__file__)}, r"The model file .*test_new\.py is not an ONNX model: "),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    tmp_path: Path, folder: str, options: dict[str, str | Path], sentence: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("not empty")
    with pytest.raises(UsageError, match=f"^{sentence}"):
        new(tmp_path / folder, **options)  # type: ignore[arg-type]
    assert names_in(tmp_path) == ["full"]
    assert names_in(tmp_path / "full") == ["notes.txt"]


@pytest.mark.parametrize("name", ["A", "a-1", "B" * 64, "", "1a", "a_b", "C" * 65, "ä"])
def test_a_name_is_what_the_setting_allows(tmp_path: Path, name: str) -> None:
    try:
        Settings(stack_prefix=name)
    except SettingsError:
        with pytest.raises(UsageError):
            new(tmp_path / "1", name=name)
    else:
        assert f"stacks {name}-" in new(tmp_path / "1", name=name)
