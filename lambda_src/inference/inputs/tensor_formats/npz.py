"""NumPy's .npz: a zip archive with one .npy for each input."""

import encodings.cp437  # noqa: F401, zipfile looks it up, when a container may no longer read where it lies
import io
import zipfile
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from ...input_error import InputError
from ..tensor import GraphInput
from . import npy
from .fitting import check_distinct, match

MAGIC = b"PK\x03\x04"
DIRECTORY_ENTRY = b"PK\x01\x02"
MAX_MEMBERS = 1_000
MAX_VALUE_BYTES = 8  # a float64; strings have 4 for each character, and so fewer of them fit
SINGLE = "arr_0"  # as savez names an array that was given no name
ENCRYPTED = 0x1


def read(data: bytes, inputs: Sequence[GraphInput], max_elements: int) -> dict[str, NDArray[Any]]:
    """The arrays by the names of their members. No member is inflated before all of their sizes are allowed.

    Raises:
        InputError: CORRUPT_TENSOR, UNSUPPORTED_FORMAT, TENSOR_TOO_LARGE, UNKNOWN_INPUT, MISSING_INPUT or one of
            `npy.read_array`.
    """
    if data.count(DIRECTORY_ENTRY) > MAX_MEMBERS:  # before a library makes objects of them
        raise InputError("TENSOR_TOO_LARGE", f"The .npz file has more than {MAX_MEMBERS:,} members, which are allowed.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # BadZipFile, and of the many fields whatever struct and others raise
        raise InputError("CORRUPT_TENSOR", "The .npz file is damaged: its directory cannot be read.") from error
    members = archive.infolist()
    if not members or min(member.header_offset for member in members):
        raise InputError("CORRUPT_TENSOR", "The .npz file has bytes before its first member, or none.")
    names = [member.filename.removesuffix(".npy") for member in members]
    if len(inputs) == 1 and names == [SINGLE]:
        names = [inputs[0].name]
    check_distinct(names, "The .npz file")
    match(names, inputs, "The .npz file")
    for member in members:
        _check_method(member)
    declared, allowed = sum(member.file_size for member in members), max_elements * MAX_VALUE_BYTES
    if declared > allowed + len(members) * npy.MAX_HEADER_BYTES:
        raise InputError(
            "TENSOR_TOO_LARGE",
            f"The .npz file has {declared:,} bytes when it is inflated; at most {allowed:,} are allowed "
            f"({max_elements:,} values).",
        )
    arrays: dict[str, NDArray[Any]] = {}
    for name, member in zip(names, members, strict=True):
        arrays[name] = npy.read_array(_inflated(archive, member), max_elements)
        max_elements -= arrays[name].size
    return arrays


def _check_method(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & ENCRYPTED:
        raise InputError("UNSUPPORTED_FORMAT", f"The member {member.filename[:50]!r} of the .npz file is encrypted.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(
            "UNSUPPORTED_FORMAT",
            f"The member {member.filename[:50]!r} of the .npz file is compressed by the method {member.compress_type}; "
            "none (0) and deflate (8) are supported.",
        )


def _inflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """At most as many bytes as the directory declares: zipfile reads no further, and compares their checksum."""
    try:
        data = archive.read(member)
    except MemoryError:
        raise
    except Exception as error:  # BadZipFile, zlib.error, EOFError, and what struct and others raise
        raise InputError(
            "CORRUPT_TENSOR", f"The member {member.filename[:50]!r} of the .npz file is damaged and cannot be inflated."
        ) from error
    if len(data) != member.file_size or not data.startswith(npy.MAGIC):
        raise InputError(
            "CORRUPT_TENSOR", f"The member {member.filename[:50]!r} of the .npz file is not a whole .npy file."
        )
    return data
