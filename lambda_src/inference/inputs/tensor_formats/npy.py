"""NumPy's .npy: a header with shape and type, then the values.

https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import io
import math
import re
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ...input_error import InputError
from ...shapes import shorten
from ..tensor import GraphInput
from .fitting import MAX_DIMENSIONS, only

MAGIC = b"\x93NUMPY"
VERSIONS = ((1, 0), (2, 0), (3, 0))
MAX_HEADER_BYTES = 10_000  # NumPy's own limit; 200 are usual
MAX_STRINGS = 1_000_000  # each becomes a Python object
VALUE_TYPES = re.compile("[biufU]")


def read(data: bytes, inputs: Sequence[GraphInput], max_elements: int) -> dict[str, NDArray[Any]]:
    """The array, for the only input.

    Raises:
        InputError: see `read_array`; MISSING_INPUT where there are several inputs.
    """
    return {only(inputs).name: read_array(data, max_elements)}


def read_array(data: bytes, max_elements: int) -> NDArray[Any]:
    """The array, of numbers, booleans or strings, without a copy; its header is checked before anything is allocated.

    Raises:
        InputError: CORRUPT_TENSOR, UNSUPPORTED_FORMAT, WRONG_TYPE, EMPTY_TENSOR or TENSOR_TOO_LARGE.
    """
    file = io.BytesIO(data)
    try:
        version = npy_format.read_magic(file)
        if version not in VERSIONS:
            raise InputError("UNSUPPORTED_FORMAT", f"The .npy file has the version {version}; 1 to 3 are supported.")
        # Version 3 differs only in names of fields, which are refused.
        read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, fortran, dtype = read_header(file, max_header_size=MAX_HEADER_BYTES)
    except InputError:
        raise
    except Exception as error:  # its parsers raise many kinds
        raise InputError(
            "CORRUPT_TENSOR", "The .npy header is damaged or of a kind that NumPy does not write."
        ) from error
    if dtype.hasobject:
        raise InputError(
            "UNSUPPORTED_FORMAT", "The .npy file holds Python objects (a pickle), which could run any program."
        )
    if not VALUE_TYPES.fullmatch(dtype.kind) or (dtype.kind == "f" and dtype.itemsize > 8):
        raise InputError(
            "WRONG_TYPE",
            f"The .npy file holds values of the type {dtype.name[:50]}; booleans, integers, floats of up to 64 bits "
            "and Unicode strings are supported.",
        )
    shown = shorten(str(list(shape)))
    if len(shape) > MAX_DIMENSIONS or any(size < 0 for size in shape):
        raise InputError("CORRUPT_TENSOR", f"The .npy file has the impossible shape {shown}.")
    count = math.prod(map(int, shape))
    if not count:
        raise InputError("EMPTY_TENSOR", f"The array has the shape {shown} and so no values.")
    allowed = min(max_elements, MAX_STRINGS) if dtype.kind == "U" else max_elements
    if count > allowed:
        raise InputError(
            "TENSOR_TOO_LARGE", f"The array has the shape {shown}; at most {allowed:,} values are allowed."
        )
    declared, present = count * dtype.itemsize, len(data) - file.tell()
    if declared != present:
        raise InputError(
            "CORRUPT_TENSOR", f"The .npy header declares {declared:,} bytes of values, but {present:,} follow it."
        )
    return _values(data, file.tell(), dtype, count).reshape(shape, order="F" if fortran else "C")


def _values(data: bytes, start: int, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    if not dtype.itemsize:  # strings that are all empty
        return np.full(count, "", dtype)
    values = np.frombuffer(data, dtype, count, start)
    if dtype.kind == "b" and values.view(np.uint8).max() > 1:
        raise InputError("CORRUPT_TENSOR", "The .npy file holds booleans that are neither 0 nor 1.")
    if dtype.kind == "U":
        characters = np.frombuffer(data, np.dtype("u4").newbyteorder(dtype.byteorder), offset=start)
        if characters.max() > sys.maxunicode:  # Python would fail with a SystemError
            raise InputError("CORRUPT_TENSOR", "The .npy file holds strings with characters that Unicode has not.")
    return values
