"""Files that models and decoders have trouble with, made by the standard library: the smallest and the largest."""

import io
import struct
import wave
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AwkwardFile:
    """A file on which a model is tried.

    Attributes:
        what: completes "The model fails on ...".
        content: makes it.
        usual: whether a model that fails on it is refused.
        times: how many times longer than a usual input it may take.
    """

    what: str
    content: Callable[[], bytes]
    usual: bool = False
    times: float = 1


def awkward_files(kind: Any, limits: Any) -> Iterator[AwkwardFile]:
    """Files for a kind of input.

    Args:
        kind: the `InputKind` of a model.
        limits: its limits; the largest file has their size.
    """
    *_, sample = kind.samples()
    yield AwkwardFile("a small file", lambda: sample, usual=True)
    if kind.kind == "audio":
        rate = kind.sample_rate
        yield AwkwardFile("a single sample", lambda: wav(rate, 1))
        seconds = limits.max_seconds
        longest = f"the longest audio that is allowed, {seconds:g} s"
        yield AwkwardFile(longest, lambda: wav(rate, int(seconds * rate)), times=seconds)
    if kind.kind == "image":
        yield AwkwardFile("a picture of 1 x 1", lambda: png(1, 1))
        yield AwkwardFile("a picture of 1 x 5,000", lambda: png(1, 5_000))
        side = int(limits.max_pixels**0.5)
        yield AwkwardFile(f"the largest picture that is allowed, {side:,} x {side:,}", lambda: png(side, side))


def wav(rate: int, samples: int) -> bytes:
    """A square wave, 16-bit mono."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate)
        period = struct.pack("<100h", *[1_000] * 50, *[-1_000] * 50)
        written.writeframes((period * (samples // 100 + 1))[: 2 * samples])
    return file.getvalue()


def png(width: int, height: int) -> bytes:
    """A picture of one colour, 8 bits for each of red, green, blue and alpha. https://www.w3.org/TR/png-3/"""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    compressor = zlib.compressobj(1)
    row = bytes([0]) + bytes([200, 120, 40, 128]) * width
    rows = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
