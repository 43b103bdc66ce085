"""Whether a decoder filled all of a picture: Pillow's do not tell where data end early but properly."""

from collections.abc import Callable

from PIL import Image, ImageFile

from ...input_error import InputError

UNUSUAL, OTHER = (1, 254, 3, 250), (2, 253, 5, 249)
"""Levels that the memory has before a picture is decoded into it."""


def load_whole(opened: Callable[[], ImageFile.ImageFile], kind: str) -> Image.Image:
    """Decode a picture.

    What a decoder leaves out keeps the levels that the memory had before, so on other memory it is another picture. It
    is decoded twice only where its last pixel happens to have them.

    Args:
        opened: opens it, without decoding it.
        kind: for the message.

    Raises:
        InputError: CORRUPT_IMAGE.
        OSError and others of Pillow: it cannot be decoded.
    """
    picture = _load(opened(), UNUSUAL)
    last = picture.width - 1, _last_row(picture)
    before = Image.new(picture.mode, (1, 1), _colour(picture.mode, UNUSUAL)).getpixel((0, 0))
    if picture.getpixel(last) == before and _load(opened(), OTHER).tobytes() != picture.tobytes():
        raise InputError("CORRUPT_IMAGE", f"The {kind} picture ends too early: its lower part is missing.")
    return picture


def _load(picture: ImageFile.ImageFile, levels: tuple[int, ...]) -> ImageFile.ImageFile:
    picture.im = Image.new(picture.mode, picture.size, _colour(picture.mode, levels)).im
    picture.load()
    return picture


def _colour(mode: str, levels: tuple[int, ...]) -> int | tuple[int, ...]:
    if mode == "1":
        return levels[0] % 2 * 255
    count = Image.getmodebands(mode)
    return levels[:count] if count > 1 else levels[0]


def _last_row(picture: Image.Image) -> int:
    """The last that is decoded: interlaced data end with the odd rows."""
    height = picture.height
    return height - 2 if picture.info.get("interlace") and height % 2 and height > 1 else height - 1
