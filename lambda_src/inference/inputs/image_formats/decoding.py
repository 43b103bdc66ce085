"""Picture files to the levels that a model sees: decode, lay on white, resize, make upright."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...input_error import InputError
from . import framing
from .kinds import SUPPORTED, other_kind, picture_kind

if TYPE_CHECKING:
    from ...kinds import Placement
    from ..image import ImageInput, ImageLimits

MAX_SIDE = 65_535
"""Of a picture, pixels: JPEG has no more. A resampling filter takes memory for each pixel of a side."""
DRAFT_RATIO = 2.0
"""How much larger than the model's input a JPEG is decoded at least: then its first label is that of the whole."""
INTERPOLATIONS = {
    name: getattr(Image.Resampling, name.upper()) for name in ("nearest", "box", "bilinear", "bicubic", "lanczos")
}
JPEG_BYTES, WEBP_BYTES = 6, 12
"""That the libraries allocate for each pixel, at most: coefficients of a progressive JPEG; two canvases and a frame of
WebP. If they cannot, Pillow tells of damage; it tells of a lack of memory in its own decoders of the other formats."""
OUT_OF_MEMORY = "out of memory"
WHITE = 255
LUMA = (19595, 38470, 7471)  # Pillow's weights of red, green and blue, as 65536ths

# What Pillow has to say about a file is in the answer.
logging.getLogger("PIL").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module="PIL")
Image.MAX_IMAGE_PIXELS = None  # the limit is max_pixels


def prepare() -> None:
    """Import the decoders of the formats that most uploads have."""
    from . import jpeg, png, webp  # noqa: F401


def decode(data: bytes, model: "ImageInput", limits: "ImageLimits") -> "tuple[NDArray[np.uint8], Placement]":
    """Decode a file to what the model sees of it.

    Args:
        data: the whole file: JPEG, PNG, WebP, GIF, BMP or TIFF.
        model: whose size, framing, interpolation and channels count.
        limits: the maximum number of pixels.

    Returns:
        Levels, uint8 [height, width, channels] in the model's order of channels, and where the picture lies in them.

    Raises:
        InputError: EMPTY_FILE, UNSUPPORTED_FORMAT, CORRUPT_IMAGE, IMAGE_TOO_LARGE or SEVERAL_PICTURES.
        MemoryError: there is not enough memory now.
        ImportError: Pillow lacks a part.
    """
    if not data:
        raise InputError("EMPTY_FILE", "The file is empty: 0 bytes.")
    kind = picture_kind(data)
    if not kind:
        raise InputError("UNSUPPORTED_FORMAT", f"The file is {other_kind(data)}; {SUPPORTED}.")
    try:
        view, picture, scale = _FORMATS[kind](data, model, limits)
    except (InputError, MemoryError, ImportError):
        raise
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes go wrong
        if OUT_OF_MEMORY in str(error):
            raise MemoryError(str(error)) from error
        reason = str(error).rstrip(".") or type(error).__name__
        raise InputError("CORRUPT_IMAGE", f"The {kind} file is damaged and cannot be decoded: {reason}.") from error
    return view.levels(picture, scale)


Opened = tuple["_View", Image.Image, int]
"""A decoded picture, by what its sides were divided, and what is seen of it."""


def _jpeg(data: bytes, model: "ImageInput", limits: "ImageLimits") -> Opened:
    from . import jpeg

    found = jpeg.header(data)
    size = found.width, found.height
    view = _View(model, limits, size, found.orientation)
    with _memory_told(size, JPEG_BYTES):
        picture, scale = jpeg.load(found, view.smallest(), gray=model.channels == "GRAY")
    return view, picture, scale


def _png(data: bytes, model: "ImageInput", limits: "ImageLimits") -> Opened:
    from . import png

    found = png.header(data)
    view = _View(model, limits, (found.width, found.height), found.orientation)
    return view, png.load(found), 1


def _webp(data: bytes, model: "ImageInput", limits: "ImageLimits") -> Opened:
    from . import webp
    from .directory import orientation

    size = webp.size(data)
    _check_size(size, limits)
    with _memory_told(size, WEBP_BYTES):
        picture = webp.load(data)
    return _View(model, limits, size, orientation(picture.info.get("exif") or b"")), picture, 1


def _gif(data: bytes, model: "ImageInput", limits: "ImageLimits") -> Opened:
    from PIL.GifImagePlugin import GifImageFile

    from .reading import Reader

    picture = GifImageFile(Reader(data))  # at its first frame
    view = _View(model, limits, picture.size)
    picture.load()
    return view, picture, 1


def _bmp(data: bytes, model: "ImageInput", limits: "ImageLimits") -> Opened:
    from . import bmp

    picture = bmp.open_plain(data)
    view = _View(model, limits, picture.size)
    return view, bmp.load(picture), 1


def _tiff(data: bytes, model: "ImageInput", limits: "ImageLimits") -> Opened:
    from . import tiff

    picture = tiff.open_only(data)
    view = _View(model, limits, picture.size)
    loaded, bits, inverted = tiff.load(data, picture)
    if loaded.mode in DEEP:
        loaded = _shallow(loaded, bits)
        if inverted:
            loaded = loaded.point([WHITE - level for level in range(256)])
    return view, loaded, 1


_FORMATS = {"JPEG": _jpeg, "PNG": _png, "WebP": _webp, "GIF": _gif, "BMP": _bmp, "TIFF": _tiff}


@contextlib.contextmanager
def _memory_told(size: tuple[int, int], bytes_a_pixel: int) -> Iterator[None]:
    """Tell a lack of memory from damage.

    Raises:
        MemoryError: decoding failed, and there is less memory than it may take.
    """
    try:
        yield
    except (InputError, MemoryError, ImportError):
        raise
    except Exception:
        bytes(size[0] * size[1] * bytes_a_pixel)  # of zeros: unlike a bytearray, it takes addresses only
        raise


class _View:
    """What a model sees of a picture of a size.

    Args:
        size: width and height as they are stored, pixels.
        orientation: how it is to be turned, 1 to 8.

    Raises:
        InputError: IMAGE_TOO_LARGE or CORRUPT_IMAGE.
    """

    def __init__(self, model: "ImageInput", limits: "ImageLimits", size: tuple[int, int], orientation: int = 1) -> None:
        _check_size(size, limits)
        self.model = model
        self.size = size
        self.orientation = orientation
        self.swapped = orientation in framing.SWAPPED
        width, height = size[::-1] if self.swapped else size
        self.framing = framing.frame(model, width, height)
        self.box = framing.stored(self.framing.box, orientation, width, height)

    @property
    def resized(self) -> tuple[int, int]:
        """Width and height, as they are stored, of what is seen."""
        seen = self.framing.width, self.framing.height
        return seen[::-1] if self.swapped else seen

    def smallest(self) -> tuple[float, float]:
        """Width and height at which decoding the whole picture suffices; for nearest neighbours it is the whole."""
        if self.model.interpolation == "nearest":
            return self.size
        left, top, right, bottom = self.box
        width, height = self.resized
        return DRAFT_RATIO * width * self.size[0] / (right - left), DRAFT_RATIO * height * self.size[1] / (bottom - top)

    def levels(self, picture: Image.Image, scale: int = 1) -> "tuple[NDArray[np.uint8], Placement]":
        """Resize a decoded picture, whose sides were divided by `scale`; the memory of the picture is given up."""
        right, bottom = min(self.box[2] / scale, picture.width), min(self.box[3] / scale, picture.height)
        box = self.box[0] / scale, self.box[1] / scale, right, bottom
        plain = _opaque(_plain(picture))
        resized = np.asarray(plain.resize(self.resized, INTERPOLATIONS[self.model.interpolation], box))
        seen = self._upright(self._channels(resized))
        return self._padded(seen), self.framing.placement

    def _channels(self, levels: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
        """In the model's channels, of [height, width] or [height, width, 3]."""
        gray = self.model.channels == "GRAY"
        if levels.ndim == 2:
            levels = levels[..., np.newaxis]
            return levels if gray else np.broadcast_to(levels, (*levels.shape[:2], 3))
        if gray:
            luma = levels @ np.array(LUMA, np.uint32)
            return (luma + 0x8000 >> 16).astype(np.uint8)[..., np.newaxis]
        return levels[..., ::-1] if self.model.channels == "BGR" else levels

    def _upright(self, levels: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
        if self.swapped:
            levels = levels.swapaxes(0, 1)
        if self.orientation in framing.FLIPPED_X:
            levels = levels[:, ::-1]
        return levels[::-1] if self.orientation in framing.FLIPPED_Y else levels

    def _padded(self, levels: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
        height, width, count = levels.shape
        model, left, top = self.model, self.framing.left, self.framing.top
        if (width, height) == (model.width, model.height):
            return levels
        padded = np.full((model.height, model.width, count), model.pad, np.uint8)
        padded[top : top + height, left : left + width] = levels
        return padded


def _check_size(size: tuple[int, int], limits: "ImageLimits") -> None:
    width, height = size
    if min(size) < 1:
        raise InputError("CORRUPT_IMAGE", f"The picture has {width} x {height} pixels.")
    if width * height > limits.max_pixels:
        pixels = f"{width:,} x {height:,} = {width * height:,} pixels"
        raise InputError("IMAGE_TOO_LARGE", f"The picture has {pixels}; at most {limits.max_pixels:,} are allowed.")
    if max(size) > MAX_SIDE:
        message = f"The picture has {width:,} x {height:,} pixels; at most {MAX_SIDE:,} on a side are allowed."
        raise InputError("IMAGE_TOO_LARGE", message)


DEEP = ("I;16", "I;16B", "I;16L", "I", "F")
"""Pillow's modes of more than 8 bits for a level; it would cut them off at 255."""


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in one of the modes L, RGB, LA and RGBA."""
    mode = picture.mode
    if mode in DEEP:
        return _shallow(picture, 16)
    if mode == "LAB":
        raise InputError("UNSUPPORTED_FORMAT", "The picture is in Lab colours, which are not supported.")
    if mode in ("La", "RGBa"):  # alpha, multiplied
        return picture.convert(mode[:-1] + "A")
    if mode == "PA" or ("transparency" in picture.info and mode in ("1", "L", "P", "RGB")):
        return picture.convert("RGBA")
    if mode == "1":
        return picture.convert("L")
    return picture if mode in ("L", "RGB", "LA", "RGBA") else picture.convert("RGB")  # P, CMYK, YCbCr


def _shallow(picture: Image.Image, bits: int) -> Image.Image:
    """8 bits a level of a picture with more.

    Raises:
        InputError: UNSUPPORTED_FORMAT.
    """
    levels = np.asarray(picture)
    if picture.mode == "F":
        if not (levels.min() >= 0 and levels.max() <= 1):  # NaN is neither
            message = "The picture has levels that are not numbers from 0 to 1, the usual range of floating point."
            raise InputError("UNSUPPORTED_FORMAT", message)
        shallow = (levels * np.float32(WHITE) + np.float32(0.5)).astype(np.uint8)
    elif picture.mode == "I":
        shallow = (levels.view(np.uint32) >> 24).astype(np.uint8)
    else:
        shallow = (levels >> (bits - 8)).astype(np.uint8)
    return Image.fromarray(shallow)


def _opaque(picture: Image.Image) -> Image.Image:
    """Lay it on white, for which pictures with a transparent ground are drawn: black text on black would be lost."""
    if picture.mode not in ("LA", "RGBA"):
        return picture
    laid = Image.new(picture.mode[:-1], picture.size, "white")
    laid.paste(picture, mask=picture)
    return laid
