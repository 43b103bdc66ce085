"""A model file is accepted or refused by its contract."""

import json
from pathlib import Path
from typing import Any

import pytest

from crossover import model_contract
from crossover.model_contract import ModelArtifactError, read_contract
from crossover.paths import sources
from stacks.settings import Settings
from tests.crossover.cdk.onnx_files import CONTRACT, INT64, write_model


def test_the_model_in_the_repository_fulfils_the_contract():
    contract = read_contract(Settings().model_file)

    assert contract.sample_rate == 16000
    assert len(contract.labels) == 521


@pytest.mark.parametrize("field", CONTRACT)
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_metadata_field_is_named(tmp_path: Path, field: str, empty: bool):
    metadata = {key: value for key, value in CONTRACT.items() if key != field} | ({field: ""} if empty else {})
    path = write_model(tmp_path / "model.onnx", metadata=metadata)

    with pytest.raises(ModelArtifactError) as error:
        read_contract(path)

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
        read_contract(path)

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
        read_contract(path)

    assert needed in str(error.value)


def test_a_number_of_scores_that_the_graph_leaves_open_is_taken(tmp_path: Path):
    path = write_model(tmp_path / "model.onnx", output_shape=("classes",))

    assert read_contract(path).labels == ("yes", "no")


def test_long_labels_are_shortened_in_a_message(tmp_path: Path):
    path = write_model(tmp_path / "model.onnx", metadata={**CONTRACT, "labels": json.dumps([1] * 500)})

    with pytest.raises(ModelArtifactError) as error:
        read_contract(path)

    assert len(str(error.value)) < len(str(path)) + 200


def test_all_faults_are_named_at_once(tmp_path: Path):
    metadata = {"name": "tiny", "input_kind": "image", "sample_rate": "0", "labels": "yes"}
    path = write_model(tmp_path / "model.onnx", metadata=metadata, input_name="audio", output_name="logits")

    with pytest.raises(ModelArtifactError) as error:
        read_contract(path)

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
        read_contract(tmp_path / "none.onnx")

    assert str(error.value) == f"There is no model file {tmp_path}/none.onnx."


def test_the_contract_is_read_by_the_handlers_own_reader(tmp_path: Path):
    read = model_contract._contract_module()

    assert Path(read.__file__) == sources() / "lambda_src/inference/contract.py"


def test_a_file_that_is_not_a_model_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "model.onnx"
    path.write_text("not a model")

    with pytest.raises(ModelArtifactError) as error:
        read_contract(path)

    assert f"The model file {path} is not an ONNX model" in str(error.value)
    assert "\n" not in str(error.value)
