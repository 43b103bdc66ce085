"""Tensor files to the arrays that a graph takes: the format told by content, read, fitted to the graph's inputs."""

from typing import Any

from numpy.typing import NDArray

from ...input_error import InputError
from ..tensor import TensorInput, TensorLimits
from . import csv_table, json_values, npy, npz
from .fitting import check_shared_sizes, fit
from .text import read_text

SUPPORTED = "NumPy's .npy and .npz, JSON and CSV are supported"
OTHERS = (
    *((b"\x80" + bytes([version]), "a Python pickle, which could run any program") for version in range(2, 6)),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a WAV, WebP or AVI file"),
    (b"OggS", "an OGG file"),
    (b"fLaC", "a FLAC file"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
)


def decode(data: bytes, model: TensorInput, limits: TensorLimits) -> dict[str, NDArray[Any]]:
    """Decode a file to one array for each input of the graph, in its shape and type.

    Args:
        data: the whole file.
        model: the inputs, and how they are read.
        limits: the maximum number of values.

    Raises:
        InputError: with the codes EMPTY_FILE, UNSUPPORTED_FORMAT, CORRUPT_TENSOR, EMPTY_TENSOR, TENSOR_TOO_LARGE,
            WRONG_SHAPE, WRONG_TYPE, OUT_OF_RANGE, NON_FINITE_VALUES, MISSING_VALUES, MISSING_INPUT or UNKNOWN_INPUT.
    """
    arrays = _read(data, model, limits)
    feed = {each.name: fit(arrays.pop(each.name), each, missing=model.missing) for each in model.inputs}
    check_shared_sizes(feed, model.inputs)
    return feed


def _read(data: bytes, model: TensorInput, limits: TensorLimits) -> dict[str, NDArray[Any]]:
    """The arrays as they are in the file, one for each input."""
    if not data:
        raise InputError("EMPTY_FILE", "The file is empty: 0 bytes.")
    if data.startswith(npy.MAGIC):
        return npy.read(data, model.inputs, limits.max_elements)
    if data.startswith(npz.MAGIC):
        return npz.read(data, model.inputs, limits.max_elements)
    for magic, what in OTHERS:
        if data.startswith(magic):
            raise InputError("UNSUPPORTED_FORMAT", f"The file is {what}; {SUPPORTED}.")
    text = read_text(data, SUPPORTED)
    start = text.lstrip()[:1]
    if start == "<":
        raise InputError("UNSUPPORTED_FORMAT", f"The file is text in HTML or XML; {SUPPORTED}.")
    if start and start in "[{":
        return json_values.read(text, model, limits.max_elements)
    return csv_table.read(text, model, limits.max_elements)
