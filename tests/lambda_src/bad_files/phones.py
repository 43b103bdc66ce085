"""What phones and browsers record, M4A, AAC, WebM and AMR: truncated, damaged, end to end, and small bombs.

Boxes: https://developer.apple.com/documentation/quicktime-file-format/atoms ; AMR: https://www.rfc-editor.org/rfc/rfc4867
"""

import io
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

import av
import numpy as np

from .bad_file import BadFile, around, noise

AS_FAR_AS_IT_GOES = "what is there of a download is played"
RESYNC = "a player finds the next frame behind a little damage"
# Format, codec, rate, and what else the format needs to be told.
KINDS = {
    "M4A": ("ipod", "aac", 16_000, {}),
    "ALAC": ("ipod", "alac", 16_000, {}),
    "fragmented MP4": ("mp4", "aac", 16_000, {"movflags": "frag_keyframe+empty_moov"}),
    "AAC": ("adts", "aac", 16_000, {}),
    "WebM": ("webm", "libopus", 48_000, {}),
    "AMR": ("amr", "libopencore_amrnb", 8_000, {}),
}

STREAMED = "M4A for streaming"
MP4 = ("M4A", STREAMED, "ALAC", "fragmented MP4")


@cache
def recording(kind: str, seconds: float = 2.0) -> bytes:
    """A second or two of noise, the same bytes each time."""
    if kind == STREAMED:
        return _with_index_in_front(recording("M4A", seconds))
    container_format, codec, rate, options = KINDS[kind]
    file = io.BytesIO()
    samples = np.ascontiguousarray(noise(round(seconds * rate)).T)
    with av.open(file, "w", format=container_format, options={"fflags": "+bitexact", **options}) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="mono")
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for start in range(0, samples.shape[1], 1024):
            frame = av.AudioFrame.from_ndarray(samples[:, start : start + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _with_index_in_front(data: bytes) -> bytes:
    """With `moov` before `mdat`, and the offsets that it holds corrected."""
    at, samples = data.index(b"moov") - 4, data.index(b"mdat") - 4
    index = bytearray(data[at:])
    table = index.index(b"stco") + 8
    (count,) = struct.unpack_from(">I", index, table)
    for entry in range(table + 4, table + 4 + 4 * count, 4):
        (offset,) = struct.unpack_from(">I", index, entry)
        struct.pack_into(">I", index, entry, offset + len(index))
    return data[:samples] + bytes(index) + data[samples:at]


def files() -> Iterator[BadFile]:
    for kind in (*KINDS, STREAMED):
        yield from _cut(kind)
        yield from _damaged(kind)
    yield from _boxes()
    yield BadFile("MP4 of nothing but its kind", struct.pack(">I", 16) + b"ftypM4A \0\0\0\0", "CORRUPT_AUDIO")
    yield BadFile("Matroska of nothing but its kind", b"\x1aE\xdf\xa3\x84webm" + bytes(100), "CORRUPT_AUDIO")
    yield BadFile("AMR of nothing but its kind", b"#!AMR\n", "EMPTY_AUDIO")
    yield BadFile("AMR of 11 minutes", b"#!AMR\n" + (b"\x3c" + bytes(31)) * 33_000, "AUDIO_TOO_LONG")


def _cut(kind: str) -> Iterator[BadFile]:
    whole = recording(kind)
    eighth = len(whole) // 8
    starts = () if kind in ("ALAC", STREAMED) else (5, 11)  # as M4A's
    for cut in (*starts, *around(range(eighth, 8 * eighth, eighth), len(whole))):
        yield BadFile(f"{kind} cut at byte {cut}", whole[:cut], *_result_of_cut(kind, cut, eighth))


def _result_of_cut(kind: str, cut: int, eighth: int) -> tuple[str | None, str]:
    if cut < eighth - 1:
        return "UNSUPPORTED_FORMAT" if cut == 5 and kind not in ("WebM", "AMR") else "CORRUPT_AUDIO", ""
    readable_from = {
        "M4A": 9,  # its index is at its end
        "ALAC": 9,
        STREAMED: 9,  # its boxes declare their sizes
        "fragmented MP4": 8,
        "WebM": 8,  # it declares its length
        "AAC": 2,  # a large part of an eighth is its last frame
    }
    if cut < readable_from.get(kind, 1) * eighth - 1:
        return "CORRUPT_AUDIO", ""
    return None, AS_FAR_AS_IT_GOES


def _damaged(kind: str) -> Iterator[BadFile]:
    whole = recording(kind)
    middle = len(whole) // 2
    for value in (b"\0", b"\xff"):
        for size in (1, 10, 100, middle):
            harmless = {"ALAC": 1, "WebM": 10, "AMR": 10}.get(kind, 100)
            if value == b"\0" and kind in ("AAC", "AMR"):  # padding, or valid frames
                harmless = middle
            data = whole[:middle] + value * size + whole[middle + size :]
            code = None if size <= harmless else "CORRUPT_AUDIO"
            name = f"{kind} with {size} bytes of {value[0]:#x} in its middle"
            yield BadFile(name, data, code, "" if code else RESYNC)
    code = "UNSUPPORTED_FORMAT" if kind in MP4 else None
    yield BadFile(f"two {kind} end to end", whole * 2, code, "" if code else "all of both is read")
    yield BadFile(f"{kind} with zeros behind it", whole + bytes(100), None, "padding is passed over")


def _boxes() -> Iterator[BadFile]:
    whole = recording("M4A")
    # The error code with a size that is too small, and one that is too large.
    for name, small, large in (
        ("moov", "CORRUPT_AUDIO", "CORRUPT_AUDIO"),
        ("trak", "UNSUPPORTED_FORMAT", None),
        ("stbl", "UNSUPPORTED_FORMAT", None),
        ("stsd", "UNSUPPORTED_FORMAT", "EMPTY_AUDIO"),
        ("stsz", "CORRUPT_AUDIO", "EMPTY_AUDIO"),
        ("stco", "EMPTY_AUDIO", None),
        ("stsc", "EMPTY_AUDIO", "CORRUPT_AUDIO"),
        ("stts", "EMPTY_AUDIO", "EMPTY_AUDIO"),
        ("mdat", "CORRUPT_AUDIO", "CORRUPT_AUDIO"),
        ("esds", None, None),
    ):
        at = whole.index(name.encode()) - 4
        for size, code in ((1, small), (2**32 - 1, large)):
            data = whole[:at] + struct.pack(">I", size) + whole[at + 4 :]
            yield BadFile(f"M4A whose {name} claims {size} bytes", data, code, "" if code else "it is not needed")
    for name, none, most in (
        ("stsz", "EMPTY_AUDIO", "EMPTY_AUDIO"),
        ("stco", "EMPTY_AUDIO", "EMPTY_AUDIO"),
        ("stsc", "EMPTY_AUDIO", "CORRUPT_AUDIO"),
        ("stts", "EMPTY_AUDIO", "CORRUPT_AUDIO"),
    ):
        at = whole.index(name.encode()) + 8
        for count, code in ((0, none), (2**32 - 1, most)):
            data = whole[:at] + struct.pack(">I", count) * 2 + whole[at + 8 :]
            yield BadFile(f"M4A whose {name} has {count} entries", data, code)
