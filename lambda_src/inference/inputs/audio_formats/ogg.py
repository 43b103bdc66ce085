"""Whether the pages of an OGG file are all there, and how many streams they are: https://www.rfc-editor.org/rfc/rfc3533#section-6.

FFmpeg passes over what is damaged, and then a part would be taken for the whole.
"""

import struct
import zlib
from itertools import pairwise

from ...input_error import InputError

HEADER = struct.Struct("<5sBqIIIB")  # magic and version, flags, position, serial, sequence, checksum, segments
FIRST = 2  # a flag: the page begins a stream
# A live stream has 50, a file about 5; and the same for 100 seconds more, for cover art. Each stream is opened anew.
MAX_PAGES_PER_SECOND, MAX_STREAMS = 100, 200
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def split(data: bytes, max_seconds: float) -> list[bytes]:
    """The streams that stand end to end in a file, which is how web radio is recorded.

    Refuses a file with a damaged page, or whose last page is cut off. Padding and tags may stand between pages.

    Raises:
        InputError: CORRUPT_AUDIO.
    """
    starts, was_first, pages = [0], True, 0
    max_pages = MAX_PAGES_PER_SECOND * (max_seconds + 100)
    position = data.find(b"OggS")
    while position >= 0:
        pages += 1
        header = data[position : position + HEADER.size]
        segments = data[position + HEADER.size : position + HEADER.size + header[-1]]
        end = position + HEADER.size + len(segments) + sum(segments)
        if len(header) < HEADER.size or len(segments) < header[-1] or end > len(data):
            raise InputError("CORRUPT_AUDIO", f"The OGG file is cut off in the page that starts at byte {position:,}.")
        _, flags, *_, checksum, _ = HEADER.unpack(header)
        if header[4] or _checksum(data[position : position + 22] + bytes(4) + data[position + 26 : end]) != checksum:
            raise InputError("CORRUPT_AUDIO", f"The OGG page at byte {position:,} is damaged.")
        if flags & FIRST and not was_first:
            starts.append(position)
        if pages > max_pages or len(starts) > MAX_STREAMS:
            raise InputError(
                "CORRUPT_AUDIO",
                f"The OGG file has more than {max_pages:.0f} pages or {MAX_STREAMS} streams end to end.",
            )
        was_first = bool(flags & FIRST)
        position = data.find(b"OggS", end)
    return [data[start:end] for start, end in pairwise([*starts, len(data)])]


def _checksum(page: bytes) -> int:
    """OGG's CRC-32: zlib's on mirrored bits, starting at 0 and not inverted."""
    mirrored = zlib.crc32(page.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "big").translate(MIRRORED), "little")
