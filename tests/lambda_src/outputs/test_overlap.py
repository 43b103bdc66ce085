"""Non-maximum suppression, compared with the plain way to do it."""

import numpy as np
import pytest

from inference.outputs.parts.overlap import suppress


def plainly(boxes, classes, threshold, most):
    """Box by box, each with all that are kept."""
    kept: list[int] = []
    for candidate, (box, class_id) in enumerate(zip(boxes, classes, strict=True)):
        if all(class_id != classes[other] or overlap(box, boxes[other]) <= threshold for other in kept):
            kept.append(candidate)
    return kept[:most]


def overlap(one, other):
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - shared)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [0.0, 0.45, 1.0])
def test_it_keeps_what_the_plain_way_keeps(seed, threshold):
    random = np.random.default_rng(seed)
    corners = random.uniform(-50, 100, (120, 2))
    boxes = np.hstack([corners, corners + random.uniform(1, 60, (120, 2))])
    classes = random.integers(0, 3, 120)
    for most in (120, 7):
        assert suppress(boxes, classes, threshold, most).tolist() == plainly(boxes, classes, threshold, most)


def test_the_same_box_stays_once_for_each_class():
    boxes = np.tile([10.0, 10.0, 20.0, 20.0], (4, 1))
    assert suppress(boxes, np.array([0, 1, 0, 90]), 0.5, 10).tolist() == [0, 1, 3]


def test_no_boxes_give_none():
    assert suppress(np.zeros((0, 4)), np.zeros(0, np.int64), 0.5, 10).tolist() == []
