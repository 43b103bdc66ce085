"""WebP; of an animation the first frame.

https://developers.google.com/speed/webp/docs/riff_container
"""

import io
from typing import TYPE_CHECKING

from PIL.WebPImagePlugin import WebPImageFile

from ...input_error import InputError

if TYPE_CHECKING:
    from PIL import Image


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, before a decoder allocates memory for them.

    Raises:
        InputError: CORRUPT_IMAGE.
    """
    kind, start = data[12:16], data[20:30]
    if len(start) < 10 or kind not in (b"VP8 ", b"VP8L", b"VP8X"):
        raise InputError("CORRUPT_IMAGE", "The WebP file does not tell its size.")
    if kind == b"VP8X":
        return 1 + int.from_bytes(start[4:7], "little"), 1 + int.from_bytes(start[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(start[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(start[6:8], "little") & 0x3FFF, int.from_bytes(start[8:10], "little") & 0x3FFF


def load(data: bytes) -> "Image.Image":
    """Decode.

    Raises:
        InputError: CORRUPT_IMAGE.
        OSError and others of Pillow: it cannot be decoded.
    """
    declared = 8 + int.from_bytes(data[4:8], "little")
    if declared > len(data):
        raise InputError("CORRUPT_IMAGE", f"The WebP file ends too early: {declared - len(data):,} bytes are missing.")
    picture = WebPImageFile(io.BytesIO(data))
    if picture.size != size(data):
        raise InputError("CORRUPT_IMAGE", "The WebP file declares two sizes.")
    picture.load()
    return picture
