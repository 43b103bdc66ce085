"""What the tests of kinds of output need of a graph and a picture."""

from types import SimpleNamespace
from typing import Any

from inference.kinds import Decoded, Placement


def tensor(name: str, shape: list[Any], dtype: str = "float") -> Any:
    return SimpleNamespace(name=name, type=dtype if "(" in dtype else f"tensor({dtype})", shape=shape)


def picture(width: int, height: int, input_size: int, resize: str = "squash") -> Decoded:
    """A picture as it lies in a square input: stretched, within a margin, or with its ends cut off."""
    scale_x, scale_y = input_size / width, input_size / height
    if resize != "squash":
        scale_x = scale_y = (min if resize == "fit" else max)(scale_x, scale_y)
    placement = Placement(
        width=width,
        height=height,
        scale_x=scale_x,
        scale_y=scale_y,
        left=(input_size - width * scale_x) / 2,
        top=(input_size - height * scale_y) / 2,
        input_width=input_size,
        input_height=input_size,
    )
    return Decoded(feeds=[{}], facts={"width": width, "height": height}, placement=placement)
