"""A model file is accepted or refused by its contract."""

import json
from pathlib import Path
from typing import Any

import onnx
import pytest

from crossover import model_contract
from crossover.model_contract import ModelArtifactError, check_model
from crossover.paths import sources
from stacks.settings import Settings
from tests.crossover.cdk.onnx_files import CONTRACT, INT64, write_model


def test_the_model_in_the_repository_fulfils_the_contract():
    contract = check_model(Settings().model_file).contract

    assert contract.sample_rate == 16000
    assert len(contract.labels) == 521


@pytest.mark.parametrize("field", CONTRACT)
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_metadata_field_is_named(tmp_path: Path, field: str, empty: bool):
    metadata = {key: value for key, value in CONTRACT.items() if key != field} | ({field: ""} if empty else {})
    path = write_model(tmp_path / "model.onnx", metadata=metadata)

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert str(error.value).startswith(f"The model file {path} cannot be served: its metadata lack {field} (needed are")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input_kind", "image"),
        ("sample_rate", "16 kHz"),
        ("sample_rate", "0"),
        ("sample_rate", "-8000"),
        ("labels", "yes,no"),
        ("labels", '{"yes": 0}'),
        ("labels", "[]"),
        ("labels", "[1, 2]"),
    ],
)
def test_a_wrong_metadata_value_is_named_with_what_is_needed(tmp_path: Path, field: str, value: str):
    path = write_model(tmp_path / "model.onnx", metadata={**CONTRACT, field: value})

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert f"its {field} is {value!r}, but must be" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("declared", "needed"),
    [
        ({"input_name": "audio"}, "must be waveform, float32 [samples]"),
        ({"element": INT64}, "must be waveform, float32 [samples]"),
        ({"input_shape": ("batch", "samples"), "output_shape": ("batch", 2)}, "must be waveform, float32 [samples]"),
        ({"output_name": "logits"}, "must be scores, float32 [2]"),
        ({"output_shape": (3,)}, "must be scores, float32 [2], one score for each label"),
    ],
)
def test_a_graph_that_the_handlers_cannot_serve_is_refused(tmp_path: Path, declared: dict[str, Any], needed: str):
    path = write_model(tmp_path / "model.onnx", **declared)

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert needed in str(error.value)


def test_a_number_of_scores_that_the_graph_leaves_open_is_taken(tmp_path: Path):
    path = write_model(tmp_path / "model.onnx", output_shape=("classes",))

    assert check_model(path).contract.labels == ("yes", "no")


def test_long_labels_are_shortened_in_a_message(tmp_path: Path):
    path = write_model(tmp_path / "model.onnx", metadata={**CONTRACT, "labels": json.dumps([1] * 500)})

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert len(str(error.value)) < len(str(path)) + 200


def test_all_faults_are_named_at_once(tmp_path: Path):
    metadata = {"name": "tiny", "input_kind": "image", "sample_rate": "0", "labels": "yes"}
    path = write_model(tmp_path / "model.onnx", metadata=metadata, input_name="audio", output_name="logits")

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    message = str(error.value)
    assert "\n" not in message
    for fault in (
        "metadata lack version, license (needed",
        "input_kind is 'image'",
        "sample_rate is '0'",
        "labels is 'yes'",
        "input is audio, tensor(float) ['samples']",
        "output is logits, tensor(float) [2]",
    ):
        assert f"its {fault}" in message


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ModelArtifactError) as error:
        check_model(tmp_path / "none.onnx")

    assert str(error.value) == f"There is no model file {tmp_path}/none.onnx."


def test_the_contract_is_read_by_the_handlers_own_reader(tmp_path: Path):
    read = model_contract._contract_module()

    assert Path(read.__file__) == sources() / "lambda_src/inference/contract.py"


def test_a_file_that_is_not_a_model_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "model.onnx"
    path.write_text("not a model")

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert f"The model file {path} is not an ONNX model" in str(error.value)
    assert "\n" not in str(error.value)


REPORTED = Path(__file__).parents[1] / "lambda_src/reported/models"


def test_a_model_of_one_length_is_refused_by_name():
    with pytest.raises(ModelArtifactError) as error:
        check_model(REPORTED / "c1-fixed-length.onnx")

    assert "its input has the fixed length of 16000 samples, but must be exported with an open one" in str(error.value)


@pytest.mark.parametrize(
    ("model", "warnings"),
    [
        ("c0-good", ()),
        (
            "c2-nan-on-silence",
            (
                "The model fails on digital silence, so such files become FAILED items: "
                "its scores are not finite numbers.",
            ),
        ),
        (
            "c3-needs-400-samples",
            (
                "The model fails on 0.01 s of sound, so very short files become FAILED items: "
                "Invalid input shape: {160}.",
            ),
        ),
    ],
)
def test_what_a_model_fails_on_is_told_beforehand(model: str, warnings: tuple[str, ...], capfd: Any):
    assert check_model(REPORTED / f"{model}.onnx").warnings == warnings
    assert capfd.readouterr() == ("", "")


def test_a_model_whose_graph_takes_one_length_is_refused(tmp_path: Path):
    """Its input declares an open length, which tracing does not make true."""
    model = onnx.load(REPORTED / "c1-fixed-length.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "samples"
    shape = onnx.helper.make_tensor("shape", onnx.TensorProto.INT64, [2], [160, 100])
    taken = model.graph.input[0].name
    for node in model.graph.node:
        node.input[:] = ["flat" if name == taken else name for name in node.input]
    flat = onnx.helper.make_tensor("flat_shape", onnx.TensorProto.INT64, [1], [-1])
    model.graph.initializer.extend([shape, flat])
    model.graph.node.insert(0, onnx.helper.make_node("Reshape", [taken, "shape"], ["square"]))
    model.graph.node.insert(1, onnx.helper.make_node("Reshape", ["square", "flat_shape"], ["flat"]))
    onnx.save(model, tmp_path / "traced.onnx")

    with pytest.raises(ModelArtifactError) as error:
        check_model(tmp_path / "traced.onnx")

    assert "cannot be served: it fails on 0.7 s of faint noise, but must take audio of any length" in str(error.value)
