"""An embedding that is the picture itself, so that what comes back can be compared with what was uploaded."""

import onnx
from onnx import TensorProto, helper

from . import SIZE, model

COPIES = 8


def make_embedding(*, large: bool = True, **metadata: str) -> onnx.ModelProto:
    """`embedding`, float32: the input COPIES times, [1, 3 * SIZE * SIZE * COPIES], which fits no item; or if not large,
    the mean of each channel, [1, 3].
    """
    if large:
        repeat = [helper.make_node("Concat", ["flat"] * COPIES, ["embedding"], axis=1)]
        nodes = [helper.make_node("Flatten", ["image"], ["flat"]), *repeat]
    else:
        pool = helper.make_node("GlobalAveragePool", ["image"], ["means"])
        nodes = [pool, helper.make_node("Flatten", ["means"], ["embedding"])]
    width = 3 * SIZE * SIZE * COPIES if large else 3
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, width])]
    return model("embedding", nodes, outputs, {}, {"output_kind": "tensors", **metadata})
