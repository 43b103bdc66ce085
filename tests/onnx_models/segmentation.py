"""Maps over the picture: which colour is the strongest in each pixel, and how red it is."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from . import COLOURS, SIZE, model

BACKGROUND_SCORE = 0.3


def make_segmentation(**metadata: str) -> onnx.ModelProto:
    """`scores` [1, 4, SIZE, SIZE]: background, red, green, blue. A colour's score is its channel's value less the mean
    of the others; the background's is always BACKGROUND_SCORE.
    """
    weights = np.vstack([np.zeros((1, 3)), 1.5 * np.eye(3) - 0.5]).astype(np.float32)
    constants = {
        "weights": weights.reshape(4, 3, 1, 1),
        "biases": np.array([BACKGROUND_SCORE, 0, 0, 0], np.float32),
    }
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 4, SIZE, SIZE])]
    usual = {"output_kind": "tensors", "map": "classes", "labels": ("background", *COLOURS)}
    nodes = [helper.make_node("Conv", ["image", "weights", "biases"], ["scores"])]
    return model("colours", nodes, outputs, constants, {**usual, **metadata})


def make_level_map(**metadata: str) -> onnx.ModelProto:
    """`redness` [1, 1, SIZE / 4, SIZE / 4]: the red channel's less the mean of the others, of every fourth pixel."""
    nodes = [
        helper.make_node("Conv", ["image", "weights"], ["difference"], strides=[4, 4]),
        helper.make_node("Clip", ["difference", "least", "most"], ["redness"]),
    ]
    constants = {
        "weights": np.array([1, -0.5, -0.5], np.float32).reshape(1, 3, 1, 1),
        "least": np.array(0, np.float32),
        "most": np.array(1, np.float32),
    }
    outputs = [helper.make_tensor_value_info("redness", TensorProto.FLOAT, [1, 1, SIZE // 4, SIZE // 4])]
    return model("redness", nodes, outputs, constants, {"output_kind": "tensors", "map": "levels", **metadata})
