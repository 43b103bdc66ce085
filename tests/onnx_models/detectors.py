"""Detectors of plain rectangles, red, green or blue, on a background without colour.

`make_detector` gives a box for each, as torchvision's detectors do; `make_raw_detector` gives one for each pixel, as
YOLOv8 does. Where resizing blurs an upper left corner, the first gives two boxes for it: `nms` makes them one.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from . import COLOURS, SIZE, model

SATURATION = 0.4
"""The least difference between the strongest and the weakest channel of a rectangle's colour."""


def make_detector(**metadata: str) -> onnx.ModelProto:
    """`boxes` [N, 4], `labels` [N] counted from 1, `scores` [N]: the colour's strength in the upper left corner."""
    nodes = [
        *_edges(),
        # Where neither the pixel above nor the one on the left is of a rectangle.
        helper.make_node("Pad", ["mask", "before"], ["padded"]),
        helper.make_node("Slice", ["padded", "above_start", "above_end", "both"], ["above"]),
        helper.make_node("Slice", ["padded", "left_start", "left_end", "both"], ["at_left"]),
        helper.make_node("Max", ["above", "at_left"], ["neighbour"]),
        helper.make_node("Sub", ["mask", "neighbour"], ["corner"]),
        helper.make_node("Greater", ["corner", "half"], ["is_corner"]),
        helper.make_node("NonZero", ["is_corner"], ["row_column"]),
        helper.make_node("Transpose", ["row_column"], ["corners"], perm=[1, 0]),
        helper.make_node("GatherND", ["edges", "corners"], ["boxes"]),
        helper.make_node("GatherND", ["strongest", "corners"], ["scores"]),
        helper.make_node("GatherND", ["colour", "corners"], ["colours"]),
        helper.make_node("Add", ["colours", "one"], ["labels"]),
    ]
    outputs = [
        helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["found", 4]),
        helper.make_tensor_value_info("labels", TensorProto.INT64, ["found"]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["found"]),
    ]
    constants = {
        "before": np.array([1, 1, 0, 0], np.int64),
        "both": np.array([0, 1], np.int64),
        "above_start": np.array([0, 1], np.int64),
        "above_end": np.array([SIZE, SIZE + 1], np.int64),
        "left_start": np.array([1, 0], np.int64),
        "left_end": np.array([SIZE + 1, SIZE], np.int64),
        "one": np.array(1, np.int64),
        **_constants(),
    }
    usual = {"output_kind": "detections", "labels": COLOURS, "class_offset": "1", "boxes_format": "xyxy", "nms": "0.5"}
    return model("rectangles", nodes, outputs, constants, {**usual, **metadata})


def make_raw_detector(**metadata: str) -> onnx.ModelProto:
    """`predictions` [1, 4 + 3, SIZE * SIZE]: centre, width and height, and a score for each colour, of each pixel."""
    nodes = [
        *_edges(),
        helper.make_node("Split", ["edges"], ["low", "high"], axis=2, num_outputs=2),
        helper.make_node("Add", ["low", "high"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["centre"]),
        helper.make_node("Sub", ["high", "low"], ["extent"]),
        helper.make_node("OneHot", ["colour", "depth", "off_on"], ["one_hot"]),
        helper.make_node("Mul", ["strongest", "mask"], ["strength"]),
        helper.make_node("Unsqueeze", ["strength", "third"], ["strength_of_all"]),
        helper.make_node("Mul", ["one_hot", "strength_of_all"], ["class_scores"]),
        helper.make_node("Concat", ["centre", "extent", "class_scores"], ["columns"], axis=2),
        helper.make_node("Reshape", ["columns", "flat"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["predictions"], perm=[0, 2, 1]),
    ]
    outputs = [helper.make_tensor_value_info("predictions", TensorProto.FLOAT, [1, 4 + len(COLOURS), SIZE * SIZE])]
    constants = {
        "depth": np.array(len(COLOURS), np.int64),
        "off_on": np.array([0, 1], np.float32),
        "third": np.array([2], np.int64),
        "flat": np.array([1, SIZE * SIZE, 4 + len(COLOURS)], np.int64),
        **_constants(),
    }
    usual = {"output_kind": "detections", "labels": COLOURS}
    return model("raw_rectangles", nodes, outputs, constants, {**usual, **metadata})


def _edges() -> list[onnx.NodeProto]:
    """`mask` [SIZE, SIZE], 1 within a rectangle; `strongest` channel's value; its number, `colour`; and `edges`
    [SIZE, SIZE, 4]: how far the rectangle that a pixel is in reaches, left, top, right and bottom.
    """
    nodes = [
        helper.make_node("Squeeze", ["image", "first"], ["channels"]),
        helper.make_node("ReduceMax", ["channels", "first"], ["strongest"], keepdims=0),
        helper.make_node("ReduceMin", ["channels", "first"], ["weakest"], keepdims=0),
        helper.make_node("ArgMax", ["channels"], ["colour"], axis=0, keepdims=0),
        helper.make_node("Sub", ["strongest", "weakest"], ["saturation"]),
        helper.make_node("Greater", ["saturation", "enough"], ["is_rectangle"]),
        helper.make_node("Cast", ["is_rectangle"], ["mask"], to=TensorProto.FLOAT),
        # Of the pixels that are of no rectangle, the nearest one on each side.
        helper.make_node("Unsqueeze", ["is_rectangle", "second"], ["in_row"]),  # [row, 1, other column]
        helper.make_node("Transpose", ["is_rectangle"], ["turned"], perm=[1, 0]),
        helper.make_node("Unsqueeze", ["turned", "first"], ["in_column"]),  # [1, column, other row]
    ]
    for side, line, positions in (
        ("left", "in_row", "before_end"),
        ("top", "in_column", "before_end"),
        ("right", "in_row", "after_start"),
        ("bottom", "in_column", "after_start"),
    ):
        shape = "by_column" if line == "in_row" else "by_row"
        limit, reduce = ("nothing_before", "ReduceMax") if positions == "before_end" else ("nothing_after", "ReduceMin")
        nodes += [
            helper.make_node("Reshape", [positions, shape], [f"{side}_positions"]),
            helper.make_node("Where", [line, limit, f"{side}_positions"], [f"{side}_ends"]),
            helper.make_node(reduce, [f"{side}_ends", "last"], [side], keepdims=1),
        ]
    return [*nodes, helper.make_node("Concat", ["left", "top", "right", "bottom"], ["edges"], axis=2)]


def _constants() -> dict[str, Any]:
    """`before_end` and `after_start` [SIZE, SIZE]: where a rectangle ends, if at the other pixel."""
    here, other = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    return {
        "first": np.array([0], np.int64),
        "second": np.array([1], np.int64),
        "last": np.array([2], np.int64),
        "enough": np.array(SATURATION, np.float32),
        "half": np.array(0.5, np.float32),
        "before_end": np.where(other <= here, other + 1, 0).astype(np.float32),
        "after_start": np.where(other >= here, other, SIZE).astype(np.float32),
        "nothing_before": np.array(0, np.float32),
        "nothing_after": np.array(SIZE, np.float32),
        "by_column": np.array([1, SIZE, SIZE], np.int64),
        "by_row": np.array([SIZE, 1, SIZE], np.int64),
    }
