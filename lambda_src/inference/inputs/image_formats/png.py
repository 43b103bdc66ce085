"""PNG: the chunks that make the picture, and nothing else.

https://www.w3.org/TR/png-3/#5DataRep
"""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL.PngImagePlugin import PngImageFile

from ...input_error import InputError
from .directory import orientation
from .filling import load_whole

if TYPE_CHECKING:
    from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
MAX_CHUNKS = 50_000  # some 4 KB each in a file of 200 MB
BLOCK_BYTES = 1 << 20
INDEXED = 3  # the type of colour


@dataclass(frozen=True)
class Header:
    """What a PNG declares: its size in pixels, its orientation from 1 to 8; and its chunks that are needed."""

    width: int
    height: int
    orientation: int
    data: bytes


def header(data: bytes) -> Header:
    """Check the file to its end, every checksum of what is needed.

    What is left out: texts and colour profiles, which may be compressed bombs, and all but the first frame of an
    animation.

    Raises:
        InputError: CORRUPT_IMAGE.
    """
    view = memoryview(data)
    kept: list[bytes | memoryview] = [SIGNATURE]
    at, turned, has_palette = len(SIGNATURE), 1, False
    for number in range(MAX_CHUNKS):
        if at + 12 > len(data):
            raise InputError("CORRUPT_IMAGE", "The PNG file ends too early.")
        length, kind = struct.unpack_from(">L4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise InputError("CORRUPT_IMAGE", f"The PNG file ends too early: {end - len(data):,} bytes are missing.")
        if not number and (kind != b"IHDR" or length != 13):
            raise InputError("CORRUPT_IMAGE", "The PNG file does not begin with its header.")
        if kind in NEEDED and (not number or kind != b"IHDR"):
            if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
                raise InputError("CORRUPT_IMAGE", f"The PNG file is damaged: a checksum of {kind.decode()} is wrong.")
            kept.append(view[at:end])
            has_palette |= kind == b"PLTE"
        elif kind == b"eXIf":
            turned = orientation(data[at + 8 : end - 4])
        if kind == b"IEND":
            if data[len(SIGNATURE) + 17] == INDEXED and not has_palette:
                raise InputError("CORRUPT_IMAGE", "The PNG file lacks its palette.")
            width, height = struct.unpack_from(">LL", data, len(SIGNATURE) + 8)
            return Header(width, height, turned, b"".join(kept))
        at = end
    raise InputError("CORRUPT_IMAGE", f"The PNG file has more than {MAX_CHUNKS:,} chunks.")


def load(found: Header) -> "Image.Image":
    """Decode.

    Raises:
        InputError: CORRUPT_IMAGE.
        OSError and others of Pillow: it cannot be decoded.
    """
    return load_whole(lambda: _open(found.data), "PNG")


def _open(data: bytes) -> PngImageFile:
    picture = PngImageFile(io.BytesIO(data))
    picture.decodermaxblock = BLOCK_BYTES
    return picture
