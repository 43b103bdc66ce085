"""Rebuilds Google's EfficientNet-Lite0 as model.onnx: a picture in, one score per ImageNet class out.

    python model/in_own_environment.py model/image/requirements.txt model/image/build_model.py [OUTPUT] [--float]

The same input gives the same bytes. `--float` keeps the weights as they are, for check_parity.py: 18.6 MB.
"""

import argparse
import hashlib
import json
from pathlib import Path

import lite0_checkpoint
import numpy as np
import numpy.typing as npt
from graph import Graph
from onnx import ModelProto, TensorProto, checker, helper
from quantized_weight import QuantizedWeight

Array = npt.NDArray[np.float32]

SIZE = 224
METADATA = {
    "name": "efficientnet-lite0",
    "version": "1.0.0",  # of this conversion: raise it with every change of the graph that changes scores
    "license": "Apache-2.0",
    "input_kind": "image",
    "output_kind": "labels",
    # The middle square of 7/8 of the shorter side, resized; then (level - 127) / 128: as its authors evaluate it.
    "size": str(SIZE),
    "resize": "crop",
    "crop_ratio": "0.875",
    "interpolation": "bicubic",
    "scale": "1",
    "mean": "127",
    "std": "128",
}

# (blocks, stride of the first, expansion) of each stage.
STAGES = ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6))
BATCH_NORM_EPSILON = 1e-3


def quantized(weight: Array) -> QuantizedWeight:
    """Rounds to int8, with one scale for each output channel, the first axis."""
    largest = np.abs(weight).max(axis=tuple(range(1, weight.ndim)), keepdims=True)
    scale = np.where(largest > 0, largest / np.float32(127), np.float32(1)).astype(np.float32)
    return QuantizedWeight(values=np.rint(weight / scale).astype(np.int8), scale=scale)


class Lite0:
    """Adds the parts of the network to a graph; each method takes and returns the name of a value."""

    def __init__(self, *, keep_float: bool) -> None:
        self.graph = Graph("")
        self._keep_float = keep_float
        self._checkpoint = lite0_checkpoint.weights()
        self._zero, self._six = (self.graph.constant(bound, np.float32) for bound in (0, 6))

    def _weight(self, weight: Array) -> str:
        return self.graph.constant(weight, np.float32) if self._keep_float else self.graph.weight(quantized(weight))

    def convolution(self, value: str, name: str, norm: str, *, stride: int = 1, relu: bool = True) -> str:
        """A convolution with TensorFlow's "same" padding, its batch normalization folded into it, and a ReLU6."""
        weight = self._checkpoint[f"{name}.weight"]
        gamma, beta, mean, variance = (
            self._checkpoint[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        convolved = self.graph.add(
            "Conv",
            value,
            self._weight((weight * factor[:, None, None, None]).astype(np.float32)),
            self.graph.constant(beta - mean * factor, np.float32),
            group=len(weight) if "depthwise" in name else 1,
            strides=[stride, stride],
            auto_pad="SAME_UPPER",
        )
        return self.graph.add("Clip", convolved, self._zero, self._six) if relu else convolved

    def block(self, value: str, index: int, *, stride: int, expansion: int, residual: bool) -> str:
        """An inverted residual: channels expanded, each filtered by itself, projected to fewer."""
        name, inside = f"_blocks.{index}", value
        if expansion > 1:
            inside = self.convolution(inside, f"{name}._expand_conv", f"{name}._bn0")
        inside = self.convolution(inside, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
        inside = self.convolution(inside, f"{name}._project_conv", f"{name}._bn2", relu=False)
        return self.graph.add("Add", inside, value) if residual else inside

    def scores(self, features: str) -> None:
        """The means of the feature maps to a probability for each class."""
        pooled = self.graph.add("Flatten", self.graph.add("GlobalAveragePool", features))
        weight = self._weight(self._checkpoint["_fc.weight"])
        bias = self.graph.constant(self._checkpoint["_fc.bias"], np.float32)
        logits = self.graph.add("Gemm", pooled, weight, bias, transB=1)
        self.graph.add("Softmax", logits, axis=1, output="scores")


def build(*, keep_float: bool = False) -> ModelProto:
    """The whole model: `image` float32 [n, 3, 224, 224], RGB -> `scores` float32 [n, 1000], whose sum is 1."""
    network = Lite0(keep_float=keep_float)
    value = network.convolution("image", "_conv_stem", "_bn0", stride=2)
    index = 0
    for blocks, stride, expansion in STAGES:
        for position in range(blocks):
            first = position == 0
            value = network.block(value, index, stride=stride if first else 1, expansion=expansion, residual=not first)
            index += 1
    network.scores(network.convolution(value, "_conv_head", "_bn1"))

    labels = lite0_checkpoint.labels()
    model = helper.make_model(
        helper.make_graph(
            network.graph.nodes,
            METADATA["name"],
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", len(labels)])],
            network.graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,  # the oldest that allows opset 18, for older runtimes
        producer_name="crossover",
    )
    helper.set_model_props(model, {**METADATA, "labels": json.dumps(labels)})
    checker.check_model(model, full_check=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).with_name("model.onnx"))
    parser.add_argument("--float", action="store_true", dest="keep_float")
    arguments = parser.parse_args()
    data = build(keep_float=arguments.keep_float).SerializeToString(deterministic=True)
    arguments.output.write_bytes(data)
    print(f"{arguments.output}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
