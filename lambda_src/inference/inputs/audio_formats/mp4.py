"""Whether an MP4 file is one file: https://developer.apple.com/documentation/quicktime-file-format/atoms."""

import struct

from ...input_error import InputError

MAX_BOXES = 100_000


def check(data: bytes) -> None:
    """Refuse several MP4 files end to end, of which readers play only the first, and one that is cut off.

    Raises:
        InputError: UNSUPPORTED_FORMAT or CORRUPT_AUDIO.
    """
    position, indexes = 0, 0
    for _ in range(MAX_BOXES):
        if position + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, position)
        if size == 1 and position + 16 <= len(data):  # the size has 64 bits
            size = struct.unpack_from(">Q", data, position + 8)[0]
        indexes += kind == b"moov"
        if indexes > 1:
            raise InputError("UNSUPPORTED_FORMAT", "The file holds several MP4 files end to end; it may hold one.")
        if size < 8:  # to the file's end, or damaged
            return
        position += size
        if position > len(data):
            raise InputError("CORRUPT_AUDIO", f"The MP4 file is cut off, or damaged before byte {position - size:,}.")
