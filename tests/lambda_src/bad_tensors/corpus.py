"""All bad tensor files, always in the same order, and the graphs that they are for."""

from functools import cache

from ..bad_files.bad_file import BadFile
from ..tables import tensor_input
from . import frames, npy_files, npz_files, others, texts

CODES = {
    *("EMPTY_FILE", "UNSUPPORTED_FORMAT", "CORRUPT_TENSOR", "EMPTY_TENSOR", "TENSOR_TOO_LARGE", "WRONG_SHAPE"),
    *("WRONG_TYPE", "OUT_OF_RANGE", "NON_FINITE_VALUES", "MISSING_VALUES", "MISSING_INPUT", "UNKNOWN_INPUT"),
}
ROWS = tensor_input(("x", "float", [None, 4]))
FRAME = tensor_input(("age", "float", ["N", 1]), ("city", "string", ["N", 1]), ("visits", "int32", ["N"]))


@cache
def of_rows() -> tuple[BadFile, ...]:
    """For ROWS."""
    return tuple(file for module in (others, npy_files, npz_files, texts) for file in module.files())


@cache
def of_frames() -> tuple[BadFile, ...]:
    """For FRAME."""
    return tuple(frames.files())
