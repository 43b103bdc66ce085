"""Damaged and wrong .npy files."""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..bad_files.bad_file import BadFile
from ..tables import npy

GOOD = npy(np.arange(8, dtype=np.float32).reshape(2, 4))
VALUES = 128  # where they begin


def with_header(header: str | bytes, values: bytes = bytes(32), version: int = 1) -> bytes:
    """A file with any header, padded as NumPy does it."""
    text = header.encode() if isinstance(header, str) else header
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + values


def describing(shape: Any = "(2, 4)", dtype: str = "'<f4'", order: str = "False", values: bytes = bytes(32)) -> bytes:
    return with_header(f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}", values)


def files() -> Iterator[BadFile]:
    yield BadFile("npy, whole", GOOD, None, "nothing is wrong with it")
    for end in range(1, 6):
        yield BadFile(f"npy, {end} bytes of it", GOOD[:end], "UNSUPPORTED_FORMAT")
    for end in (*range(6, VALUES), *range(VALUES, len(GOOD))):
        yield BadFile(f"npy, {end} bytes of it", GOOD[:end], "CORRUPT_TENSOR")
    for more in (1, 4, 32):
        yield BadFile(f"npy, {more} bytes too many", GOOD + bytes(more), "CORRUPT_TENSOR")
    yield BadFile("npy, two end to end", GOOD + GOOD, "CORRUPT_TENSOR")
    for major, minor in ((0, 0), (1, 1), (4, 0), (255, 255)):
        name, code = f"npy, version {major}.{minor}", "UNSUPPORTED_FORMAT"
        yield BadFile(name, GOOD[:6] + bytes([major, minor]) + GOOD[8:], code)
    for length in (0, 1, 50, 117, 119, 150, 9_999, 65_535):
        yield BadFile(f"npy, header of {length}", GOOD[:8] + struct.pack("<H", length) + GOOD[10:], "CORRUPT_TENSOR")
    for length in (0, 10_001, 2**31, 2**32 - 1):
        data = GOOD[:6] + b"\2\0" + struct.pack("<I", length) + GOOD[10:]
        yield BadFile(f"npy 2, header of {length}", data, "CORRUPT_TENSOR")
    for name, header in _headers().items():
        yield BadFile(f"npy, header with {name}", with_header(header), "CORRUPT_TENSOR")
    for shape in (
        "(-1, 4)",
        "(2, -4)",
        "(2.0, 4)",
        "('2', 4)",
        "[2, 4]",
        "8",
        "None",
        "(None, 4)",
        "(1j, 4)",
        str((1,) * 40),
    ):
        yield BadFile(f"npy, shape {shape}", describing(shape), "CORRUPT_TENSOR")
    for shape in ("(0, 4)", "(2, 0)", "(0,)", f"(0, {10**30})"):
        yield BadFile(f"npy, shape {shape}", describing(shape, values=b""), "EMPTY_TENSOR")
    for shape in ("(1000000000, 4)", f"({2**62}, 4)", f"({2**64}, {2**64})", str((10**4000, 10**4000)), "(4000000, 4)"):
        yield BadFile(f"npy, shape {shape[:60]} of {len(shape)}", describing(shape), "TENSOR_TOO_LARGE")
    for shape in ("(3, 4)", "(1, 4)", "(2, 4, 2)", "()", "(True, 4)", "(2000000, 4)"):
        yield BadFile(f"npy, shape {shape}, but 32 bytes", describing(shape), "CORRUPT_TENSOR")
    for shape in ("(8,)", "(4, 2)", "(2, 2, 2)", "(8, 1)", "(2, 4, 1, 1)", "(1, 1, 4, 2)"):
        yield BadFile(f"npy, shape {shape}", describing(shape), "WRONG_SHAPE")
    for dtype in ("'<c8'", "'|V4'", "'|S4'", "'<M8[s]'", "'<m8'", "'<f16'", "[('a', '<f4')]", "('<f4', (2,))"):
        yield BadFile(f"npy, of {dtype}", describing(dtype=dtype), "WRONG_TYPE")
    for dtype in ("'|O'", "'O'", "[('a', '<f4'), ('b', 'O')]", "[('a', [('b', '|O')])]", "('O', (2,))"):
        yield BadFile(f"npy, of objects {dtype}", describing(dtype=dtype), "UNSUPPORTED_FORMAT")
    for dtype in (
        "'<f3'",
        "'x'",
        "''",
        "4",
        "None",
        "[]",
        "'<f4' * 9",
        "'<i99'",
        "{'names': 1}",
        "'" + "f4," * 900 + "'",
    ):
        code = "WRONG_TYPE" if dtype == "[]" or "f4," in dtype else "CORRUPT_TENSOR"
        yield BadFile(f"npy, of {dtype[:20]}", describing(dtype=dtype), code)
    for order in ("1", "None", "'C'", "0"):
        yield BadFile(f"npy, order {order}", describing(order=order), "CORRUPT_TENSOR")
    yield BadFile("npy, strings", npy(np.array([["a"] * 4])), "WRONG_TYPE")
    yield BadFile(
        "npy, empty strings without end", describing(f"({10**15}, 4)", "'<U0'", values=b""), "TENSOR_TOO_LARGE"
    )
    yield BadFile("npy, two million strings", describing("(2000000,)", "'<U0'", values=b""), "TENSOR_TOO_LARGE")
    for character in (2**31, 0x110000, 2**32 - 1):
        data = describing("(1, 4)", "'<U1'", values=struct.pack("<4I", 65, 65, character, 65))
        yield BadFile(f"npy, character {character}", data, "CORRUPT_TENSOR")
    yield BadFile("npy, booleans of 2", describing("(1, 4)", "'|b1'", values=b"\0\1\2\1"), "CORRUPT_TENSOR")
    for value in ("nan", "inf", "-inf"):
        for dtype in ("f2", "f4", "f8", ">f8"):
            data = npy(np.array([[0, 1, 2, float(value)]], dtype))
            yield BadFile(f"npy, {value} of {dtype}", data, "NON_FINITE_VALUES")
    for number in (1e39, -3.5e38, 1.7e308):
        yield BadFile(f"npy, {number}", npy(np.array([0, 1, 2, number])), "OUT_OF_RANGE")


def _headers() -> dict[str, str]:
    good = "'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)"
    return {
        "nothing": "",
        "no braces": good,
        "an open brace": "{" + good,
        "one key more": "{" + good + ", 'x': 1}",
        "no shape": "{'descr': '<f4', 'fortran_order': False}",
        "no type": "{'fortran_order': False, 'shape': (2, 4)}",
        "no order": "{'descr': '<f4', 'shape': (2, 4)}",
        "other quotes": "{" + good.replace("'", "`") + "}",
        "a call": "{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (2, 4)}",
        "a sum": "{'descr': '<f4', 'fortran_order': False, 'shape': (1 + 1, 4)}",
        "a power": "{'descr': '<f4', 'fortran_order': False, 'shape': (9**9**9**9, 4)}",
        "parentheses": "(" * 5_000,
        "brackets": "{'descr': " + "[" * 3_000 + "]" * 3_000,
        "minus signs": "-" * 5_000 + "1",
        "a long number": "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 9_000 + ", 4)}",
        "a lambda": "lambda: 0",
        "JSON": '{"descr": "<f4", "fortran_order": false, "shape": [2, 4]}',
        "zero bytes": "\0" * 100,
        "an unfinished string": "{'descr': '<f4",
        "a line end": "{'descr':\n\t'<f4'\n  \n }\n}",
        "surrogates": "{'\\ud800': 1}",
    }
