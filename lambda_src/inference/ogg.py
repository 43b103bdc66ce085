"""What an OGG file declares, checked before the decoders act on it.

After a damaged page libogg searches for the next one and checksums whatever looks like a page, up to 65 kB, at each
step: two megabytes crafted for this take seconds. libvorbis allocates on the stack for as many codewords as a stream
declares: three hundred bytes crash the process. Valid files pass these checks; files that pass can do neither.

Pages: https://www.rfc-editor.org/rfc/rfc3533#section-6
Codebooks: https://xiph.org/vorbis/doc/Vorbis_I_spec.html#x1-470003.2.1
"""

import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from inference.input_error import InputError

MAX_PAGES_PER_SECOND = 100  # a live stream has 50, a file about 5; and the same for 100 seconds more, for cover art
# Over all codebooks of a stream; those of libvorbis have at most 12,000 codewords for 64,000 values, in 5 kB.
MAX_CODEWORDS, MAX_VALUES, MAX_SETUP_BYTES = 1 << 15, 1 << 17, 1 << 16

CONTINUED, FIRST = 1, 2  # flags of a page
HEADER = struct.Struct("<5sBqIIIB")  # magic and version, flags, position, serial, sequence, checksum, segments
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class _Page(NamedTuple):
    flags: int
    serial: int
    sequence: int
    segments: bytes  # their lengths; one below 255 ends a packet
    body: bytes


def check(data: bytes, max_seconds: float) -> None:
    """Refuse what is not one complete stream of valid pages, and Vorbis that declares more than any encoder writes.

    Raises:
        InputError: CORRUPT_AUDIO, or UNSUPPORTED_FORMAT where the file holds several streams.
    """
    setup: list[bytes] = []  # pieces of the third packet, which is Vorbis' setup, read so far
    packets, max_pages = 0, MAX_PAGES_PER_SECOND * (max_seconds + 100)
    first: _Page | None = None
    complete = True  # whether the last packet so far ended
    for number, page in enumerate(_pages(data)):
        if first is None:
            first = page
        elif page.flags & FIRST or page.serial != first.serial:
            raise InputError("UNSUPPORTED_FORMAT", "The file holds several OGG streams; only one can be read.")
        if number > max_pages:
            raise _corrupt(f"it is cut into more than {max_pages:.0f} pages")
        if packets < 3:
            # libogg would join the packets differently.
            if page.sequence != first.sequence + number or (page.flags & CONTINUED == 0) != complete:
                raise _corrupt("pages are missing at its start")
            position = 0
            for length in page.segments:
                if packets == 2 and len(setup) * 255 <= MAX_SETUP_BYTES:
                    setup.append(page.body[position : position + length])
                position += length
                packets += length < 255
                if packets == 3:
                    break
            complete = page.segments[-1:] != b"\xff"
    if first is not None and first.body.startswith(b"\x01vorbis"):
        _check_setup(b"".join(setup))


def _pages(data: bytes) -> Iterator[_Page]:
    position = 0
    while position < len(data):
        header = data[position : position + HEADER.size]
        if len(header) < HEADER.size or not header.startswith(b"OggS\0"):
            raise _corrupt(f"no page starts at byte {position:,}")
        _, flags, _, serial, sequence, checksum, count = HEADER.unpack(header)
        segments = data[position + HEADER.size : position + HEADER.size + count]
        start = position + HEADER.size + count
        end = start + sum(segments)
        if end > len(data):
            raise _corrupt(f"its last page ends {end - len(data):,} bytes after the end of the file")
        if _checksum(data[position : position + 22] + bytes(4) + data[position + 26 : end]) != checksum:
            raise _corrupt(f"the checksum of the page at byte {position:,} is wrong")
        yield _Page(flags, serial, sequence, segments, data[start:end])
        position = end


def _checksum(page: bytes) -> int:
    """OGG's CRC-32: zlib's on mirrored bits, starting at 0 and not inverted."""
    mirrored = zlib.crc32(page.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "big").translate(MIRRORED), "little")


@lru_cache(maxsize=16)  # files of one encoder have the same setup
def _check_setup(packet: bytes) -> None:
    codewords = values = 0
    try:
        for entries, dimensions in _codebooks(packet):
            codewords, values = codewords + entries, values + entries * dimensions
            if codewords > MAX_CODEWORDS or values > MAX_VALUES:
                raise _corrupt(f"its codebooks declare more than {MAX_CODEWORDS:,} codewords or {MAX_VALUES:,} values")
    except (EOFError, ValueError) as error:
        raise _corrupt("its codebooks are damaged") from error


def _codebooks(packet: bytes) -> Iterator[tuple[int, int]]:
    """Entries and dimensions of each codebook, yielded before the rest of it is read.

    Raises:
        EOFError, ValueError: the packet is damaged.
    """
    if len(packet) > MAX_SETUP_BYTES:
        raise ValueError
    bits = _Bits(packet[7:])  # after the packet's name
    for _ in range(bits.number(8) + 1):
        bits.skip(24)  # a fixed pattern; libvorbis refuses any other
        dimensions, entries = bits.number(16), bits.number(24)
        if not dimensions:
            raise ValueError
        yield entries, dimensions
        if bits.number(1):  # ordered: the number of codewords of each length
            bits.skip(5)
            remaining = entries
            while remaining > 0:
                remaining -= bits.number(remaining.bit_length())
        elif bits.number(1):  # sparse: a length for each entry that is used
            bits.skip_sparse(entries)
        else:
            bits.skip(5 * entries)
        lookup = bits.number(4)
        if lookup:
            bits.skip(64)
            width = bits.number(4) + 1
            bits.skip(1)
            bits.skip(width * (_root(entries, dimensions) if lookup == 1 else entries * dimensions))


def _root(entries: int, dimensions: int) -> int:
    """The greatest whole number that, raised to the power of `dimensions`, is at most `entries`."""
    root: int = round(entries ** (1 / dimensions))
    return root if root**dimensions <= entries else root - 1


class _Bits:
    """Bits as Vorbis packs them, the lowest of each byte first."""

    def __init__(self, packet: bytes) -> None:
        self.packet = packet
        self.position = 0

    def skip(self, count: int) -> None:
        self.position += count
        if self.position > 8 * len(self.packet):
            raise EOFError

    def number(self, count: int) -> int:
        byte, bit = divmod(self.position, 8)
        self.skip(count)
        end = (self.position + 7) // 8
        return int.from_bytes(self.packet[byte:end], "little") >> bit & ((1 << count) - 1)

    def skip_sparse(self, entries: int) -> None:
        """Skip a bit for each entry, and 5 more where it is 1; without the calls, since there may be thousands."""
        position = self.position
        try:
            for _ in range(entries):
                used = self.packet[position >> 3] >> (position & 7) & 1
                position += 6 if used else 1
        except IndexError:
            raise EOFError from None
        self.skip(position - self.position)


def _corrupt(why: str) -> InputError:
    return InputError("CORRUPT_AUDIO", f"The OGG stream cannot be read: {why}.")
