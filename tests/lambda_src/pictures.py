"""Generated pictures for the tests of images, and the model that they are decoded for."""

import io
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from inference.inputs.image import ImageInput


def model(shape: tuple[int | str | None, ...] = (1, 3, 32, 32), kind: str = "float", **metadata: str) -> ImageInput:
    """A model's input, which its contract must describe without a fault."""
    found, faults = read(shape, kind, **metadata)
    assert faults == []
    assert found is not None
    return found


def read(
    shape: tuple[int | str | None, ...], kind: str = "float", **metadata: str
) -> tuple[ImageInput | None, list[str]]:
    faults: list[str] = []
    tensor = SimpleNamespace(name="pixels", type=f"tensor({kind})", shape=list(shape))
    return ImageInput.read(metadata, [tensor], faults), faults


@cache
def photograph(width: int = 120, height: int = 80, seed: int = 0) -> Image.Image:
    """Structure in all sizes, as real pictures have it, in RGB."""
    random = np.random.default_rng(seed)
    levels = np.full((height, width, 3), 110.0)
    for size in (2, 5, 12, 40):
        noise = Image.fromarray(random.integers(0, 256, (size, size, 3), dtype=np.uint8))
        levels += 0.35 * (np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), float) - 128)
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


def encode(picture: Image.Image, kind: str, **how: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()
