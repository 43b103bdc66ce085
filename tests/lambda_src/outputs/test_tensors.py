"""Outputs of the graph as they are: in the item where they fit, else in a file."""

import io
import json
import math
import zipfile
from decimal import Decimal

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from inference.input_error import InputError
from inference.inputs.tensor import TensorLimits
from inference.kinds import Decoded
from inference.local_predictor import LocalPredictor
from inference.model import Model
from inference.outputs.parts.item_size import ITEM_BYTES, item_size
from inference.outputs.tensors import TensorsOutput
from tests.onnx_models import SIZE
from tests.onnx_models.embedding import COPIES, make_embedding

from .graphs import tensor

NOTHING = Decoded(feeds=[{}], facts={})


def read(graph, **metadata):
    faults: list[str] = []
    kind = TensorsOutput.read(metadata, graph, faults, "tensor")
    assert (kind is None) == bool(faults)
    return kind, faults


def outcome(*results, **metadata):
    kind, faults = read([tensor(name, []) for name in results[0]], **metadata)
    assert not faults
    made = kind.outcome(results, NOTHING)
    json.dumps(made.values, allow_nan=False)
    return made


def arrays(made):
    """Of the file, read as anyone would."""
    assert (made.file.suffix, made.file.media_type) == (".npz", "application/octet-stream")
    return dict(np.load(io.BytesIO(made.file.content), allow_pickle=False))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_small_outputs_are_in_the_item_with_their_own_digits(dtype):
    values = np.array([[0.1, 1 / 3, -0.0], [1e-7, 65504, 2]], dtype)
    made = outcome({"y": values})
    assert made.file is None
    described = made.values["outputs"]["y"]
    assert (described["shape"], described["dtype"]) == ([2, 3], dtype)
    assert described["values"][0][0] == 0.1
    assert np.array_equal(np.array(described["values"], dtype), values)


@pytest.mark.parametrize(
    ("array", "dtype", "values"),
    [
        (np.array([2**63 - 1, -(2**63)]), "int64", [2**63 - 1, -(2**63)]),
        (np.array([2**64 - 1], np.uint64), "uint64", [2**64 - 1]),
        (np.array([[True, False]]), "bool", [[True, False]]),
        (np.array(["yes", "", "ja\u2028"], object), "string", ["yes", "", "ja\u2028"]),
        (np.array(1.5, np.float32), "float32", 1.5),
        (np.zeros((0, 4), np.float32), "float32", []),
    ],
)
def test_every_type_has_its_values(array, dtype, values):
    made = outcome({"y": array})
    assert made.values == {"outputs": {"y": {"shape": list(array.shape), "dtype": dtype, "values": values}}}


def test_scores_by_label_are_objects():
    """As scikit-learn's classifiers give them, through ZipMap."""
    made = outcome({"p": [{"setosa": float(np.float32(0.1)), "virginica": 0.5}] * 2})
    row = {"setosa": 0.1, "virginica": 0.5}
    assert made.values["outputs"]["p"] == {"shape": [2], "dtype": "map", "values": [row, row]}


def test_an_empty_label_which_dynamodb_cannot_hold_is_in_a_file():
    assert arrays(outcome({"p": [{"": 0.25, "b": 0.75}]}))["p.labels"].tolist() == ["", "b"]


def test_scores_by_label_of_a_real_graph():
    node = helper.make_node("ZipMap", ["x"], ["p"], domain="ai.onnx.ml", classlabels_int64s=[3, 5])
    row = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    graph = helper.make_graph(
        [node],
        "classifier",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_value_info("p", helper.make_sequence_type_proto(row))],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    kind, _ = read(session.get_outputs())
    (scores,) = session.run(["p"], {"x": np.array([[0.1, 0.9], [0.7, 0.3]], np.float32)})
    values = kind.outcome([{"p": scores}], NOTHING).values
    assert values["outputs"]["p"]["values"] == [{"3": 0.1, "5": 0.9}, {"3": 0.7, "5": 0.3}]


def test_only_the_named_outputs_are_reported_in_their_order():
    result = {name: np.array([1.0]) for name in ("a", "b", "c")}
    assert list(outcome(result).values["outputs"]) == ["a", "b", "c"]
    assert list(outcome(result, outputs='["c", "a"]').values["outputs"]) == ["c", "a"]


def test_large_outputs_are_in_a_file_and_the_item_says_what_it_holds():
    embedding = np.random.default_rng(0).standard_normal((1, 50_000)).astype(np.float32)
    result = {
        "embedding": embedding,
        "file": np.arange(3),  # numpy.savez takes no array of this name
        "words": np.array(["a", "bc"], object),
        "p": [{"0": 0.25, "1": 0.75}] * 2,
    }
    made = outcome(result)
    assert made.values == {
        "outputs": {
            "embedding": {"shape": [1, 50_000], "dtype": "float32"},
            "file": {"shape": [3], "dtype": "int64"},
            "words": {"shape": [2], "dtype": "string"},
            "p": {"shape": [2], "dtype": "map"},
        }
    }
    found = arrays(made)
    assert np.array_equal(found["embedding"], embedding)
    assert found["file"].tolist() == [0, 1, 2]
    assert found["words"].tolist() == ["a", "bc"]
    assert found["p"].tolist() == [[0.25, 0.75]] * 2
    assert found["p.labels"].tolist() == ["0", "1"]


@pytest.mark.parametrize("array", [np.random.default_rng(0).random(100_000), np.zeros((1000, 1000), np.int64)])
def test_a_file_is_always_the_same_bytes(array, monkeypatch):
    first = outcome({"y": array}).file.content
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert outcome({"y": array}).file.content == first


def test_what_shrinks_is_compressed():
    (classes,) = zipfile.ZipFile(io.BytesIO(outcome({"y": np.zeros((1000, 1000))}).file.content)).infolist()
    assert classes.compress_size < classes.file_size / 100
    (noise,) = zipfile.ZipFile(
        io.BytesIO(outcome({"y": np.random.default_rng(0).random(10**5)}).file.content)
    ).infolist()
    assert noise.compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize("value", [1e300, 1e-200, -1e126, 5e-324])
def test_numbers_that_dynamodb_cannot_hold_are_in_a_file(value):
    made = outcome({"y": np.array([1.0, value])})
    assert "values" not in made.values["outputs"]["y"]
    assert arrays(made)["y"].tolist() == [1.0, value]
    assert made.file.reason == "has numbers beyond those of DynamoDB, 1e-130 to 9.9e+125"


@pytest.mark.parametrize(("dimensions", "reason"), [(25, ""), (26, "has 26 dimensions, but an item nests 25")])
def test_lists_that_nest_too_deep_for_dynamodb_are_in_a_file(dimensions, reason):
    made = outcome({"y": np.ones([1] * dimensions)})
    assert (made.file.reason if made.file else "") == reason


def test_without_a_bucket_a_file_is_refused_with_its_reason():
    row = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", 1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", row[:1], row[1:])
    same = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    declared = {"name": "n", "version": "1", "license": "MIT", "input_kind": "tensor", "output_kind": "tensors"}
    helper.set_model_props(same, declared)
    predictor = LocalPredictor(s3=None, model=Model.load(same.SerializeToString()), limits=TensorLimits())
    with pytest.raises(InputError, match=r"NO_RESULTS_BUCKET: The result has numbers beyond those of DynamoDB"):
        predictor.predict_bytes(b"[[1e200]]")


@pytest.mark.parametrize("shape", [(300_000,), (70_000, 1), (60_000, 1, 1), (1_000_000, 0)])
def test_large_outputs_are_in_no_item_whatever_their_values(shape):
    for value in (0, 7):
        assert outcome({"y": np.full(shape, value)}).file is not None


@pytest.mark.parametrize(
    ("dtype", "count"),
    [
        ("int8", 59_000),
        ("int64", 22_900),
        ("uint64", 22_900),
        ("float16", 49_900),
        ("float32", 37_400),
        ("float64", 24_900),
    ],
)
def test_what_is_in_the_item_fits_it_whatever_its_values(dtype, count):
    info = np.iinfo(dtype) if "int" in dtype else np.finfo(dtype)
    extremes = [info.min, info.max, 1] if "int" in dtype else [-1 / 3, 2 / 3, np.pi]
    made = outcome({"y": np.resize(np.array(extremes, dtype), count)})
    assert made.file is None
    assert true_size(made.values) <= ITEM_BYTES
    assert outcome({"y": np.zeros(count + 1100, dtype)}).file is not None


def true_size(value):
    """By DynamoDB's documentation, with a byte for a sign."""
    if isinstance(value, dict):
        return 3 + sum(1 + len(name) + true_size(each) for name, each in value.items())
    if isinstance(value, list):
        return 3 + sum(1 + true_size(each) for each in value)
    if isinstance(value, str):
        return len(value.encode())
    digits = len(Decimal(repr(value)).normalize().as_tuple().digits)
    return math.ceil(digits / 2) + 1 + (value < 0)


def test_many_strings_are_in_a_file():
    assert outcome({"y": np.array(["word"] * 1000, object)}).file is None
    assert outcome({"y": np.array(["word" * 100] * 1000, object)}).file is not None
    assert outcome({"y": np.array([""] * 400_000, object)}).file is not None
    assert outcome({"p": [{"label": 0.5}] * 30_000}).file is not None


def test_sizes_are_those_of_dynamodb():
    assert item_size("é") == 2
    assert item_size({"ab": "c", "d": True}) == 3 + (1 + 2 + 1) + (1 + 1 + 1)
    assert item_size([[], "abc"]) == 3 + (1 + 3) + (1 + 3)
    for number in (0, 7, -123456789, 0.1, 1e-100, 0.30000000000000004):
        assert item_size(number) >= true_size(number)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_with_the_outputs_name(value):
    for result in (np.array([1, value], np.float32), [{"a": value}]):
        with pytest.raises(InputError, match=r"NON_FINITE_OUTPUT.*'bad'") as refused:
            outcome({"good": np.array([1.0]), "bad": result})
        assert refused.value.code == "NON_FINITE_OUTPUT"


def test_results_of_windows_are_stacked():
    made = outcome({"y": np.array([1.0, 2.0])}, {"y": np.array([3.0, 4.0])})
    assert made.values["windows"] == 2
    assert made.values["outputs"]["y"]["values"] == [[1.0, 2.0], [3.0, 4.0]]
    assert made.values["outputs"]["y"]["shape"] == [2, 2]
    with pytest.raises(InputError, match=r"UNEXPECTED_OUTPUT.*'y' is \[1\] and \[2\]"):
        outcome({"y": np.zeros(1)}, {"y": np.zeros(2)})


@pytest.mark.parametrize(
    ("metadata", "output", "fault"),
    [
        ({"outputs": '["z"]'}, tensor("y", [1]), "must be a JSON list of the graph's (y, tensor(float) [1])"),
        ({"outputs": "y"}, tensor("y", [1]), "must be a JSON list"),
        ({"activation": "softmax"}, tensor("y", [1]), "its activation is 'softmax', but must be left out where"),
        ({}, tensor("y", [1], "bfloat16"), "must be of numbers, truth values or strings"),
        ({}, tensor("y", [], "seq(tensor(float))"), "must be of numbers, truth values or strings"),
    ],
)
def test_faults_of_the_contract_are_named(metadata, output, fault):
    _, faults = read([output], **metadata)
    assert len(faults) == 1
    assert fault in faults[0]


def test_a_graph_whose_outputs_all_continue_states_is_refused():
    assert read([])[1] == ["its outputs all continue states, but at least one must be a result"]


def test_a_real_graph_gives_its_input_back():
    session = onnxruntime.InferenceSession(make_embedding().SerializeToString())
    faults: list[str] = []
    kind = TensorsOutput.read(session.get_modelmeta().custom_metadata_map, session.get_outputs(), faults, "image")
    assert kind
    assert not faults
    image = np.random.default_rng(0).random((1, 3, SIZE, SIZE), np.float32)
    (embedding,) = session.run(list(kind.names), {"image": image})
    found = arrays(kind.outcome([{"embedding": embedding}], NOTHING))
    assert np.array_equal(found["embedding"], np.tile(image.reshape(1, -1), COPIES))
