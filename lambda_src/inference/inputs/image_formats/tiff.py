"""TIFF of one page, with the compressions that cameras, scanners and programs use.

https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf
"""

import math
from typing import TYPE_CHECKING

from PIL.TiffImagePlugin import TiffImageFile

from ...input_error import InputError
from .directory import NEW_SUBFILE_TYPE, Directory, directories
from .reading import Reader

if TYPE_CHECKING:
    from PIL import Image

BITS, COMPRESSION, PHOTOMETRIC, STRIPS, SAMPLES, ROWS_PER_STRIP, PLANAR = 258, 259, 262, 273, 277, 278, 284
WIDTH, LENGTH, TILE_WIDTH, TILE_LENGTH, TILES, SAMPLE_FORMAT, SUBSAMPLING = 256, 257, 322, 323, 324, 339, 530
DNG_VERSION = 50706
REDUCED, MASK = 1, 4  # bits of NEW_SUBFILE_TYPE
# None, LZW, JPEG, Deflate, PackBits, Deflate. Fax is not among them: libtiff reads on after any damage, and writes a
# line to the log for each row.
COMPRESSIONS = {1, 5, 7, 8, 32773, 32946}
NONE = 1
YCBCR = 6
MAX_PARTS = 65_536  # strips or tiles
MAX_TILE_PIXELS = 16_777_216


def open_only(data: bytes) -> TiffImageFile:
    """The only picture of the file, not decoded yet.

    Smaller copies of it and masks do not count as pictures.

    Raises:
        InputError: UNSUPPORTED_FORMAT, SEVERAL_PICTURES or CORRUPT_IMAGE.
        OSError and others of Pillow: it cannot be read.
    """
    try:
        first, *others = directories(data)
    except ValueError as error:
        raise InputError(
            "CORRUPT_IMAGE", f"The TIFF file is damaged: {str(error)[0].lower()}{str(error)[1:]}"
        ) from error
    if _value(first, NEW_SUBFILE_TYPE, 0) & REDUCED or DNG_VERSION in first:
        raise InputError(
            "UNSUPPORTED_FORMAT", "The file is a camera's raw picture, of which only a preview could be read."
        )
    pages = 1 + sum(not _value(each, NEW_SUBFILE_TYPE, 0) & (REDUCED | MASK) for each in others)
    if pages > 1:
        raise InputError("SEVERAL_PICTURES", f"The TIFF file has {pages} pages; one is allowed.")
    _check(first)
    return TiffImageFile(Reader(data))


def load(data: bytes, picture: TiffImageFile) -> "tuple[Image.Image, int, bool]":
    """Decode; Pillow makes it upright.

    Returns:
        The picture, how many bits its levels have, and whether white is 0 in them still.

    Raises:
        InputError: UNSUPPORTED_FORMAT.
        OSError and others of Pillow: it cannot be decoded.
    """
    first = next(directories(data))
    if picture.mode == "I" and _value(first, SAMPLE_FORMAT, 1) != 1:
        raise InputError("UNSUPPORTED_FORMAT", "The TIFF picture has levels below 0, whose range is not declared.")
    picture.load()
    inverted = _value(first, PHOTOMETRIC, 1) == 0 and picture.mode in ("I;16", "I;16B", "I", "F")
    return picture, _value(first, BITS, 1), inverted


def _check(page: Directory) -> None:
    compression = _value(page, COMPRESSION, NONE)
    if compression not in COMPRESSIONS:
        known = "none, LZW, Deflate, PackBits and JPEG are"
        message = f"The TIFF file has compression {compression}, which is not supported; {known}."
        raise InputError("UNSUPPORTED_FORMAT", message)
    if _value(page, PHOTOMETRIC, 0) == YCBCR and compression == NONE and page.get(SUBSAMPLING, (0, ()))[1] != (1, 1):
        raise InputError(
            "UNSUPPORTED_FORMAT", "The TIFF file has YCbCr colours without compression, which is not supported."
        )
    width, length = _value(page, WIDTH, 0), _value(page, LENGTH, 0)
    if TILES in page:
        wide, high = _value(page, TILE_WIDTH, 0), _value(page, TILE_LENGTH, 0)
        parts, _ = page[TILES]
    else:
        wide, high = width, min(_value(page, ROWS_PER_STRIP, length), length)
        parts, _ = page.get(STRIPS, (0, ()))
    if not (width and length and wide and high):
        raise InputError("CORRUPT_IMAGE", "The TIFF file does not tell its size.")
    planes = _value(page, SAMPLES, 1) if _value(page, PLANAR, 1) == 2 else 1
    needed = math.ceil(width / wide) * math.ceil(length / high) * planes
    if parts < needed:
        raise InputError("CORRUPT_IMAGE", f"The TIFF file has {parts:,} of the {needed:,} parts of its picture.")
    if parts > MAX_PARTS or (TILES in page and wide * high > MAX_TILE_PIXELS):
        raise InputError(
            "CORRUPT_IMAGE",
            f"The TIFF picture is cut into {parts:,} parts of {wide:,} x {high:,} pixels, which is unusual.",
        )


def _value(page: Directory, tag: int, default: int) -> int:
    _, values = page.get(tag, (0, ()))
    return values[0] if values else default
