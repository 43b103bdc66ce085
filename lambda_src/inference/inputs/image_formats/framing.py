"""Which part of a picture the model sees, and where it lies in the model's input."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...kinds import Placement

if TYPE_CHECKING:
    from ..image import ImageInput

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""
SWAPPED, FLIPPED_X, FLIPPED_Y = (5, 6, 7, 8), (2, 3, 6, 7), (3, 4, 7, 8)
"""The orientations, as EXIF numbers them, in which the stored picture is transposed, and then mirrored."""


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How a picture is resized.

    Attributes:
        box: the part of the upright picture that the model sees.
        width, height: of that part in the model's input, pixels.
        left, top: its place there, pixels.
        placement: of the whole picture.
    """

    box: Box
    width: int
    height: int
    left: int
    top: int
    placement: Placement


def frame(model: "ImageInput", width: int, height: int) -> Framing:
    """How an upright picture of that size becomes the model's input."""
    if model.resize == "crop":
        return _cropped(model, width, height)
    wide, high = model.width, model.height
    if model.resize == "fit":
        scale = min(wide / width, high / height)
        wide, high = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = (model.width - wide) // 2, (model.height - high) // 2
    return Framing(
        box=(0.0, 0.0, width, height),
        width=wide,
        height=high,
        left=left,
        top=top,
        placement=place(model, width, height, wide=wide, high=high, left=left, top=top),
    )


def _cropped(model: "ImageInput", width: int, height: int) -> Framing:
    """As torchvision's Resize and CenterCrop round: https://docs.pytorch.org/vision/stable/transforms.html"""
    wide, high = (int(side / model.crop_ratio + 1e-9) for side in (model.width, model.height))
    if wide * height >= high * width:
        high = max(int(height * wide / width), high)
    else:
        wide = max(int(width * high / height), wide)
    left, top = round((wide - model.width) / 2), round((high - model.height) / 2)
    across, down = width / wide, height / high
    right, bottom = min((left + model.width) * across, width), min((top + model.height) * down, height)
    return Framing(
        box=(left * across, top * down, right, bottom),
        width=model.width,
        height=model.height,
        left=0,
        top=0,
        placement=place(model, width, height, wide=wide, high=high, left=-left, top=-top),
    )


def place(model: "ImageInput", width: int, height: int, *, wide: int, high: int, left: int, top: int) -> Placement:
    """The placement of a picture that takes `wide` x `high` pixels, beginning at `left` and `top`."""
    return Placement(
        width=width,
        height=height,
        scale_x=wide / width,
        scale_y=high / height,
        left=float(left),
        top=float(top),
        input_width=model.width,
        input_height=model.height,
    )


def stored(box: Box, orientation: int, width: int, height: int) -> Box:
    """Where a box of the upright picture lies in the picture as it is stored; the size is the upright one's."""
    left, top, right, bottom = box
    if orientation in FLIPPED_X:
        left, right = width - right, width - left
    if orientation in FLIPPED_Y:
        top, bottom = height - bottom, height - top
    return (top, left, bottom, right) if orientation in SWAPPED else (left, top, right, bottom)
