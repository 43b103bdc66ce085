"""The metadata of an ONNX file are replaced, as the onnx package reads them, and nothing else changes."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from crossover.model.metadata import ModelFileError, external_files, read_metadata, write_metadata
from crossover.paths import sources

MODEL = sources() / "model/model.onnx"


def make_model(path: Path, *, weights: int = 2_000, metadata: dict[str, str] | None = None) -> Path:
    """Adds weights to its input."""
    value = np.arange(weights, dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "weights"], ["y"])],
        "adds",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [weights])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [weights])],
        [numpy_helper.from_array(value, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8, doc_string="of a test")
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


def with_weights_outside(path: Path) -> Path:
    model = onnx.load(path)
    external_data_helper.convert_model_to_external_data(model, location="mine.onnx.data", size_threshold=0)
    onnx.save(model, path)
    return path


def without_metadata(path: Path) -> onnx.ModelProto:
    model = onnx.load(path)
    del model.metadata_props[:]
    return model


def test_metadata_are_read_as_the_onnx_package_reads_them():
    assert read_metadata(MODEL) == {entry.key: entry.value for entry in onnx.load(MODEL).metadata_props}


def test_entries_are_replaced_and_all_else_stays(tmp_path: Path):
    new = {"name": "other", "note": "ärger, \N{SNOWMAN}", "empty": ""}

    write_metadata(MODEL, tmp_path / "new.onnx", new)

    written = {entry.key: entry.value for entry in onnx.load(tmp_path / "new.onnx").metadata_props}
    assert written == {**read_metadata(MODEL), **new}
    assert read_metadata(tmp_path / "new.onnx") == written
    assert without_metadata(tmp_path / "new.onnx") == without_metadata(MODEL)
    session = onnxruntime.InferenceSession(tmp_path / "new.onnx", providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == written


def test_of_several_entries_of_a_key_none_but_the_new_one_is_left(tmp_path: Path):
    path = make_model(tmp_path / "mine.onnx", metadata={"name": "old", "kept": "yes"})
    model = onnx.load(path)
    model.metadata_props.add(key="name", value="older")
    onnx.save(model, path)
    assert read_metadata(path)["name"] == "older"

    write_metadata(path, path, {"name": "new"})

    assert [(entry.key, entry.value) for entry in onnx.load(path).metadata_props] == [("kept", "yes"), ("name", "new")]
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.onnx"]


def test_writing_the_same_twice_gives_the_same_bytes(tmp_path: Path):
    source = make_model(tmp_path / "mine.onnx")
    write_metadata(source, tmp_path / "once.onnx", {"name": "mine", "version": "1"})

    write_metadata(tmp_path / "once.onnx", tmp_path / "twice.onnx", {"name": "mine", "version": "1"})

    assert (tmp_path / "twice.onnx").read_bytes() == (tmp_path / "once.onnx").read_bytes()
    assert (tmp_path / "once.onnx").read_bytes().startswith(source.read_bytes())


def test_weights_in_another_file_come_inside(tmp_path: Path):
    """As torch.onnx.export leaves them."""
    make_model(tmp_path / "mine.onnx", metadata={"name": "old"})
    whole = without_metadata(tmp_path / "mine.onnx")
    path = with_weights_outside(tmp_path / "mine.onnx")
    assert external_files(path) == [tmp_path / "mine.onnx.data"]
    (tmp_path / "inside").mkdir()

    write_metadata(path, tmp_path / "inside/mine.onnx", {"name": "new"})

    written = tmp_path / "inside/mine.onnx"
    assert external_files(written) == []
    assert read_metadata(written) == {"name": "new"}
    [weights], [expected] = without_metadata(written).graph.initializer, whole.graph.initializer
    assert numpy_helper.to_array(weights).tobytes() == numpy_helper.to_array(expected).tobytes()
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    (result,) = session.run(["y"], {"x": np.ones(2_000, np.float32)})
    assert np.array_equal(result, np.arange(2_000, dtype=np.float32) + 1)


def test_weights_in_a_missing_file_are_named(tmp_path: Path):
    path = with_weights_outside(make_model(tmp_path / "mine.onnx"))
    (tmp_path / "mine.onnx.data").unlink()

    with pytest.raises(ModelFileError) as error:
        write_metadata(path, tmp_path / "new.onnx", {})

    missing = f"{tmp_path}/mine.onnx.data, which is missing"
    assert str(error.value) == f"The weights of {path} are in {missing}; put it beside the model."
    assert not (tmp_path / "new.onnx").exists()


def test_weights_that_end_after_their_file_are_named(tmp_path: Path):
    path = with_weights_outside(make_model(tmp_path / "mine.onnx"))
    (tmp_path / "mine.onnx.data").write_bytes(b"few")

    with pytest.raises(ModelFileError, match=r"are not all in .*mine.onnx.data, which has 3 bytes\.$"):
        external_files(path)


@pytest.mark.parametrize("location", ["../mine.onnx.data", "/etc/passwd", ""])
def test_weights_outside_the_folder_are_refused(tmp_path: Path, location: str):
    path = with_weights_outside(make_model(tmp_path / "mine.onnx"))
    model = onnx.load(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        entry.value = location if entry.key == "location" else entry.value
    path.write_bytes(model.SerializeToString())

    with pytest.raises(ModelFileError) as error:
        external_files(path)

    assert f"are in {location!r}, but must be in a file beside it" in str(error.value)


def test_a_model_that_would_be_larger_than_onnx_files_can_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = with_weights_outside(make_model(tmp_path / "mine.onnx"))
    monkeypatch.setattr("crossover.model.metadata.MAX_BYTES", 7_999)

    with pytest.raises(ModelFileError, match=r"with its weights inside; an ONNX file has at most 2\.1\.$"):
        write_metadata(path, tmp_path / "new.onnx", {})


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a model", id="text"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(100), id="a picture"),
        pytest.param(b"PK\x03\x04" + bytes(100), id="a zip"),
        pytest.param(b"\x08\x08", id="no graph"),
        pytest.param(b"\x08" + b"\xff" * 11, id="a number without end"),
        pytest.param(MODEL.read_bytes()[:-1], id="cut"),
    ],
)
def test_what_is_no_model_is_refused_in_one_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "mine.onnx"
    path.write_bytes(content)

    with pytest.raises(ModelFileError) as error:
        write_metadata(path, tmp_path / "new.onnx", {"name": "new"})

    assert str(error.value).startswith(f"The model file {path} is not an ONNX model: ")
    assert str(error.value).count(".") == str(path).count(".") + 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.onnx"]
