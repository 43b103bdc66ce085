"""Small graphs as users export them, without a contract."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]


def value(name: str, shape: Shape, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(shape))


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    **constants: np.ndarray,
) -> Path:
    initializers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), initializers)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def audio_logits(path: Path, *, classes: int = 3, spread: float = 10.0) -> Path:
    """Scores of a waveform [1, samples] that are no probabilities: multiples of its level."""
    nodes = [
        helper.make_node("ReduceMean", ["audio", "axis"], ["level"], keepdims=1),
        helper.make_node("Mul", ["level", "zero"], ["none"]),
        helper.make_node("Add", ["none", "bias"], ["logits"]),
    ]
    bias = np.linspace(-spread, spread, classes, dtype=np.float32)[np.newaxis]
    constants: dict[str, np.ndarray] = {"axis": np.array([1], np.int64), "zero": np.zeros(1, np.float32), "bias": bias}
    return save(path, nodes, [value("audio", [1, "samples"])], [value("logits", [1, classes])], **constants)


def recurrent(path: Path, *, rate_shape: Shape = ()) -> Path:
    """Like Silero's detector of voices: windows of 512 samples, a state that runs on, and the sample rate."""
    nodes = [
        helper.make_node("ReduceMean", ["input", "axis"], ["level"], keepdims=1),
        helper.make_node("Identity", ["state"], ["unchanged"]),
        helper.make_node("Unsqueeze", ["level", "first"], ["level3"]),
        helper.make_node("Add", ["unchanged", "level3"], ["stateN"]),
        helper.make_node("Cast", ["sr"], ["rate"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["level", "rate"], ["loud"]),
        helper.make_node("Sigmoid", ["loud"], ["output"]),
    ]
    return save(
        path,
        nodes,
        [value("input", [1, 512]), value("state", [2, "batch", 128]), value("sr", rate_shape, TensorProto.INT64)],
        [value("output", [1, 1]), value("stateN", [2, "batch", 128])],
        axis=np.array([1], np.int64),
        first=np.array([0], np.int64),
    )


def picture_logits(path: Path, *, shape: Shape = ("batch", 3, 8, 8), classes: int = 4) -> Path:
    """Like torchvision's classifiers: [N, 3, height, width] to logits [N, classes]."""
    nodes = [
        helper.make_node("ReduceMean", ["input", "axes"], ["means"], keepdims=0),
        helper.make_node("Gemm", ["means", "weights", "bias"], ["output"]),
    ]
    channels = 3 if shape[1] == 3 else 1
    axes = np.array([2, 3], np.int64)
    weights = np.linspace(-9, 9, channels * classes, dtype=np.float32).reshape(channels, classes)
    bias = np.linspace(-5, 5, classes, dtype=np.float32)
    outputs = [value("output", [shape[0], classes])]
    return save(path, nodes, [value("input", shape)], outputs, axes=axes, weights=weights, bias=bias)


def table_classifier(path: Path, *, zipmap: bool = True) -> Path:
    """Like skl2onnx's: a row of features to a label, and a map of probabilities by label."""
    classes = ["setosa", "versicolor", "virginica"]
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["X"],
            ["label", "scores"],
            domain="ai.onnx.ml",
            classlabels_strings=classes,
            coefficients=[0.4, -0.2, 0.1, 0.3, -0.3, 0.2, 0.1, -0.1, 0.5, 0.2, -0.4, 0.3],
            intercepts=[0.1, 0.2, 0.3],
            multi_class=1,
            post_transform="SOFTMAX",
        ),
    ]
    outputs = [value("label", ["N"], TensorProto.STRING)]
    if zipmap:
        nodes.append(
            helper.make_node("ZipMap", ["scores"], ["probabilities"], domain="ai.onnx.ml", classlabels_strings=classes)
        )
        kind = helper.make_sequence_type_proto(
            helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
        )
        outputs.append(helper.make_value_info("probabilities", kind))
    else:
        outputs.append(value("scores", ["N", 3]))
    return save(path, nodes, [value("X", ["N", 4])], outputs)


def raw_detector(path: Path, *, shape: Shape) -> Path:
    """Like YOLO's exports: rows for a picture [1, 3, 8, 8], [1, columns, N] or [1, N, columns], all zero here."""
    sizes = [size if isinstance(size, int) else 10 for size in shape]
    nodes = [
        helper.make_node("ReduceMin", ["images"], ["least"], keepdims=0),
        helper.make_node("Mul", ["least", "zero"], ["none"]),
        helper.make_node("Expand", ["none", "sizes"], ["output0"]),
    ]
    constants: dict[str, np.ndarray] = {"zero": np.array(0, np.float32), "sizes": np.array(sizes, np.int64)}
    return save(path, nodes, [value("images", [1, 3, 8, 8])], [value("output0", shape)], **constants)
