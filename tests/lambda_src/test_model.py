"""The model's contract, read from the file."""

import errno
import hashlib
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from inference.contract import COMMON_FIELDS
from inference.input_error import InputError
from inference.inputs.audio import AudioInput
from inference.model import Model, ModelError
from inference.outputs.labels import LabelsOutput
from inference.prediction import ModelUnreadableError

from .conftest import MODEL


def with_metadata(old: bytes, new: bytes) -> bytes:
    """The model with some bytes of its metadata replaced by as many others, so that the file stays valid."""
    data = MODEL.read_bytes()
    assert len(old) == len(new)
    assert data.count(old) == 1
    return data.replace(old, new)


def test_the_model_has_its_contract(model: Model) -> None:
    contract = model.contract
    assert (contract.name, contract.input.kind, contract.output.kind) == ("yamnet", "audio", "labels")
    assert contract.input == AudioInput(
        name="waveform",
        dtype="float32",
        leading=0,
        window=None,
        sample_rate=16_000,
        windowing="mean",
        overlapping=True,
    )
    assert isinstance(contract.output, LabelsOutput)
    assert len(contract.output.labels) == 521
    assert model.sha256 == hashlib.sha256(MODEL.read_bytes()).hexdigest()


def test_bytes_and_path_load_the_same_model(model: Model) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    feeds = [{"waveform": noise}]
    np.testing.assert_array_equal(Model.load(MODEL.read_bytes()).run(feeds)[0]["scores"], model.run(feeds)[0]["scores"])


@pytest.mark.parametrize("field", COMMON_FIELDS)
def test_a_missing_field_is_named(field: str) -> None:
    key = bytes([len(field)]) + field.encode() + b"\x12"  # a protobuf string, then its value's tag
    with pytest.raises(ModelError, match=f"its metadata lack {field} "):
        Model.load(with_metadata(key, key.replace(field[-1].encode(), b"!")))


def test_an_invalid_field_is_named() -> None:
    with pytest.raises(ModelError, match="input_kind is 'radio'"):
        Model.load(with_metadata(b"\x12\x05audio", b"\x12\x05radio"))
    with pytest.raises(ModelError, match="sample_rate is '16kHz'"):
        Model.load(with_metadata(b"\x12\x0516000", b"\x12\x0516kHz"))


def test_a_model_with_another_number_of_scores_than_labels_is_refused() -> None:
    with pytest.raises(ModelError, match=r"output is scores, .* \[521\], but must be scores, float \[520\]"):
        Model.load(with_metadata(b'"Speech", "Child speech', b'"Speech____Child speech'))


def test_a_file_that_is_not_a_model_is_refused() -> None:
    with pytest.raises(ModelError, match="is no ONNX file"):
        Model.load(b"not a model")


@pytest.mark.parametrize("is_model", [True, False])
def test_a_model_that_opens_but_cannot_be_read_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_model: bool
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(MODEL.read_bytes() if is_model else b"what onnxruntime could read")

    def stale(*_: object) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(hashlib, "file_digest", stale)
    with pytest.raises(ModelUnreadableError, match="Stale file handle"):
        Model.load(path)


@pytest.mark.parametrize(
    ("rows", "raised"),
    [("Reshape", InputError), ("Expand", Fail)],
    ids=["a node that is only named after allocation", "more memory than there is"],
)
def test_only_a_lack_of_memory_is_left_to_a_later_attempt(rows: str, raised: type[Exception]) -> None:
    shape = [7, 7] if rows == "Reshape" else [1 << 30, 1 << 20, 1]
    node = helper.make_node(rows, ["waveform", "shape"], ["scores"], name="allocate_rows")
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["samples"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)],
        [helper.make_tensor("shape", TensorProto.INT64, [len(shape)], shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    contract = {"name": "m", "version": "1", "license": "MIT", "input_kind": "audio", "output_kind": "tensors"}
    helper.set_model_props(model, {**contract, "sample_rate": "16000"})
    with pytest.raises(raised):
        Model.load(model.SerializeToString()).run([{"waveform": np.ones(1, np.float32)}])
