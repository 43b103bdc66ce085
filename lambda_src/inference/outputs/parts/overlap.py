"""Non-maximum suppression: of boxes that find the same thing, only the best stays."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def suppress(
    boxes: "NDArray[np.float64]", classes: "NDArray[np.int64]", threshold: float, most: int
) -> "NDArray[np.int64]":
    """The boxes that stay, at most `most`; a box goes where it overlaps a better one of its class.

    Every step compares one box with all that are left, so the work is bounded by `most` times the number of boxes.

    Args:
        boxes: [N, 4], left, top, right, bottom, the best first, none without area.
        classes: [N].
        threshold: intersection over union above which two boxes count as one.

    Returns:
        their positions, in order.
    """
    import numpy as np

    # Boxes of different classes never overlap once each class has a plane of its own.
    offsets = (classes * (boxes.max(initial=0) - boxes.min(initial=0) + 1))[:, np.newaxis]
    left, top, right, bottom = (boxes + offsets).T
    table = np.array([left, top, right, bottom, (right - left) * (bottom - top)])
    rest = np.arange(len(boxes))
    kept: list[int] = []
    while rest.size and len(kept) < most:
        kept.append(rest[0])
        best, table, rest = table[:, 0], table[:, 1:], rest[1:]
        left, top, right, bottom, areas = table
        shared = np.maximum(np.minimum(right, best[2]) - np.maximum(left, best[0]), 0)
        shared *= np.maximum(np.minimum(bottom, best[3]) - np.maximum(top, best[1]), 0)
        stays = shared * (1 + threshold) <= threshold * (areas + best[4])
        if not stays.all():
            table, rest = table[:, stays], rest[stays]
    return np.array(kept, np.int64)
