"""`ImageInput.decode` gives what the graph takes or raises a known InputError, whatever the bytes."""

import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import atheris
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]

with atheris.instrument_imports(include=["inference", "PIL"]):
    from inference.input_error import InputError
    from inference.inputs.image import ImageLimits
    from inference.inputs.image_formats import bmp, jpeg, png, tiff, webp  # noqa: F401

from tests.fuzz import target  # noqa: E402
from tests.lambda_src.bad_pictures import corpus  # noqa: E402
from tests.lambda_src.pictures import encode, model, photograph  # noqa: E402

TAKER = model((1, 3, 16, 16), resize="crop")
LIMITS = ImageLimits(max_pixels=1_000_000)  # few, so that no input takes long
MAX_SEED_BYTES = 4_000
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def check(data: bytes) -> None:
    try:
        decoded = TAKER.decode(data, LIMITS)
    except InputError as error:
        assert error.code in corpus.CODES, error
        assert error.message.endswith("."), error
        return
    (feed,) = decoded.feeds
    assert feed["pixels"].shape == TAKER.shape
    assert feed["pixels"].dtype == np.float32
    assert feed["pixels"].min() >= 0 and feed["pixels"].max() <= 1
    assert 0 < decoded.facts["width"] * decoded.facts["height"] <= LIMITS.max_pixels


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """libFuzzer's change, but with the checksums that PNG's chunks must have; or none would get further."""
    changed = atheris.Mutate(data, max_size)
    return with_checksums(changed) if seed % 8 else changed


def with_checksums(data: bytes) -> bytes:
    out, at = bytearray(data), len(SIGNATURE)
    while data.startswith(SIGNATURE) and at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        struct.pack_into(">L", out, end, zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return bytes(out)


def seeds() -> Iterator[bytes]:
    """Small pictures of each kind, and the bad ones that are small."""
    picture = photograph(20, 14)
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        yield encode(picture, kind)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield encode(picture, "TIFF", compression=compression)
    yield from (file.data for file in corpus.files() if len(file.data) <= MAX_SEED_BYTES)


if __name__ == "__main__":
    target.run("image", check, seeds(), custom_mutator=mutate)
