"""Tensors: JSON padded with spaces, and .npy with its rows repeated, for a model that takes any number of them."""

import ast
import json
from collections.abc import Sequence
from typing import Any

from crossover.bench.run.contents.content import Content, Facts, Format
from crossover.cost.scenario import Scenario

NPY_START = b"\x93NUMPY"
NPY_ALIGNMENT = 64  # numpy.org/doc/stable/reference/generated/numpy.lib.format.html


def _json_facts(data: bytes) -> Facts:
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from error
    return {"rows": len(parsed)} if isinstance(parsed, list) else {}


def _json(data: bytes, size: int, _: Any) -> bytes:
    if len(data) > size:
        raise ValueError(f"it has {len(data):,} bytes already, and JSON is only padded")
    return data.ljust(size)


def _npy_facts(data: bytes) -> Facts:
    _, shape, _ = _npy_parts(data)
    return {"rows": shape[0]}


def _npy(data: bytes, size: int, limits: Any) -> bytes:
    """At most a row smaller than `size`."""
    header, shape, values = _npy_parts(data)
    row_bytes, row_elements = len(values) // shape[0], 1
    for length in shape[1:]:
        row_elements *= length
    rows = (size - len(header)) // row_bytes
    if not rows:
        raise ValueError(f"not even one of its rows fits into {size:,} bytes")
    if rows * row_elements > limits.max_elements:
        raise ValueError(
            f"it would have {rows * row_elements:,} elements; the variants' limit is {limits.max_elements:,}"
        )
    start = 10 if header[6] == 1 else 12
    described = ast.literal_eval(header[start:].decode("latin1"))
    text = repr({**described, "shape": (rows, *shape[1:])}).encode("latin1")
    space = -(start + len(text) + 1) % NPY_ALIGNMENT
    written = text + b" " * space + b"\n"
    counted = len(written).to_bytes(start - 8, "little")
    needed = rows * row_bytes
    return header[:8] + counted + written + (values * (needed // len(values) + 1))[:needed]


def _npy_parts(data: bytes) -> tuple[bytes, Sequence[int], bytes]:
    """Its header, its shape, and its values, row by row."""
    if not data.startswith(NPY_START) or len(data) < 12:
        raise ValueError("it is not .npy")
    start = 10 if data[6] == 1 else 12
    end = start + int.from_bytes(data[8:start], "little")
    try:
        described = ast.literal_eval(data[start:end].decode("latin1"))
        shape, by_columns = described["shape"], described["fortran_order"] and len(described["shape"]) > 1
    except (KeyError, SyntaxError, TypeError, ValueError) as error:
        raise ValueError("its header is damaged") from error
    if by_columns or not shape or not shape[0] or (len(data) - end) % shape[0] or len(data) == end:
        raise ValueError("it has no rows that can be repeated")
    return data[:end], shape, data[end:]


def _cpu_seconds(_: Facts) -> float:
    return float(Scenario().cpu_seconds)


CONTENT = Content(
    formats=(
        Format(suffix=".json", facts=_json_facts, resize=_json),
        Format(suffix=".npy", facts=_npy_facts, resize=_npy),
    ),
    made_of="JSON or .npy",
    samples=None,
    sizes="original",
    cpu_seconds=_cpu_seconds,
)
