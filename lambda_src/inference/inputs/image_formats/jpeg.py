"""JPEG: read at half, a quarter or an eighth of its size where the model's input is that much smaller.

https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B.
"""

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL.JpegImagePlugin import JpegImageFile

from ...input_error import InputError
from .directory import orientation

if TYPE_CHECKING:
    from PIL import Image

START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
START_OF_SCAN, END, EXIF, JFIF, ADOBE, COMMENT = 0xDA, 0xD9, 0xE1, 0xE0, 0xEE, 0xFE
APPLICATION = range(0xE0, 0xF0)
ALONE = (0x01, 0xD8, *range(0xD0, 0xD8))  # markers without a segment
FIRST_WITH_SEGMENT = 0xC0  # below, libjpeg passes over a marker only, or refuses the file
END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
MAX_SEGMENTS = 5000
# Each scan of a progressive picture goes over all of it, and can be of a few bytes; real ones have up to 20.
MAX_SCANNED_PIXELS, MIN_SCANS = 1_000_000_000, 16
DRAFT_SCALES = (8, 4, 2)
MISSING = 127.5  # the level that libjpeg gives to what the file lacks: 128, or 127 where it is inverted
MAX_SMOOTHED = 8  # by which that differs in a progressive picture, whose blocks libjpeg smooths
OTHER_BITS = bytes(range(1, 97))


@dataclass(frozen=True)
class Header:
    """What stands before the first scan.

    Attributes:
        width, height: as they are stored, pixels.
        orientation: 1 to 8.
        progressive: whether its scans refine one another.
        data: the file without the segments that decoding does not need.
        scans: where the first of them begins in `data`.
    """

    width: int
    height: int
    orientation: int
    progressive: bool
    data: bytes
    scans: int


def header(data: bytes) -> Header:
    """Read the segments up to the first scan.

    Only what decoding needs is passed on: other segments can be many, and Pillow joins them one by one.

    Raises:
        InputError: CORRUPT_IMAGE or UNSUPPORTED_FORMAT.
    """
    kept = [data[:2]]
    size: tuple[int, int] | None = None
    turned, progressive = 0, False
    at = 2
    for _ in range(MAX_SEGMENTS):
        at = data.find(b"\xff", at)
        while at >= 0 and data[at + 1 : at + 2] == b"\xff":
            at += 1
        if at < 0 or at + 4 > len(data):
            raise InputError("CORRUPT_IMAGE", "The JPEG file ends before its picture begins.")
        marker = data[at + 1]
        if marker in ALONE or marker == 0:
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : end]
        if marker == START_OF_SCAN:
            if size is None:
                raise InputError("CORRUPT_IMAGE", "The JPEG file does not tell its size.")
            start = sum(map(len, kept))
            return Header(*size, turned or 1, progressive, b"".join([*kept, memoryview(data)[at:]]), start)
        if marker == END or end > len(data):
            raise InputError("CORRUPT_IMAGE", "The JPEG file ends before its picture begins.")
        if marker in START_OF_FRAME and len(body) >= 6:
            if body[0] != 8:
                message = f"The JPEG picture has {body[0]} bits for each level, which is not supported; 8 are."
                raise InputError("UNSUPPORTED_FORMAT", message)
            size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
            progressive = marker in PROGRESSIVE
        elif marker == EXIF and body.startswith(b"Exif\0\0") and not turned:
            turned = orientation(body)
        if marker not in APPLICATION and marker != COMMENT:
            kept.append(data[at:end])
        elif (marker == JFIF and body.startswith(b"JFIF")) or (marker == ADOBE and body.startswith(b"Adobe")):
            kept.append(data[at:end])  # libjpeg tells by them in which colours the picture is stored
        at = end
    raise InputError("CORRUPT_IMAGE", f"The JPEG file has more than {MAX_SEGMENTS:,} segments before its picture.")


def load(found: Header, smallest: tuple[float, float], *, gray: bool) -> "tuple[Image.Image, int]":
    """Decode.

    Args:
        found: of the file.
        smallest: width and height, pixels, that suffice for the whole picture.
        gray: whether its colours are not needed.

    Returns:
        The picture and by what its width and height were divided, which are rounded up.

    Raises:
        InputError: CORRUPT_IMAGE.
        OSError and others of Pillow: it cannot be decoded.
    """
    scans = _count_scans(found)
    if scans > max(MAX_SCANNED_PIXELS / (found.width * found.height), MIN_SCANS):
        raise InputError("CORRUPT_IMAGE", f"The JPEG picture is made of {scans:,} scans, more than any real one.")
    ratio = min(found.width / smallest[0], found.height / smallest[1])
    scale = next((scale for scale in DRAFT_SCALES if scale <= ratio), 1)
    picture = _decode(found.data, scale, gray=gray)
    if _ends_gray(picture, smoothed=found.progressive):
        _check_end(found, picture, scale, gray=gray)
    return picture, scale


def _count_scans(found: Header) -> int:
    """Of the picture alone: phones append a video, whose bytes look like scans too.

    Raises:
        InputError: CORRUPT_IMAGE.
    """
    data, at, scans = found.data, found.scans, 0
    for _ in range(MAX_SEGMENTS):
        match = END_OF_SCAN.search(data, at)
        if match is None or data[match.start() + 1] == END:
            return scans
        at, marker = match.end(), data[match.start() + 1]
        scans += marker == START_OF_SCAN
        if marker >= FIRST_WITH_SEGMENT and marker not in ALONE:
            at += max(int.from_bytes(data[at : at + 2], "big"), 2)
    raise InputError("CORRUPT_IMAGE", f"The JPEG picture has more than {MAX_SEGMENTS:,} segments.")


def _decode(data: bytes, scale: int, *, gray: bool) -> "Image.Image":
    picture = JpegImageFile(io.BytesIO(data))
    width, height = picture.size
    if gray or scale > 1:
        picture.draft("L" if gray else None, (max(width // scale, 1), max(height // scale, 1)))
    picture.load()
    return picture


def _ends_gray(picture: "Image.Image", *, smoothed: bool) -> bool:
    levels = picture.crop((picture.width - 1, picture.height - 1, picture.width, picture.height)).tobytes()
    return all(abs(level - MISSING) <= (MAX_SMOOTHED if smoothed else 0.5) for level in levels)


def _check_end(found: Header, picture: "Image.Image", scale: int, *, gray: bool) -> None:
    """Refuse a picture whose data end early but properly, with an end marker: libjpeg makes the rest gray.

    If its first scan had more data, they would be part of the picture only if it lacks some.
    """
    match = END_OF_SCAN.search(found.data, found.scans + 2)
    if match is None:
        return
    end = match.start()
    more = b"".join([memoryview(found.data)[:end], OTHER_BITS, memoryview(found.data)[end:]])
    if _decode(more, scale, gray=gray).tobytes() != picture.tobytes():
        raise InputError("CORRUPT_IMAGE", "The JPEG picture ends too early: its lower part is missing.")
