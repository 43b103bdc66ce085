"""Small ONNX files with any contract, right or wrong, written by hand: the onnx package is no dependency.

The field numbers are those of onnx.proto; a field is its number and kind, then a varint or a length and bytes.
"""

import json
import struct
from pathlib import Path
from typing import Any

FLOAT, INT64 = 1, 7
FLOATS = 6  # the type of an attribute
CONTRACT = {
    "name": "tiny",
    "version": "1",
    "license": "MIT",
    "input_kind": "audio",
    "sample_rate": "16000",
    "labels": json.dumps(["yes", "no"]),
}


def write_model(
    path: Path,
    *,
    metadata: dict[str, str] = CONTRACT,
    input_name: str = "waveform",
    output_name: str = "scores",
    element: int = FLOAT,
    input_shape: tuple[int | str, ...] = ("samples",),
    output_shape: tuple[int | str, ...] = (2,),
) -> Path:
    """Write a model, declared as is asked for, that gives two scores for any input; or gives its input back, where
    what is declared cannot be scores anyway."""
    if element == FLOAT and output_shape in ((2,), ("classes",)):
        numbers = _field(1, "value_floats") + _field(7, struct.pack("<2f", 0.25, 0.75)) + _field(20, FLOATS)
        node = _field(2, output_name) + _field(4, "Constant") + _field(5, numbers)
    else:
        node = _field(1, input_name) + _field(2, output_name) + _field(4, "Identity")
    graph = (
        _field(1, node)
        + _field(2, "graph")
        + _field(11, _value_info(input_name, element, input_shape))
        + _field(12, _value_info(output_name, element, output_shape))
    )
    properties = [_field(14, _field(1, key) + _field(2, value)) for key, value in metadata.items()]
    path.write_bytes(_field(1, 8) + _field(8, _field(2, 18)) + _field(7, graph) + b"".join(properties))
    return path


def _value_info(name: str, element: int, shape: tuple[int | str, ...]) -> bytes:
    dimensions = [_field(1, _field(1 if isinstance(size, int) else 2, size)) for size in shape]
    tensor = _field(1, element) + _field(2, b"".join(dimensions))
    return _field(1, name) + _field(2, _field(1, tensor))


def _field(number: int, value: Any) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
