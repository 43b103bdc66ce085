"""Pictures: padded, so that all their pixels stay as they are.

Sizes then differ in what is downloaded, not in what is decoded; to measure that, name pictures of other dimensions.
"""

import random
import zlib
from typing import Any

from crossover.bench.run.contents.content import Content, Facts, Format
from crossover.cost.kinds import scenario_of
from crossover.paths import sources

JPEG_START = b"\xff\xd8"
COMMENT = b"\xff\xfe"
# Frame headers, all but the codes among them that mean something else: table B.1 of ITU-T T.81.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
APPLICATION = range(0xE0, 0xF0)
SCAN = 0xDA
MARKER_BYTES, SEGMENT_BYTES = 2, 0xFFFF  # a segment's length counts itself, but not its marker
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_HEADER_END = 33  # the signature, and the chunk IHDR
PADDING_CHUNK = b"paDd"  # by the case of its letters: ancillary, private, safe to copy
CHUNK_BYTES = 12  # of a chunk without data
SECONDS_A_PIXEL = 1.5e-8
"""A guess of the CPU time that decoding takes."""


def _jpeg_facts(data: bytes) -> Facts:
    """Width and height as the header declares them, whatever the EXIF orientation."""
    for marker, start, _ in _segments(data):
        if marker in FRAMES:
            return {
                "width": int.from_bytes(data[start + 7 : start + 9], "big"),
                "height": int.from_bytes(data[start + 5 : start + 7], "big"),
            }
    raise ValueError("it has no frame header")


def _jpeg(data: bytes, size: int, _: Any) -> bytes:
    """Comments after the segments of applications, which come first."""
    end = max([MARKER_BYTES, *(end for marker, _, end in _segments(data) if marker in APPLICATION)])
    missing = _missing(data, size, at_least=MARKER_BYTES + 2)
    chance, comments = random.Random(size), []
    while missing:
        taken = min(missing, MARKER_BYTES + SEGMENT_BYTES)
        if 0 < missing - taken < MARKER_BYTES + 2:
            taken -= MARKER_BYTES + 2  # what is left must be a segment, too
        length = taken - MARKER_BYTES
        comments.append(COMMENT + length.to_bytes(2, "big") + chance.randbytes(length - 2))
        missing -= taken
    return data[:end] + b"".join(comments) + data[end:]


def _segments(data: bytes) -> list[tuple[int, int, int]]:
    """Marker, start and end of the segments before the first scan."""
    if not data.startswith(JPEG_START):
        raise ValueError("it is not JPEG")
    found, start = [], len(JPEG_START)
    while data[start : start + 1] == b"\xff" and start + 9 <= len(data):
        marker = data[start + 1]
        end = start + MARKER_BYTES + int.from_bytes(data[start + 2 : start + 4], "big")
        found.append((marker, start, end))
        if marker == SCAN:
            return found
        start = end
    raise ValueError("it has no picture")


def _png_facts(data: bytes) -> Facts:
    if not data.startswith(PNG_START) or len(data) <= PNG_HEADER_END:
        raise ValueError("it is not PNG")
    return {"width": int.from_bytes(data[16:20], "big"), "height": int.from_bytes(data[20:24], "big")}


def _png(data: bytes, size: int, _: Any) -> bytes:
    """A private chunk after the header."""
    missing = _missing(data, size, at_least=CHUNK_BYTES)
    if not missing:
        return data
    body = PADDING_CHUNK + random.Random(size).randbytes(missing - CHUNK_BYTES)
    chunk = (missing - CHUNK_BYTES).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return data[:PNG_HEADER_END] + chunk + data[PNG_HEADER_END:]


def _missing(data: bytes, size: int, *, at_least: int) -> int:
    """How many bytes must be added: none, or enough for an element of the format."""
    missing = size - len(data)
    if missing < 0 or 0 < missing < at_least:
        raise ValueError(f"it has {len(data):,} bytes already, and pictures are only padded")
    return missing


def _cpu_seconds(facts: Facts) -> float:
    return float(scenario_of("image").cpu_seconds) + SECONDS_A_PIXEL * facts.get("width", 0) * facts.get("height", 0)


CONTENT = Content(
    formats=(
        Format(suffix=".jpg", aliases=(".jpeg",), facts=_jpeg_facts, resize=_jpeg),
        Format(suffix=".png", facts=_png_facts, resize=_png),
    ),
    made_of="JPEG or PNG",
    samples=sources() / "model/image/samples",
    sizes="200KB,1MB,4MB",
    cpu_seconds=_cpu_seconds,
)
