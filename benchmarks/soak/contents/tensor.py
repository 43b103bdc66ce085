"""Random tensors as JSON, one that is cut off, and one that declares more elements than any function could hold."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.soak.contents.contents import Contents
from benchmarks.soak.upload_plan import Kind
from crossover.model.contract import check_model

MAX_ROWS = 4
OPEN_SIZE = 16  # of other dimensions that the graph leaves open
HUGE_ROWS = 10**12
VALUES: dict[str, Callable[[random.Random], float | str]] = {
    "float": lambda chance: chance.uniform(-1, 1),
    "int": lambda chance: chance.randint(0, 1),
    "uint": lambda chance: chance.randint(0, 1),
    "bool": lambda chance: chance.random() < 0.5,
    "object": lambda chance: f"{chance.random()}",
}
"""By how NumPy's name of a type begins."""


def contents(model: Path) -> Contents:
    """For the inputs of a model."""
    taken: Any = check_model(model).contract.input

    def good(chance: random.Random) -> bytes:
        rows = chance.randint(1, MAX_ROWS)
        return json.dumps({each.name: _values(each, rows, chance) for each in taken.inputs}).encode()

    def truncated(chance: random.Random) -> bytes:
        whole = good(chance)
        return whole[: int(len(whole) * chance.uniform(0.3, 0.9))]

    codes = {Kind.TEXT: "UNSUPPORTED_FORMAT", Kind.EMPTY: "EMPTY_FILE", Kind.TRUNCATED: "CORRUPT_TENSOR"}
    if len(taken.inputs) == 1:  # an array alone has no name
        codes[Kind.HUGE] = "TENSOR_TOO_LARGE"
    return Contents(suffix=".json", make={Kind.GOOD: good, Kind.TRUNCATED: truncated, Kind.HUGE: _huge}, codes=codes)


def _values(wanted: Any, rows: int, chance: random.Random) -> Any:
    sizes = [size if isinstance(size, int) else OPEN_SIZE for size in wanted.shape]
    if wanted.shape and not isinstance(wanted.shape[0], int):
        sizes[0] = rows
    [value] = [make for name, make in VALUES.items() if wanted.dtype.startswith(name)]
    return _nested(sizes, lambda: value(chance))


def _nested(sizes: Sequence[int], value: Callable[[], Any]) -> Any:
    return [_nested(sizes[1:], value) for _ in range(sizes[0])] if sizes else value()


def _huge(chance: random.Random) -> bytes:
    """.npy, whose header has the shape."""
    described = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({HUGE_ROWS}, {chance.randint(1, 99)}), }}\n"
    return b"\x93NUMPY\x01\0" + len(described).to_bytes(2, "little") + described.encode() + chance.randbytes(100)
