"""The directories of TIFF, in which EXIF too keeps its values: as few of them as are needed.

https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf, section 2.
"""

import struct
from collections.abc import Iterator, Mapping

MAX_DIRECTORIES = 1000
NEW_SUBFILE_TYPE, ORIENTATION = 254, 274
CODES = {1: "B", 3: "H", 4: "L"}  # bytes, and whole numbers of 2 and 4 bytes
MAX_VALUES = 8  # of one tag, that are read: those of strips can be many

Directory = Mapping[int, tuple[int, tuple[int, ...]]]
"""For each tag how many values it has, and the first of them, if they are whole numbers."""


def directories(data: bytes) -> Iterator[Directory]:
    """The directories of a TIFF file, one a page.

    Raises:
        ValueError: they do not end, or not within the file.
    """
    order = {b"II\x2a\0": "<", b"MM\0\x2a": ">"}.get(data[:4])
    if not order:
        raise ValueError("It has not the header of a TIFF file.")
    try:
        (at,) = struct.unpack_from(order + "L", data, 4)
        if not at:
            raise ValueError("It has no directory.")
        seen: set[int] = set()
        while at:
            if at in seen or len(seen) == MAX_DIRECTORIES:
                raise ValueError("Its directories do not end.")
            seen.add(at)
            (count,) = struct.unpack_from(order + "H", data, at)
            yield dict(_entry(data, at + 2 + 12 * number, order) for number in range(count))
            (at,) = struct.unpack_from(order + "L", data, at + 2 + 12 * count)
    except struct.error as error:
        raise ValueError("Its directory does not lie within the file.") from error


def _entry(data: bytes, at: int, order: str) -> tuple[int, tuple[int, tuple[int, ...]]]:
    tag, kind, count = struct.unpack_from(order + "HHL", data, at)
    code = CODES.get(kind)
    if not code:
        return tag, (count, ())
    form = f"{order}{min(count, MAX_VALUES)}{code}"
    place = at + 8
    if struct.calcsize(order + code) * count > 4:
        (place,) = struct.unpack_from(order + "L", data, place)
    return tag, (count, struct.unpack_from(form, data, place))


def orientation(exif: bytes) -> int:
    """How EXIF says that a picture is to be turned, 1 to 8; 1 where it says nothing that can be read."""
    try:
        directory = next(directories(exif.removeprefix(b"Exif\0\0")), {})
    except ValueError:
        return 1
    _, values = directory.get(ORIENTATION, (0, ()))
    return values[0] if values and 1 <= values[0] <= 8 else 1
