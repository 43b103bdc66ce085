"""Models of tables as scikit-learn's exports have them, and files that they take."""

import io
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from inference.inputs.tensor import TensorInput

CITIES = ["Basel", "Bern", "Zürich"]
COEFFICIENTS = [0.5, 1.0, 0.0, -1.0]  # of the age, then of each city


def tensor_input(*inputs: tuple[str, str, list[Any]], **metadata: str) -> TensorInput:
    """The kind of a graph whose inputs are given by name, type and shape."""
    tensors: Any = [SimpleNamespace(name=name, type=f"tensor({kind})", shape=shape) for name, kind, shape in inputs]
    faults: list[str] = []
    read = TensorInput.read(metadata, tensors, faults)
    assert read and not faults, faults
    return read


def npy(array: NDArray[Any], version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version, allow_pickle=True)
    return file.getvalue()


def npz(**arrays: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def make_table_model(*, example: bool = True, zip_map: bool = True, **metadata: str) -> bytes:
    """`age` float [N, 1] and `city` string [N, 1] to two labels, as skl2onnx writes a pipeline of data frames.

    A city that is none of CITIES is refused by the graph. The scores are those of a logistic regression.

    Args:
        example: whether the metadata have one; empty strings are no city.
        zip_map: whether the scores are maps by label, as skl2onnx has them by default.
    """
    nodes = [
        helper.make_node("OneHotEncoder", ["city"], ["cities"], domain="ai.onnx.ml", cats_strings=CITIES, zeros=0),
        helper.make_node("Reshape", ["cities", "columns"], ["flat"]),
        helper.make_node("Concat", ["age", "flat"], ["features"], axis=1),
        helper.make_node(
            *("LinearClassifier", ["features"], ["label", "probabilities"]),
            domain="ai.onnx.ml",
            coefficients=[*(-each for each in COEFFICIENTS), *COEFFICIENTS],
            intercepts=[0.0, 0.0],
            classlabels_strings=["no", "yes"],
            post_transform="SOFTMAX",
        ),
    ]
    scores = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])
    if zip_map:
        nodes.append(
            helper.make_node(
                *("ZipMap", ["probabilities"], ["output_probability"]),
                domain="ai.onnx.ml",
                classlabels_strings=["no", "yes"],
            )
        )
        by_label = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
        scores = helper.make_value_info("output_probability", helper.make_sequence_type_proto(by_label))
    graph = helper.make_graph(
        nodes,
        "table",
        [
            helper.make_tensor_value_info("age", TensorProto.FLOAT, [None, 1]),
            helper.make_tensor_value_info("city", TensorProto.STRING, [None, 1]),
        ],
        [helper.make_tensor_value_info("label", TensorProto.STRING, [None]), scores],
        [helper.make_tensor("columns", TensorProto.INT64, [2], [-1, len(CITIES)])],
    )
    shown = {"example": json.dumps({"age": 40, "city": CITIES[0]})} if example else {}
    return _serialized(graph, {"labels": '["no", "yes"]', **shown, **metadata})


def make_tree_model(**metadata: str) -> bytes:
    """`x` float [N, 2] to three scores: a tree that asks for x[0] <= 0.5, then for x[1] <= 0.5; NaN goes right."""
    tree = helper.make_node(
        *("TreeEnsembleClassifier", ["x"], ["label", "scores"]),
        domain="ai.onnx.ml",
        nodes_treeids=[0] * 5,
        nodes_nodeids=[0, 1, 2, 3, 4],
        nodes_featureids=[0, 0, 1, 0, 0],
        nodes_values=[0.5, 0.0, 0.5, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 3, 0, 0],
        nodes_falsenodeids=[2, 0, 4, 0, 0],
        class_treeids=[0, 0, 0],
        class_nodeids=[1, 3, 4],
        class_ids=[0, 1, 2],
        class_weights=[1.0, 1.0, 1.0],
        classlabels_int64s=[0, 1, 2],
        post_transform="NONE",
    )
    graph = helper.make_graph(
        [tree],
        "tree",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 3]),
        ],
    )
    return _serialized(graph, {"labels": '["left", "low", "high"]', **metadata})


def _serialized(graph: onnx.GraphProto, metadata: dict[str, str]) -> bytes:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    helper.set_model_props(
        model, {"name": "table", "version": "1", "license": "MIT", "input_kind": "tensor", **metadata}
    )
    return bytes(model.SerializeToString())
