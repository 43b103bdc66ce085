"""Collects the nodes and constants of an ONNX graph, for the scripts that build the models."""

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper, numpy_helper
from quantized_weight import QuantizedWeight


class Graph:
    """Collects the nodes and constants of one ONNX graph; each method returns the name of the value it adds.

    Names start with `prefix`, because the body of a loop may not reuse a name of the enclosing graph.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.int64) -> str:
        """Adds a constant; integers are what ONNX takes for shapes and positions, so they are the default."""
        name = f"{self._prefix}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype, order="C"), name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Adds an operator with one output, named `output` or by its position."""
        output = output or f"{self._prefix}{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def halves(self, value: str, *, axis: int) -> tuple[str, str]:
        """Adds the two halves of `value` along `axis`."""
        first, second = f"{value}_first_half", f"{value}_second_half"
        self.nodes.append(helper.make_node("Split", [value], [first, second], axis=axis, num_outputs=2))
        return first, second

    def weight(self, weight: QuantizedWeight) -> str:
        """Adds a weight as int8 and scale. onnxruntime computes the float32 weight once, when it loads the graph.

        Not DequantizeLinear: it stays in the graph and more than doubles the time.
        """
        values = self.constant(weight.values, np.int8)
        return self.add("Mul", self.add("Cast", values, to=TensorProto.FLOAT), self.constant(weight.scale, np.float32))
