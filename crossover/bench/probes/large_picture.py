"""A JPEG of 12 megapixels: the handler's decoder, which may decode less, and Pillow's full decoding, alternating.

Usage: python large_picture.py BUNDLE PICTURE NOISE CALLS. The picture is enlarged, and gets the noise of a camera,
which an enlarged picture lacks: its standard deviation, of 256 levels. What the model makes of each must be the same.
"""

import io
import json
import sys
import time
from typing import Any

bundle, path, noise, calls = sys.argv[1:]
sys.path.insert(0, bundle)

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

import standard_handler  # noqa: E402

SIZE = (4000, 3000)
QUALITY = 90

model = standard_handler.processor.predictor.model
limits = standard_handler.processor.predictor.limits


def enlarged() -> bytes:
    levels = np.asarray(Image.open(path).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC), np.float32)
    noisy = levels + np.random.default_rng(0).normal(0, float(noise), levels.shape).astype(np.float32)
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def decode() -> Any:
    return model.contract.input.decode(jpeg, limits)


def decode_fully() -> Any:
    picture = Image.open(io.BytesIO(jpeg))
    picture.load()
    return picture


def label(content: bytes) -> str:
    return str(model.predict(model.contract.input.decode(content, limits)).values["label"])


jpeg = enlarged()
file = io.BytesIO()
decode_fully().save(file, "BMP")  # of which nothing can be left out
labels = [label(jpeg), label(file.getvalue())]
if labels[0] != labels[1]:
    raise SystemExit(f"The labels are {labels[0]!r} and, fully decoded, {labels[1]!r}.")

times: dict[str, list[float]] = {"decode": [], "decode_fully": []}
for call in range(-1, int(calls)):
    for function in (decode, decode_fully):
        started = time.perf_counter()
        function()
        if call >= 0:
            times[function.__name__].append((time.perf_counter() - started) * 1000)
print(json.dumps({**times, "bytes": len(jpeg), "label": labels[0]}))
