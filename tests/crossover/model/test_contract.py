"""A model file is accepted or refused by its contract."""

import json
from pathlib import Path
from typing import Any

import onnx
import pytest

from crossover.handler_sources import inference
from crossover.model.contract import ModelArtifactError, check_model, reason_of
from crossover.paths import sources
from stacks.settings import Settings
from tests.crossover.cdk.onnx_files import CONTRACT, INT64, write_model


def test_the_model_in_the_repository_fulfils_the_contract():
    contract = check_model(Settings().model_file).contract

    assert (contract.input.kind, contract.output.kind) == ("audio", "labels")


@pytest.mark.parametrize("field", ["name", "version", "license", "input_kind"])
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
        ("input_kind", "radio"),
        ("output_kind", "radio"),
        ("sample_rate", ""),
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

    verb = "are" if field == "labels" else "is"
    assert f"its {field} {verb} {value!r}, but must be" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("declared", "needed"),
    [
        ({"element": INT64}, "must be one waveform, float or int16 [samples] or [1, samples]"),
        ({"input_shape": (2, "samples"), "output_shape": (2, 2)}, "must be one waveform, float or int16 [samples]"),
        ({"input_shape": (), "output_shape": ()}, "must be one waveform, float or int16 [samples]"),
        ({"output_shape": (3,)}, "must be scores, float [2] or [1, 2], one score for each label"),
    ],
)
def test_a_graph_that_the_handlers_cannot_serve_is_refused(tmp_path: Path, declared: dict[str, Any], needed: str):
    path = write_model(tmp_path / "model.onnx", **declared)

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert needed in str(error.value)


def test_a_number_of_scores_that_the_graph_leaves_open_is_taken(tmp_path: Path):
    path = write_model(tmp_path / "model.onnx", output_shape=("classes",))

    assert inference("model").Model.load(path).contract.output.labels == ("yes", "no")


def test_long_labels_are_shortened_in_a_message(tmp_path: Path):
    path = write_model(tmp_path / "model.onnx", metadata={**CONTRACT, "labels": json.dumps([1] * 500)})

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert len(str(error.value)) < len(str(path)) + 200


def test_all_faults_are_named_at_once(tmp_path: Path):
    metadata = {"name": "tiny", "input_kind": "audio", "sample_rate": "0", "labels": "yes"}
    path = write_model(tmp_path / "model.onnx", metadata=metadata, element=INT64)

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    message = str(error.value)
    assert "\n" not in message
    for fault in (
        "metadata lack version, license (needed",
        "sample_rate is '0'",
        "labels are 'yes'",
        "input is waveform, tensor(int64) ['samples']",
        "output is scores, tensor(int64) [2]",
    ):
        assert f"its {fault}" in message


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ModelArtifactError) as error:
        check_model(tmp_path / "none.onnx")

    assert str(error.value) == f"There is no model file {tmp_path}/none.onnx."


def test_the_contract_is_read_by_the_handlers_own_reader(tmp_path: Path):
    assert Path(inference("contract").__file__ or "") == sources() / "lambda_src/inference/contract.py"
    assert "inference" not in type(check_model(Settings().model_file).contract).__module__.split(".")


def test_a_file_that_is_not_a_model_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "model.onnx"
    path.write_text("not a model")

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert f"The model file {path} is not an ONNX model: at byte 0" in str(error.value)
    assert "\n" not in str(error.value)


REPORTED = Path(__file__).parents[2] / "lambda_src/reported/models"


def test_a_model_of_one_length_gets_windows_of_it():
    assert check_model(REPORTED / "c1-fixed-length.onnx").warnings == ()


@pytest.mark.parametrize(
    ("model", "warnings"),
    [
        ("c0-good", ()),
        (
            "c2-nan-on-silence",
            (
                "The model fails on digital silence, so such files become FAILED items: "
                "The model's scores for this input are not finite numbers.",
            ),
        ),
        (
            "c3-needs-400-samples",
            (
                "The model fails on 0.01 s of sound, so such files become FAILED items: "
                "The model fails for this input (waveform [160]): Invalid input shape: {160}.",
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

    fault = "it fails on 0.7 s of faint noise, 2.3 s of faint noise: The model fails for this input"
    assert f"cannot be served: {fault}" in str(error.value)


def test_weights_in_another_file_are_named_with_what_to_do(tmp_path: Path):
    path = tmp_path / "model.onnx"
    model = onnx.load(REPORTED / "c0-good.onnx")
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert f"{path} has its weights in weights.bin, but must hold them: `crossover model describe`" in str(error.value)


def test_a_graph_that_cannot_be_loaded_is_refused_in_one_line(tmp_path: Path):
    model = onnx.load(REPORTED / "c0-good.onnx")
    model.graph.node[0].op_type = "NoSuchOperator"
    path = tmp_path / "model.onnx"
    onnx.save(model, path)

    with pytest.raises(ModelArtifactError) as error:
        check_model(path)

    assert str(error.value).startswith(f"The model file {path} cannot be loaded: This is an invalid model. In Node")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Reshape node. Name:'' Status "
            "Message: /onnxruntime_src/core/reshape_helper.h:91 onnxruntime::ReshapeHelper::ReshapeHelper(const "
            "onnxruntime::TensorShape&, std::function<void(int)>, bool) a == b was false. No reshape.",
            "Non-zero status code returned while running Reshape node. Name:'' Status Message: a == b was false. No "
            "reshape",
        ),
        ("matmul_helper.h:59 Compute MatMul dimension mismatch", "MatMul dimension mismatch"),
    ],
)
def test_places_in_the_runtimes_own_sources_are_left_out(said: str, reason: str):
    assert reason_of(RuntimeError(said)) == reason
