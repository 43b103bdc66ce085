"""The committed image model: its contract, its graph, and that the script builds exactly this file."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from inference.model import Model
from model import in_own_environment

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "model/image"
MODEL = FOLDER / "model.onnx"
PICTURES = FOLDER / "samples"
EXPECTED = json.loads((PICTURES / "expected_labels.json").read_text())
SIZE = 224


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(MODEL)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load(MODEL)


@pytest.fixture(scope="module")
def metadata(session: onnxruntime.InferenceSession) -> dict[str, str]:
    found: dict[str, str] = session.get_modelmeta().custom_metadata_map
    return found


def noise(pictures: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (pictures, 3, SIZE, SIZE)).astype(np.float32)


def test_the_graph_takes_pictures_and_gives_each_a_probability_for_each_label(
    session: onnxruntime.InferenceSession,
) -> None:
    (image,), (scores,) = session.get_inputs(), session.get_outputs()
    assert (image.name, image.type, image.shape) == ("image", "tensor(float)", ["n", 3, SIZE, SIZE])
    assert (scores.name, scores.type, scores.shape) == ("scores", "tensor(float)", ["n", 1000])
    (values,) = session.run(None, {"image": noise(2)})
    assert (values > 0).all()
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)


def test_the_metadata_describe_the_model_and_its_preprocessing(metadata: dict[str, str]) -> None:
    assert {name: value for name, value in metadata.items() if name != "labels"} == {
        "name": "efficientnet-lite0",
        "version": "1.0.0",
        "license": "Apache-2.0",
        "input_kind": "image",
        "output_kind": "labels",
        "size": "224",
        "resize": "crop",
        "crop_ratio": "0.875",
        "interpolation": "bicubic",
        "scale": "1",
        "mean": "127",
        "std": "128",
    }


def test_no_two_labels_differ_by_capital_letters_alone(metadata: dict[str, str]) -> None:
    labels = json.loads(metadata["labels"])
    assert len({label.lower() for label in labels}) == len(labels) == 1000
    assert (labels[0], labels[281], labels[517], labels[-1]) == ("tench", "tabby", "crane (machine)", "toilet tissue")


def test_a_batch_gives_each_picture_its_own_scores(session: onnxruntime.InferenceSession) -> None:
    both = noise(2)
    (together,) = session.run(None, {"image": both})
    alone = np.concatenate([session.run(None, {"image": one[None]})[0] for one in both])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_picture_gets_its_label(model: Model, name: str) -> None:
    kind = model.contract.input
    outcome = model.predict(kind.decode((PICTURES / name).read_bytes(), kind.limits()))
    assert outcome.values["label"] == EXPECTED[name]["top"]
    assert EXPECTED[name]["content"] in [each["label"] for each in outcome.values["top_labels"]]


def test_every_picture_of_the_repository_has_an_expected_label_and_a_source(metadata: dict[str, str]) -> None:
    pictures = {path.name for path in PICTURES.iterdir() if path.suffix in (".jpg", ".png")}
    labels = set(json.loads(metadata["labels"]))
    assert set(EXPECTED) == pictures
    assert {label for expected in EXPECTED.values() for label in expected.values()} <= labels
    sources = (PICTURES / "SOURCES.md").read_text()
    assert all(f"| {name} | " in sources for name in pictures)


@pytest.mark.slow
def test_the_committed_file_is_byte_for_byte_what_the_script_builds(tmp_path: Path) -> None:
    requirements = FOLDER / "requirements.txt"
    try:
        in_own_environment.python_with(requirements)
    except in_own_environment.InstallError as error:
        if "hash mismatch" in str(error).lower():
            raise
        pytest.skip(f"The pinned packages that carry and read the original model cannot be installed here: {error}")
    built = tmp_path / "model.onnx"
    assert in_own_environment.run([requirements], FOLDER / "build_model.py", str(built)) == 0
    assert built.read_bytes() == MODEL.read_bytes()
