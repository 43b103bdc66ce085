"""GIF, the first frame: https://www.w3.org/Graphics/GIF/spec-gif89a.txt"""

from typing import TYPE_CHECKING

from PIL.GifImagePlugin import GifImageFile

from ...input_error import InputError
from .reading import Reader

if TYPE_CHECKING:
    from PIL import Image


def open_first(data: bytes) -> GifImageFile:
    """The first frame, not decoded yet.

    Raises:
        OSError and others of Pillow: it cannot be read.
    """
    return GifImageFile(Reader(data))


def load(data: bytes, picture: GifImageFile) -> "Image.Image":
    """Decode.

    Raises:
        InputError: CORRUPT_IMAGE.
        OSError and others of Pillow: it cannot be decoded.
    """
    _, extents, _, arguments = picture.tile[0]
    assert extents
    assert arguments
    _, top, right, bottom = extents
    is_interlaced = arguments[1]
    around = picture._frame_transparency or 0
    picture.load()
    # Interlaced data end with the odd rows.
    last = bottom - 2 if is_interlaced and (bottom - top) % 2 and bottom - top > 1 else bottom - 1
    if picture.getpixel((right - 1, last)) == around:
        _check_end(data, picture, 0 if around else 1)
    return picture


def _check_end(data: bytes, picture: GifImageFile, around: int) -> None:
    """Refuse a frame whose data end early but properly.

    What they lack keeps the value that the memory had before, so the same frame on other memory is another one.
    """
    other = open_first(data)
    _, extents, _, _ = other.tile[0]
    other._frame_transparency = around
    other.load()
    if other.crop(extents).tobytes() != picture.crop(extents).tobytes():
        raise InputError("CORRUPT_IMAGE", "The GIF picture ends too early: its lower part is missing.")
