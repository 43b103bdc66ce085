"""Whether the pages of an OGG file are all there: https://www.rfc-editor.org/rfc/rfc3533#section-6.

FFmpeg passes over what is damaged, and then a part would be taken for the whole.
"""

import struct
import zlib

from inference.input_error import InputError

HEADER = struct.Struct("<5sBqIIIB")  # magic and version, flags, position, serial, sequence, checksum, segments
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def check(data: bytes) -> None:
    """Refuse a file with a damaged page, or whose last page is cut off. Padding and tags may stand between pages.

    Raises:
        InputError: CORRUPT_AUDIO.
    """
    position = data.find(b"OggS")
    while position >= 0:
        header = data[position : position + HEADER.size]
        segments = data[position + HEADER.size : position + HEADER.size + header[-1]]
        end = position + HEADER.size + len(segments) + sum(segments)
        if len(header) < HEADER.size or len(segments) < header[-1] or end > len(data):
            raise InputError("CORRUPT_AUDIO", f"The OGG file is cut off in the page that starts at byte {position:,}.")
        if (
            header[4]
            or _checksum(data[position : position + 22] + bytes(4) + data[position + 26 : end])
            != HEADER.unpack(header)[5]
        ):
            raise InputError("CORRUPT_AUDIO", f"The OGG page at byte {position:,} is damaged.")
        position = data.find(b"OggS", end)


def _checksum(page: bytes) -> int:
    """OGG's CRC-32: zlib's on mirrored bits, starting at 0 and not inverted."""
    mirrored = zlib.crc32(page.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "big").translate(MIRRORED), "little")
