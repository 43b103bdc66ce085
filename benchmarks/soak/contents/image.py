"""Small pictures of noise, one that is cut off, and one that declares more pixels than any function could hold."""

import random
import zlib
from pathlib import Path

from benchmarks.soak.contents.contents import Contents
from benchmarks.soak.upload_plan import Kind
from crossover.paths import sources

MAX_SIDE = 64  # pixels
HUGE_SIDES = (40_000, 60_000)
JPEG = sources() / "model/image/samples/chelsea.jpg"


def contents(_: Path) -> Contents:
    """For any model of pictures."""
    return Contents(
        suffix=".png",
        make={Kind.GOOD: _noise, Kind.TRUNCATED: _truncated, Kind.HUGE: _huge},
        codes={
            Kind.TEXT: "UNSUPPORTED_FORMAT",
            Kind.EMPTY: "EMPTY_FILE",
            Kind.TRUNCATED: "CORRUPT_IMAGE",
            Kind.HUGE: "IMAGE_TOO_LARGE",
        },
    )


def _noise(chance: random.Random) -> bytes:
    width, height = chance.randint(8, MAX_SIDE), chance.randint(8, MAX_SIDE)
    return _png(width, height, b"".join(b"\0" + chance.randbytes(3 * width) for _ in range(height)))


def _truncated(chance: random.Random) -> bytes:
    whole = JPEG.read_bytes()
    return whole[: int(len(whole) * chance.uniform(0.3, 0.9))]


def _huge(chance: random.Random) -> bytes:
    return _png(chance.randint(*HUGE_SIDES), chance.randint(*HUGE_SIDES), chance.randbytes(100))


def _png(width: int, height: int, rows: bytes) -> bytes:
    """RGB of 8 bits; each row begins with its filter."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big") for name, data in chunks
    )
