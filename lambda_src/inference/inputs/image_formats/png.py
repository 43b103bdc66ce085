"""PNG: the chunks that make the picture, and nothing else.

https://www.w3.org/TR/png-3/#5DataRep
"""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from ...input_error import InputError
from .directory import orientation
from .filling import load_whole

SIGNATURE = b"\x89PNG\r\n\x1a\n"
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
MAX_CHUNKS = 50_000  # some 4 KB each in a file of 200 MB
BLOCK_BYTES = 1 << 20
INDEXED = 3  # the type of colour
BITS_AT = 24  # of a level, in the file


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


def load(found: Header) -> Image.Image:
    """Decode; a transparent colour of 16 bits becomes alpha of the 8 bits that are left of it.

    Raises:
        InputError: CORRUPT_IMAGE.
        OSError and others of Pillow: it cannot be decoded.
    """
    picture = load_whole(lambda: _open(found.data), "PNG")
    clear, bits = picture.info.get("transparency"), found.data[BITS_AT]
    if clear is None or picture.mode not in ("L", "I;16", "RGB"):
        return picture
    if bits == 16:
        return _cleared(picture, clear, found.data)
    if bits < 8:  # Pillow spreads the levels to 255, but not this one
        most = (1 << bits) - 1
        picture.info["transparency"] = (clear & most) * (255 // most)
    return picture


def _cleared(picture: Image.Image, clear: int | tuple[int, int, int], data: bytes) -> Image.Image:
    """With alpha 0 where all 16 bits are those of the transparent colour, of which Pillow compares 8 or none."""
    if isinstance(clear, int):
        levels = np.asarray(picture)
        bands = [Image.fromarray((levels >> 8).astype(np.uint8)), _alpha(levels == clear)]
        return Image.merge("LA", bands)
    low = _open(data)
    low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]  # takes the other byte of each two
    low.load()
    matching = np.ones((picture.height, picture.width), np.bool_)
    for channel, value in enumerate(clear):
        matching &= np.asarray(picture.getchannel(channel)) == value >> 8
        matching &= np.asarray(low.getchannel(channel)) == value & 0xFF
    picture.putalpha(_alpha(matching))
    return picture


def _alpha(clear: NDArray[np.bool_]) -> Image.Image:
    return Image.fromarray(np.where(clear, np.uint8(0), np.uint8(255)))


def _open(data: bytes) -> PngImageFile:
    picture = PngImageFile(io.BytesIO(data))
    picture.decodermaxblock = BLOCK_BYTES
    return picture
