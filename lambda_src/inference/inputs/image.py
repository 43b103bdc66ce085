"""Pictures: resized to the model's size, as levels that are scaled and normalised."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..kinds import Decoded, Placement, Tensor, Trial
from ..limits import Limits, limit
from ..shapes import DTYPES, describe, is_batch, shorten

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESIZES = ("squash", "fit", "crop")
INTERPOLATIONS = ("bilinear", "bicubic", "nearest", "lanczos", "box")
CHANNELS = {"RGB": 3, "BGR": 3, "GRAY": 1}
LAYOUTS = ("NCHW", "NHWC")
TYPES = tuple(name for name in DTYPES if name not in ("tensor(bool)", "tensor(string)"))
MAX_SIDE = 8192
"""Of the model's input, pixels."""
LEVELS = 256
MIN_DISTINCT = 16
"""Of the 256 levels that must stay different in the graph's type."""
MIN_SPAN = 1 / 20
"""Between black and white as the model gets them. ImageNet's usual values make 4.4; a std of levels from 0 to 255 for
levels from 0 to 1 makes 0.02."""
MIN_STD = 0.7
"""Of a model with a mean, in steps of one level: no pictures vary by less. A std that makes whole numbers of levels is
about 1."""
SIZE = re.compile(r"([1-9][0-9]{0,4})(?:x([1-9][0-9]{0,4}))?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ImageLimits(Limits):
    """The limits of a picture.

    Attributes:
        max_pixels: its width times its height, as its header declares them. Every camera of a phone in its usual mode
            is below; decoding takes up to 16 bytes for a pixel, so 1 GB (docs/decisions/0017-images-by-pillow.md).
    """

    max_pixels: int = limit(64_000_000, "MAX_PIXELS")


@dataclass(frozen=True, kw_only=True)
class ImageInput:
    """A model that takes one picture.

    A picture is made upright (EXIF), laid on white where it is transparent, and resized; then each level, from 0 to
    255, becomes `(level * scale - mean) / std`.

    Attributes:
        name: of the graph's input.
        dtype: of it, NumPy's name.
        shape: of it, with a batch of 1.
        channels_last: whether the channels are its last dimension.
        width, height: of the model's pictures, pixels.
        resize: `squash` stretches the picture to the size; `fit` keeps its proportions and pads; `crop` makes the
            shorter side the size divided by `crop_ratio` and cuts out the centre.
        crop_ratio: 0.875 for torchvision's Resize(256) and CenterCrop(224).
        interpolation: `bilinear`, `bicubic`, `nearest`, `lanczos` or `box`, as Pillow does it.
        pad: the level around a picture that is fitted, 0 to 255.
        channels: `RGB`, `BGR` or `GRAY`.
        scale: 1/255 by default; 1 where the graph takes integers.
        mean, std: for each channel in the graph's order, in units of the scaled level.
    """

    kind: ClassVar[str] = "image"
    fields: ClassVar[tuple[str, ...]] = (
        *("size", "resize", "crop_ratio", "interpolation", "pad", "layout", "channels", "scale", "mean", "std"),
    )
    suffixes: ClassVar[tuple[str, ...]] = (
        *(".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp"),
    )
    media_types: ClassVar[tuple[str, ...]] = ("image/",)
    packages: ClassVar[tuple[str, ...]] = ("PIL",)
    limits: ClassVar[type[Limits]] = ImageLimits

    name: str
    dtype: str
    shape: tuple[int, ...]
    channels_last: bool
    width: int
    height: int
    resize: str = "squash"
    crop_ratio: float = 1.0
    interpolation: str = "bilinear"
    pad: int = 0
    channels: str = "RGB"
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    @classmethod
    def read(cls, metadata: Mapping[str, str], inputs: Sequence[Tensor], faults: list[str]) -> Self | None:
        fields = _Reader(metadata, inputs, faults).read()
        if fields is None:
            return None
        found = cls(**fields)
        fault = found._levels_fault()
        if fault:
            faults.append(fault)
        return None if fault else found

    @staticmethod
    def prepare() -> None:
        from .image_formats import decoding

        decoding.prepare()

    def decode(self, data: bytes, limits: ImageLimits) -> Decoded:
        """Decode and normalise; the facts are `width` and `height` of the upright picture, pixels.

        Raises:
            InputError: EMPTY_FILE, UNSUPPORTED_FORMAT, CORRUPT_IMAGE, IMAGE_TOO_LARGE or SEVERAL_PICTURES.
        """
        from .image_formats.decoding import decode

        levels, placement = decode(data, self, limits)
        return self._decoded(levels, placement)

    def samples(self) -> Sequence[bytes]:
        """A PNG and a JPEG of 16 x 16 pixels."""
        from .image_formats.samples import JPEG, png

        return JPEG, png()

    def trials(self) -> Iterator[Trial]:
        import numpy as np

        shape = (self.height, self.width, CHANNELS[self.channels])
        noise = np.random.default_rng(0).integers(0, LEVELS, shape, dtype=np.uint8)
        yield Trial(what="a picture of noise", decoded=self._decoded(noise), usual=True)
        for what, levels in (("black", (0,)), ("white", (255,)), ("one colour", (200, 120, 40))):
            plain = np.broadcast_to(np.array(levels[: shape[2]], np.uint8), shape)
            yield Trial(what=f"a picture of {what}", decoded=self._decoded(plain), usual=False)

    def _decoded(self, levels: "NDArray[np.uint8]", placement: Placement | None = None) -> Decoded:
        """What the graph takes, of levels [height, width, channels] in the graph's order of channels."""
        import numpy as np

        height, width, count = levels.shape
        values = np.empty((height, width, count) if self.channels_last else (count, height, width), self.dtype)
        for channel in range(count):
            target = values[..., channel] if self.channels_last else values[channel]
            target[...] = self._table[channel][levels[..., channel]]
        if placement is None:
            from .image_formats.framing import place

            placement = place(self, width, height, wide=width, high=height, left=0, top=0)
        return Decoded(
            feeds=[{self.name: values.reshape(self.shape)}],
            facts={"width": placement.width, "height": placement.height},
            placement=placement,
        )

    @cached_property
    def _table(self) -> "NDArray[Any]":
        """The value of each level, [channels, 256] in the graph's type: so each rounds once, whatever the type."""
        import numpy as np

        values = np.array([self._values(channel) for channel in range(CHANNELS[self.channels])])
        return (values if self.dtype.startswith("float") else values.round()).astype(self.dtype)

    def _values(self, channel: int) -> list[float]:
        mean, std = (each[channel % len(each)] for each in (self.mean, self.std))
        return [(level * self.scale - mean) / std for level in range(LEVELS)]

    def _levels_fault(self) -> str | None:
        """Why the levels that it makes cannot be those the model was trained on; None where they may be."""
        import numpy as np

        fields = "its scale, mean and std"
        values = np.array([self._values(channel) for channel in range(CHANNELS[self.channels])])
        bounds: np.finfo[Any] | np.iinfo[Any]
        bounds = np.finfo(self.dtype) if self.dtype.startswith("float") else np.iinfo(self.dtype)
        ends = values if self.dtype.startswith("float") else values.round()
        least, most = float(ends.min()), float(ends.max())
        if not (least >= float(bounds.min) and most <= float(bounds.max)):  # NaN is neither
            return f"{fields} make levels of {least:g} to {most:g}, but its input is {self.dtype}"
        distinct = min(len(set(each.tolist())) for each in self._table)
        if distinct < MIN_DISTINCT:
            made = f"{distinct} values of {LEVELS} levels in {self.dtype}"
            return f"{fields} make {made}, but must make {MIN_DISTINCT} or more"
        if not self.dtype.startswith("float"):
            return None
        span = (LEVELS - 1) * abs(self.scale)
        low = min(0.0, (LEVELS - 1) * self.scale)
        scaled = f"its scale makes levels of {low:g} to {low + span:g}"
        for mean in self.mean:
            if not low - span <= mean <= low + 2 * span:
                return f"{scaled}, but its mean is {mean:g}; both must be in the same unit"
        for channel in range(CHANNELS[self.channels]):
            mean, std = (each[channel % len(each)] for each in (self.mean, self.std))
            if span / abs(std) < MIN_SPAN or (mean and abs(std) < MIN_STD * abs(self.scale)):
                return f"{scaled}, but its std is {std:g}; both must be in the same unit"
        return None


class _Reader:
    """Reads the contract and collects its faults."""

    def __init__(self, metadata: Mapping[str, str], inputs: Sequence[Tensor], faults: list[str]) -> None:
        self.metadata = metadata
        self.inputs = inputs
        self.faults = faults

    def read(self) -> dict[str, Any] | None:
        """The fields of an ImageInput; None where there are faults."""
        before = len(self.faults)
        resize = self._choice("resize", RESIZES)
        interpolation = self._choice("interpolation", INTERPOLATIONS)
        crop_ratio = self._number("crop_ratio", 1.0, "a number above 0, at most 1", lambda value: 0 < value <= 1)
        pad = self._number("pad", 0.0, "a whole number from 0 to 255", lambda value: value in range(LEVELS))
        for field, needed in (("crop_ratio", "crop"), ("pad", "fit")):
            if self.metadata.get(field) and resize != needed:
                self.faults.append(f"its {field} is given, but has a meaning only where its resize is {needed!r}")
        shape = self._shape()
        if shape is None:
            return None
        channels = self._channels(shape)
        height, width = self._size(shape)
        count = CHANNELS[channels]
        dtype = DTYPES[self.inputs[0].type]
        integer = not dtype.startswith("float")
        scale = self._number("scale", 1.0 if integer else 1 / 255, "a number but 0, or such as 1/255", bool)
        mean = self._numbers("mean", 0.0, count)
        std = self._numbers("std", 1.0, count)
        if not all(std):
            self.faults.append(f"its std is {shorten(repr(self.metadata['std']))}, but must not be 0")
        if len(self.faults) > before:
            return None
        return {
            "name": self.inputs[0].name,
            "dtype": dtype,
            "shape": (1,) * (len(self.inputs[0].shape) - len(shape.dimensions)) + shape.filled(height, width, count),
            "channels_last": shape.channels_last,
            "width": width,
            "height": height,
            "resize": resize,
            "crop_ratio": crop_ratio,
            "interpolation": interpolation,
            "pad": int(pad),
            "channels": channels,
            "scale": scale,
            "mean": mean,
            "std": std,
        }

    def _shape(self) -> "_Shape | None":
        """The dimensions of the picture in the graph's input; None where it takes none."""
        layout = self.metadata.get("layout", "")
        if layout and layout not in LAYOUTS:
            self.faults.append(f"its layout is {shorten(repr(layout))}, but must be {_or(LAYOUTS)}")
            return None
        sizes = self.inputs[0].shape if len(self.inputs) == 1 and self.inputs[0].type in TYPES else ()
        dimensions = tuple(size if isinstance(size, int) and size > 0 else None for size in sizes[-3:])
        if len(dimensions) < 2 or not all(map(is_batch, sizes[:-3])):
            self.faults.append(
                f"its input is {describe(self.inputs)}, but must be one picture of numbers: [height, width], or "
                "[3, height, width] or [height, width, 3], before them only dimensions of 1 or open"
            )
            return None
        if len(dimensions) == 2:
            return _Shape(dimensions, None)
        batch, *size = dimensions
        if len(sizes) == 3 and not layout and batch is None and not {None, *CHANNELS.values()} & set(size):
            return _Shape(tuple(size), None)
        first, last = (dimensions[place] in CHANNELS.values() for place in (0, 2))
        if None not in dimensions and not layout and not first and not last:
            self.faults.append(f"its input is {describe(self.inputs)}, but must have 1 or 3 channels")
            return None
        if not layout and first == last:
            first, last = dimensions[2] is not None, dimensions[0] is not None
        if not layout and first == last:
            self.faults.append(
                f"its layout is not declared, but must be {_or(LAYOUTS)}, since {describe(self.inputs)} leaves it open"
            )
            return None
        return _Shape(dimensions, 2 if layout == "NHWC" or (not layout and last) else 0)

    def _channels(self, shape: "_Shape") -> str:
        declared, count = self.metadata.get("channels", ""), shape.count
        usual = "GRAY" if count == 1 else "RGB"
        if declared and declared not in CHANNELS:
            self.faults.append(f"its channels are {shorten(repr(declared))}, but must be {_or(CHANNELS)}")
        elif count not in (None, *CHANNELS.values()):
            self.faults.append(f"its input has {count} channels ({describe(self.inputs)}), but must have 1 or 3")
        elif declared and count not in (None, CHANNELS[declared]):
            self.faults.append(f"its channels are {declared!r}, but its input has {count} ({describe(self.inputs)})")
        elif declared:
            return declared
        return usual

    def _size(self, shape: "_Shape") -> tuple[int, int]:
        """Height and width; 1 where they are faulty."""
        text = self.metadata.get("size", "")
        match = SIZE.fullmatch(text)
        if text and not match:
            self.faults.append(f"its size is {shorten(repr(text))}, but must be such as '224' or '480x640'")
            return 1, 1
        declared = (int(match[1]), int(match[2] or match[1])) if match else (None, None)
        height, width = (own or other for own, other in zip(shape.size, declared, strict=True))
        if not height or not width:
            self.faults.append(
                f"its size is not declared, but must be such as '224' or '480x640' (height x width), since "
                f"{describe(self.inputs)} leaves it open"
            )
        elif match and (height, width) != declared:
            self.faults.append(f"its size is {text!r}, but its input has {height}x{width} ({describe(self.inputs)})")
        elif max(height, width) > MAX_SIDE:
            self.faults.append(f"its size is {height}x{width}, but must be at most {MAX_SIDE} on each side")
        else:
            return height, width
        return 1, 1

    def _choice(self, field: str, choices: Sequence[str]) -> str:
        """One of the choices, the first of which is the default."""
        value = self.metadata.get(field) or choices[0]
        if value not in choices:
            self.faults.append(f"its {field} is {shorten(repr(value))}, but must be {_or(choices)}")
            return choices[0]
        return value

    def _number(self, field: str, default: float, allowed: str, fits: Any) -> float:
        text = self.metadata.get(field, "")
        value = _number(text) if text else default
        if value is None or not fits(value):
            self.faults.append(f"its {field} is {shorten(repr(text))}, but must be {allowed}")
            return default
        return value

    def _numbers(self, field: str, default: float, count: int) -> tuple[float, ...]:
        """One number, or one for each channel."""
        text = self.metadata.get(field, "")
        values = [_number(part.strip()) for part in text.strip().strip("[]").split(",")] if text else [default]
        if None in values or len(values) not in (1, count):
            many = f" or {count}" if count > 1 else ""
            self.faults.append(f"its {field} is {shorten(repr(text))}, but must be 1{many} numbers, with commas")
            return (default,)
        return tuple(value for value in values if value is not None)


@dataclass(frozen=True)
class _Shape:
    """The last dimensions of an input, None where they are open, and which of them is that of the channels."""

    dimensions: tuple[int | None, ...]
    channel: int | None

    @property
    def channels_last(self) -> bool:
        return self.channel == 2

    @property
    def count(self) -> int | None:
        """Of channels, as far as the graph tells."""
        return 1 if self.channel is None else self.dimensions[self.channel]

    @property
    def size(self) -> tuple[int | None, ...]:
        """Height and width."""
        return tuple(size for place, size in enumerate(self.dimensions) if place != self.channel)

    def filled(self, height: int, width: int, count: int) -> tuple[int, ...]:
        if self.channel is None:
            return height, width
        return (height, width, count) if self.channels_last else (count, height, width)


def _number(text: str) -> float | None:
    """A finite number, also as a fraction such as 1/255."""
    above, slash, below = text.partition("/")
    try:
        value = float(above) / (float(below) if slash else 1.0)
    except (ValueError, ZeroDivisionError):
        return None
    return value if abs(value) < float("inf") else None


def _or(choices: Sequence[str] | Mapping[str, int]) -> str:
    *others, last = map(repr, choices)
    return f"{', '.join(others)} or {last}"
