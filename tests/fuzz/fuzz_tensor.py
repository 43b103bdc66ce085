"""Decoding a tensor gives arrays in the graph's shape and type or raises a known InputError, whatever the bytes."""

import random
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import atheris
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]

with atheris.instrument_imports(include=["inference"]):
    from inference.input_error import InputError
    from inference.inputs.tensor import TensorLimits
    from inference.inputs.tensor_formats import decoding  # noqa: F401

from tests.fuzz import target  # noqa: E402
from tests.lambda_src.bad_tensors import corpus, npz_files  # noqa: E402
from tests.lambda_src.tables import tensor_input  # noqa: E402

LIMITS = TensorLimits(max_elements=100_000)  # little, so that no input takes long
SEED_BYTES = 4_000
KINDS = (
    corpus.ROWS,
    corpus.FRAME,
    tensor_input(("x", "float16", [None, None, 2]), missing_values="nan"),
    tensor_input(("x", "uint8", ["N", 2]), input_columns='["a", "b"]'),
    tensor_input(("a", "bool", []), ("b", "string", [])),
)


def check(data: bytes) -> None:
    """The first byte tells for which graph the others are."""
    kind = KINDS[data[0] % len(KINDS)] if data else KINDS[0]
    try:
        decoded = kind.decode(data[1:], LIMITS)
    except InputError as error:
        assert error.code in corpus.CODES, error
        assert error.message.endswith("."), error
        error.message.encode()
        return
    (feed,) = decoded.feeds
    assert list(feed) == [each.name for each in kind.inputs]
    assert sum(array.size for array in feed.values()) <= LIMITS.max_elements
    for wanted in kind.inputs:
        array = feed[wanted.name]
        assert array.dtype == np.dtype(wanted.dtype)
        assert array.flags.c_contiguous and array.flags.aligned and array.size
        for size, needed in zip(array.shape, wanted.shape, strict=True):
            assert size == needed or not isinstance(needed, int)
        if array.dtype == object:
            assert all(isinstance(text, str) and text.encode() is not None for text in array.flat)
        elif not kind.missing:
            assert np.isfinite(array).all()


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """libFuzzer's change; of an .npz often of a member, whose checksum fits then, or none would get further."""
    if seed % 4 and data[1:3] == b"PK":
        try:
            with zipfile.ZipFile(BytesIO(data[1:])) as archive:
                members = [(info.filename, archive.read(info)) for info in archive.infolist()]
        except Exception:  # it is damaged
            members = []
        if members:
            index = random.Random(seed).randrange(len(members))
            name, content = members[index]
            members[index] = (name, atheris.Mutate(content, max_size))
            return data[:1] + npz_files.archive(*members)
    return bytes(atheris.Mutate(data, max_size))


def seeds() -> Iterator[bytes]:
    """The bad files that are small, and samples."""
    for number, kind in enumerate(KINDS):
        yield from (bytes([number]) + sample for sample in kind.samples())
    for number, files in enumerate((corpus.of_rows(), corpus.of_frames())):
        yield from (bytes([number]) + file.data for file in files if len(file.data) <= SEED_BYTES)
    yield b"\2[[[1, null], [3, NaN]]]"
    yield b"\3b,a\n1,2\n3,4"
    yield b'\4{"a": true, "b": ""}'


if __name__ == "__main__":
    target.run("tensor", check, seeds(), custom_mutator=mutate)
