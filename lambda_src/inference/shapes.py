"""The inputs and outputs of a graph: their shapes and types, as onnxruntime describes them."""

from collections.abc import Sequence

from .kinds import Tensor

DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
"""NumPy's name for each type that a feed can have."""


def dtype_of(tensor: Tensor) -> str:
    """NumPy's name of its type.

    Raises:
        KeyError: NumPy has none, as for bfloat16.
    """
    return DTYPES[tensor.type]


def is_batch(size: int | str | None) -> bool:
    """Whether a dimension can be that of a batch of one: it is 1, or open."""
    return size == 1 or not isinstance(size, int) or size < 0


def describe(tensors: Sequence[Tensor]) -> str:
    """Names, types and shapes, for a message."""
    return ", ".join(f"{each.name}, {each.type} {list(each.shape)}" for each in tensors) or "none"


def shorten(value: str) -> str:
    """At most 60 characters of it, for a message."""
    return value if len(value) <= 60 else value[:57] + "..."
