"""BMP, but not its run-length coded kinds, which Pillow decodes slowly enough to be an attack."""

from typing import TYPE_CHECKING

from PIL.BmpImagePlugin import BmpImageFile

from ...input_error import InputError
from .reading import Reader

if TYPE_CHECKING:
    from PIL import Image

RUN_LENGTHS = (BmpImageFile.COMPRESSIONS["RLE8"], BmpImageFile.COMPRESSIONS["RLE4"])


def open_plain(data: bytes) -> BmpImageFile:
    """The picture, not decoded yet.

    Raises:
        InputError: UNSUPPORTED_FORMAT.
        OSError and others of Pillow: it cannot be read.
    """
    picture = BmpImageFile(Reader(data))
    if picture.info["compression"] in RUN_LENGTHS:
        raise InputError("UNSUPPORTED_FORMAT", "The BMP file is run-length coded, which is not supported.")
    return picture


def load(picture: BmpImageFile) -> "Image.Image":
    """Decode.

    Raises:
        OSError and others of Pillow: it cannot be decoded.
    """
    picture.load()
    # Programs leave the fourth byte of a pixel zero, although the header calls it alpha.
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (0, 0):
        return picture.convert("RGB")
    return picture
