"""A grayscale picture as PNG, always the same bytes for the same picture.

By the standard library, because a model is tried before it is deployed, where there is no decoder of pictures.
https://www.w3.org/TR/png-3/
"""

import struct
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BITS, GRAYSCALE = 8, 0
UP = 2  # the filter: each pixel is stored as its difference from the one above


def to_png(width: int, height: int, bands: "Iterable[NDArray[np.uint8]]") -> bytes:
    """The file, 8-bit grayscale without alpha.

    Args:
        bands: the picture from top to bottom, each [rows, width].
    """
    import numpy as np

    compressor = zlib.compressobj(1)
    parts = []
    above = np.zeros((1, width), np.uint8)
    for band in bands:
        filtered = np.empty((len(band), 1 + width), np.uint8)
        filtered[:, 0] = UP
        filtered[:, 1:] = band - np.concatenate([above, band[:-1]])
        parts.append(compressor.compress(filtered.tobytes()))
        above = band[-1:]
    parts.append(compressor.flush())
    header = struct.pack(">IIBBBBB", width, height, EIGHT_BITS, GRAYSCALE, 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"".join(parts)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
