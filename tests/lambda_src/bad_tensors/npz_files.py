"""Damaged and wrong .npz files."""

import io
import struct
import zipfile
from collections.abc import Iterator

import numpy as np

from ..bad_files.bad_file import BadFile
from ..tables import npy
from .npy_files import describing

ARRAY = npy(np.arange(8, dtype=np.float32).reshape(2, 4))


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        made.comment = comment
        for name, data in members:
            made.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def patched(data: bytes, local: int, central: int, form: str, value: int) -> bytes:
    """The same field of the first member changed in its local header and in the directory.

    https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
    """
    out = bytearray(data)
    struct.pack_into(form, out, local, value)
    struct.pack_into(form, out, data.index(b"PK\x01\x02") + central, value)
    return bytes(out)


def files() -> Iterator[BadFile]:
    for method, name in ((zipfile.ZIP_STORED, "stored"), (zipfile.ZIP_DEFLATED, "deflated")):
        good = archive(("x.npy", ARRAY), method=method)
        yield BadFile(f"npz, {name}", good, None, "nothing is wrong with it")
        for end in range(40, len(good), 5 if len(good) < 300 else 9):
            yield BadFile(f"npz, {name}, {end} bytes of it", good[:end], "CORRUPT_TENSOR")
        body = good.index(b"x.npy") + 5
        for at in range(body, good.index(b"PK\x01\x02"), 11):
            changed = good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :]
            yield BadFile(f"npz, {name}, byte {at} changed", changed, "CORRUPT_TENSOR")
        yield BadFile(f"npz, {name}, behind other bytes", good[:30] + good, "CORRUPT_TENSOR")
        yield BadFile(f"npz, {name}, two end to end", good + good, "CORRUPT_TENSOR")
        yield BadFile(f"npz, {name}, encrypted", patched(good, 6, 8, "<H", 1), "UNSUPPORTED_FORMAT")
        for method_id in (1, 6, 9, 12, 14, 93, 99, 0xFFFF):
            data = patched(good, 8, 10, "<H", method_id)
            yield BadFile(f"npz, {name}, method {method_id}", data, "UNSUPPORTED_FORMAT")
        yield BadFile(f"npz, {name}, wrong checksum", patched(good, 14, 16, "<I", 1), "CORRUPT_TENSOR")
        for size in (0, 1, len(ARRAY) - 1, len(ARRAY) + 1, 10_000_000):
            yield BadFile(f"npz, {name}, declares {size}", patched(good, 22, 24, "<I", size), "CORRUPT_TENSOR")
        yield BadFile(f"npz, {name}, declares too much", patched(good, 22, 24, "<I", 2**32 - 2), "TENSOR_TOO_LARGE")
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield BadFile(f"npz by {method}", archive(("x.npy", ARRAY), method=method), "UNSUPPORTED_FORMAT")
    yield BadFile("npz with a comment", archive(("x.npy", ARRAY), comment=b"hello"), None, "a zip may have one")
    for name in ("y.npy", "x.npy.npy", "x.txt", "X.npy", "../x.npy", "x/", "dir/x.npy", " x.npy", "\ud7ff.npy"):
        yield BadFile(f"npz, member {name!r}", archive((name, ARRAY)), "UNKNOWN_INPUT")
    yield BadFile("npz, a member more", archive(("x.npy", ARRAY), ("y.npy", ARRAY)), "UNKNOWN_INPUT")
    yield BadFile("npz, two unnamed", archive(("arr_0.npy", ARRAY), ("arr_1.npy", ARRAY)), "UNKNOWN_INPUT")
    yield BadFile("npz, x and x.npy", archive(("x.npy", ARRAY), ("x", ARRAY)), "CORRUPT_TENSOR")
    twice = archive(("x.npy", ARRAY), ("z.npy", ARRAY)).replace(b"z.npy", b"x.npy")
    yield BadFile("npz, x twice", twice, "CORRUPT_TENSOR")
    many = archive(*((f"{number}.npy", b"") for number in range(1_001)))
    yield BadFile("npz, 1,001 members", many, "TENSOR_TOO_LARGE")
    yield BadFile(
        "npz, a million directory entries", archive(("x.npy", ARRAY)) + b"PK\x01\x02" * 10**6, "TENSOR_TOO_LARGE"
    )
    yield BadFile(
        "docx", archive(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>")), "UNKNOWN_INPUT"
    )
    for name, content, code in _contents():
        yield BadFile(f"npz of {name}", archive(("x.npy", content)), code)
    zeros = b"\0" * 90_000_000
    yield BadFile("npz, a bomb of zeros", archive(("x.npy", zeros)), "TENSOR_TOO_LARGE")
    liar = archive(("x.npy", describing("(10000000, 4)", values=zeros[:1_000_000])))
    yield BadFile("npz, a header that declares more", liar, "TENSOR_TOO_LARGE")


def _contents() -> Iterator[tuple[str, bytes, str]]:
    yield "nothing", b"", "CORRUPT_TENSOR"
    yield "text", b"hello", "CORRUPT_TENSOR"
    yield "a pickle", b"\x80\x04N.", "CORRUPT_TENSOR"
    yield "a zip", archive(("x.npy", ARRAY)), "CORRUPT_TENSOR"
    yield "half an array", ARRAY[:140], "CORRUPT_TENSOR"
    yield "two arrays", ARRAY * 2, "CORRUPT_TENSOR"
    yield "objects", describing(dtype="'|O'"), "UNSUPPORTED_FORMAT"
    yield "complex numbers", describing("(1, 4)", dtype="'<c8'"), "WRONG_TYPE"
    yield "another shape", describing("(4, 2)"), "WRONG_SHAPE"
    yield "an empty shape", describing("(0, 4)", values=b""), "EMPTY_TENSOR"
    yield "NaN", npy(np.array([0, 1, 2, np.nan])), "NON_FINITE_VALUES"
