"""FLAC cut and repeated without decoding it: whole frames, renumbered, as an encoder would have written them.

Format: https://www.rfc-editor.org/rfc/rfc9639.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

MAGIC = b"fLaC"
FIXED_BLOCKS = b"\xff\xf8"  # a frame's first bytes where all blocks but the last are of one size
STREAM_INFO, PADDING = 0, 1
STREAM_INFO_BYTES = 34
HEADER_BYTES = len(MAGIC) + 4 + STREAM_INFO_BYTES + 4  # with that of the padding, which makes a size exact


class FlacError(ValueError):
    """A file cannot be cut."""


@dataclass(frozen=True, kw_only=True)
class Flac:
    """What a file is made of.

    Attributes:
        block_size: samples in a frame.
        sample_rate: Hz.
        stream_info: the body of its STREAMINFO.
        frames: all but a shorter one at the end.
    """

    block_size: int
    sample_rate: int
    stream_info: bytes
    frames: tuple[bytes, ...]


def read(data: bytes) -> Flac:
    """Take a file apart.

    Raises:
        FlacError: it is not FLAC, is damaged, has blocks of different sizes, or is shorter than one block.
    """
    if not data.startswith(MAGIC) or len(data) < HEADER_BYTES or data[4] & 0x7F != STREAM_INFO:
        raise FlacError("it is not FLAC")
    info = data[8 : 8 + STREAM_INFO_BYTES]
    block_size = int.from_bytes(info[2:4], "big")
    if block_size != int.from_bytes(info[:2], "big"):
        raise FlacError("its blocks have different sizes")
    position, is_last = len(MAGIC), False
    while not is_last:
        is_last = bool(data[position] & 0x80)
        position += 4 + int.from_bytes(data[position + 1 : position + 4], "big")
        if position >= len(data):
            raise FlacError("it holds no audio")
    frames = _split(data[position:])
    total = int.from_bytes(info[13:18], "big") & (1 << 36) - 1
    whole = total // block_size if total else len(frames) - 1
    if not whole or whole > len(frames):
        raise FlacError("it is shorter than one block, or damaged")
    return Flac(
        block_size=block_size,
        sample_rate=int.from_bytes(info[10:13], "big") >> 4,
        stream_info=info,
        frames=tuple(frames[:whole]),
    )


def write(source: Flac, size_bytes: int) -> tuple[bytes, float]:
    """A file of exactly this size: the source's frames over and over, as many as fit, and padding.

    Returns the file, and how long it plays, s.

    Raises:
        FlacError: not even one frame fits.
    """
    frames: list[bytes] = []
    left = size_bytes - HEADER_BYTES
    while True:
        frame = _numbered(source.frames[len(frames) % len(source.frames)], len(frames))
        if len(frame) > left:
            break
        left -= len(frame)
        frames.append(frame)
    if not frames:
        raise FlacError(f"not even one of its frames fits into {size_bytes:,} bytes")
    samples = len(frames) * source.block_size
    info = bytearray(source.stream_info)
    info[4:10] = bytes(6)  # the sizes of the smallest and the largest frame: unknown
    info[13:18] = (int.from_bytes(info[13:18], "big") >> 36 << 36 | samples).to_bytes(5, "big")
    info[18:34] = bytes(16)  # the MD5 of the samples: unknown
    # A block's length has 24 bits; what is left is less than a frame, whose length fits.
    padding = bytes([PADDING | 0x80]) + left.to_bytes(3, "big") + bytes(left)
    head = MAGIC + bytes([STREAM_INFO]) + STREAM_INFO_BYTES.to_bytes(3, "big") + bytes(info)
    return head + padding + b"".join(frames), samples / source.sample_rate


def _split(audio: bytes) -> list[bytes]:
    """The frames, each of which begins where a header with the expected number and a valid checksum stands."""
    starts = [0]
    if not _header_ends(audio, 0, 0):
        raise FlacError("its blocks have different sizes, or it is damaged")
    position = audio.find(FIXED_BLOCKS, 1)
    while position >= 0:
        if _header_ends(audio, position, len(starts)):
            starts.append(position)
        position = audio.find(FIXED_BLOCKS, position + 1)
    frames = [audio[start:end] for start, end in zip(starts, [*starts[1:], len(audio)], strict=True)]
    for number, frame in enumerate(frames):
        if _crc(frame, 16, 0x8005):  # 0 over a frame that includes its checksum
            raise FlacError(f"its frame {number} is damaged")
    return frames


def _header_ends(audio: bytes, start: int, number: int) -> int:
    """Where the header of the frame of this number ends, its checksum included; 0 where there is none."""
    if audio[start : start + 2] != FIXED_BLOCKS:
        return 0
    coded = _coded(number)
    end = start + 4 + len(coded)
    if audio[start + 4 : end] != coded:
        return 0
    size_code, rate_code = audio[start + 2] >> 4, audio[start + 2] & 0x0F
    end += {6: 1, 7: 2}.get(size_code, 0) + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if end >= len(audio) or _crc(audio[start:end], 8, 0x07) != audio[end]:
        return 0
    return end + 1


def _numbered(frame: bytes, number: int) -> bytes:
    """A frame with another number, with matching checksums."""
    first = frame[4]
    coded_bytes = 1 if first < 0x80 else 8 - (first ^ 0xFF).bit_length()  # as many bytes as there are leading ones
    size_code, rate_code = frame[2] >> 4, frame[2] & 0x0F
    rest = 4 + coded_bytes
    end = rest + {6: 1, 7: 2}.get(size_code, 0) + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    header = frame[:4] + _coded(number) + frame[rest:end]
    body = header + bytes([_crc(header, 8, 0x07)]) + frame[end + 1 : -2]
    return body + _crc(body, 16, 0x8005).to_bytes(2, "big")


def _coded(number: int) -> bytes:
    """A number coded as in UTF-8, as far as a file of 200 MB needs it."""
    return chr(number).encode("utf-8", "surrogatepass")


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    table, mask, shift = _crc_table(bits, polynomial), (1 << bits) - 1, bits - 8
    register = 0
    for byte in data:
        register = (register << 8 ^ table[register >> shift ^ byte]) & mask
    return register


@cache
def _crc_table(bits: int, polynomial: int) -> Sequence[int]:
    table = []
    for byte in range(256):
        register = byte << bits - 8
        for _ in range(8):
            register = (register << 1 ^ polynomial * (register >> bits - 1)) & (1 << bits) - 1
        table.append(register)
    return table
