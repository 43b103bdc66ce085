"""A map over the model's input, such as a segmentation, to one over the uploaded picture."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...kinds import Placement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BAND_PIXELS = 1_000_000
"""Of the picture that are worked on at a time, to be bounded in memory."""


def nearest(classes: "NDArray[np.uint8]", placement: Placement) -> "Iterator[NDArray[np.uint8]]":
    """The class of each of the picture's pixels, in bands from top to bottom.

    Args:
        classes: [rows, columns], over the whole of the model's input.
    """
    rows, columns = _nearest_positions(classes.shape, placement)
    for band in _bands(rows, max(placement.width, classes.shape[1])):
        yield classes[band][:, columns]


def counts(classes: "NDArray[np.uint8]", placement: Placement) -> "NDArray[np.int64]":
    """How many of the picture's pixels have each class, as `nearest` gives them: [256]."""
    import numpy as np

    # How many pixels each of the map gives: this takes a twentieth of the time of counting them one by one.
    rows, columns = (
        np.bincount(positions, minlength=size)
        for positions, size in zip(_nearest_positions(classes.shape, placement), classes.shape, strict=True)
    )
    return np.bincount(classes.ravel(), np.outer(rows, columns).ravel(), minlength=256).astype(np.int64)


def bilinear(levels: "NDArray[np.float32]", placement: Placement) -> "Iterator[NDArray[np.uint8]]":
    """The level, 0 to 255, at each of the picture's pixels, in bands from top to bottom.

    Args:
        levels: [rows, columns], 0 to 1, over the whole of the model's input.
    """
    import numpy as np

    rows, columns = positions(levels.shape, placement)
    before, after, share = _neighbours(columns, levels.shape[1])
    for band in _bands(rows, max(placement.width, levels.shape[1])):
        above, below, lower = _neighbours(band, levels.shape[0])
        # As wide as the picture are only the rows of the map that the band needs: all may be gigabytes.
        needed, places = np.unique([above, below], return_inverse=True)
        used = levels[needed]
        lines = used[:, before]
        lines += (used[:, after] - lines) * share
        lines *= 255
        above, below = places.reshape(2, -1)
        pixels = lines[below] - lines[above]
        pixels *= lower[:, np.newaxis]
        pixels += lines[above]
        pixels += 0.5
        yield pixels.astype(np.uint8)


def positions(shape: tuple[int, ...], placement: Placement) -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
    """Where the middle of each of the picture's rows and columns lies in the map: 0 is the middle of its first."""
    import numpy as np

    found = []
    for size, count, scale, offset, input_size in (
        (shape[0], placement.height, placement.scale_y, placement.top, placement.input_height),
        (shape[1], placement.width, placement.scale_x, placement.left, placement.input_width),
    ):
        in_input = (np.arange(count) + 0.5) * scale + offset
        found.append(np.clip(in_input * (size / input_size) - 0.5, 0, size - 1).astype(np.float32))
    return found[0], found[1]


def _nearest_positions(shape: tuple[int, ...], placement: Placement) -> "tuple[NDArray[Any], NDArray[Any]]":
    import numpy as np

    rows, columns = (np.floor(each + 0.5).astype(np.intp) for each in positions(shape, placement))
    return rows, columns


def _neighbours(
    positions: "NDArray[np.float32]", size: int
) -> "tuple[NDArray[Any], NDArray[Any], NDArray[np.float32]]":
    """The elements on both sides of each position, and how near the second is, 0 to 1."""
    import numpy as np

    first = np.floor(positions).astype(np.intp)
    return first, np.minimum(first + 1, size - 1), positions - first.astype(np.float32)


def _bands(rows: "NDArray[Any]", width: int) -> "Iterator[NDArray[Any]]":
    height = max(1, BAND_PIXELS // width)
    return (rows[start : start + height] for start in range(0, len(rows), height))
