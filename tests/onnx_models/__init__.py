"""Small models whose right answers can be computed by hand. Each file of this package makes one kind of them.

They take float32 [1, 3, SIZE, SIZE], RGB from 0 to 1, and fit pictures into it; each maker takes other values of the
metadata as keyword arguments.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import helper, numpy_helper

SIZE = 64
COLOURS = ("red", "green", "blue")


def model(
    name: str,
    nodes: Sequence[onnx.NodeProto],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: Mapping[str, Any],
    metadata: Mapping[str, object],
) -> onnx.ModelProto:
    """A model of pictures: its input is `image`. What of the metadata is no string is written as JSON."""
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        outputs,
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    contract = {"name": name, "version": "1", "license": "MIT", "input_kind": "image", "resize": "fit", **metadata}
    helper.set_model_props(
        made, {key: value if isinstance(value, str) else json.dumps(value) for key, value in contract.items()}
    )
    onnx.checker.check_model(made, full_check=True)
    return made
