"""Warm calls: the whole handler and the baseline that it must do, alternating in one process.

Usage: python warm.py BUNDLE EVENT FILE CALLS. Nothing leaves the process. S3 and DynamoDB are answered in two places:

- `handler`: where the AWS clients are called, so that what is left is the pipeline's own work;
- `handler_with_sdk`: by the hook that botocore calls before it sends, so that the SDK still builds and signs its
  requests and parses the answers.

`baseline` is the least that a handler must do, with the same session and the usual library for the kind of input:
decode, resample or resize, and `session.run`. A picture is decoded as a whole, as Pillow does unless asked for less.
"""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

bundle, event, file, calls = sys.argv[1:]
sys.path.insert(0, bundle)

import numpy as np  # noqa: E402
from botocore.awsrequest import AWSResponse  # noqa: E402

import standard_handler  # noqa: E402

content = Path(file).read_bytes()
model = standard_handler.processor.predictor.model
taken: Any = model.contract.input
outputs = list(model.contract.output.names)


class Raw(io.BytesIO):
    """A response body as urllib3 gives it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def answer_s3(request: Any, **_: Any) -> AWSResponse:
    headers = {"Content-Length": str(len(content)), "ETag": '"0"'}
    return AWSResponse(request.url, 200, headers, Raw(content))


def answer_dynamodb(request: Any, **_: Any) -> AWSResponse:
    return AWSResponse(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, Raw(b"{}"))


class S3InProcess:
    def get_object(self, **_: Any) -> dict[str, Raw | int | str]:
        return {"Body": Raw(content), "ContentLength": len(content), "ETag": '"0"'}

    def put_object(self, **_: Any) -> dict[str, str]:
        return {}


class DynamoDbInProcess:
    def put_item(self, **_: Any) -> dict[str, str]:
        return {}


predictor, store = standard_handler.processor.predictor, standard_handler.processor.store
predictor.s3.meta.events.register("before-send.s3", answer_s3)
store.dynamodb.meta.events.register("before-send.dynamodb", answer_dynamodb)
sdk = predictor.s3, store.dynamodb
in_process = S3InProcess(), DynamoDbInProcess()
parsed, context = json.loads(event), SimpleNamespace(aws_request_id="warm")


def handler() -> None:
    predictor.s3, store.dynamodb = in_process
    standard_handler.handler(parsed, context)


def handler_with_sdk() -> None:
    predictor.s3, store.dynamodb = sdk
    standard_handler.handler(parsed, context)


def audio_baseline() -> Callable[[], Any]:
    import soundfile
    import soxr

    shape = [1] * taken.leading + [-1]

    def decoded() -> Any:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
        mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
        waveform = mono if rate == taken.sample_rate else soxr.resample(mono, rate, taken.sample_rate)
        return np.ascontiguousarray(waveform).reshape(shape)

    return decoded


def image_baseline() -> Callable[[], Any]:
    from PIL import Image, ImageOps

    mode = "L" if taken.channels == "GRAY" else "RGB"
    resample = getattr(Image.Resampling, taken.interpolation.upper())
    size = taken.width, taken.height
    mean, std = (np.array(each, np.float32) for each in (taken.mean, taken.std))

    def decoded() -> Any:
        picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert(mode)
        if taken.resize == "crop":
            side = min(picture.width / taken.width, picture.height / taken.height) * taken.crop_ratio
            left, top = (picture.width - side * taken.width) / 2, (picture.height - side * taken.height) / 2
            seen = picture.resize(size, resample, (left, top, left + side * taken.width, top + side * taken.height))
        elif taken.resize == "fit":
            seen = ImageOps.pad(picture, size, resample)
        else:
            seen = picture.resize(size, resample)
        levels = np.asarray(seen, np.float32).reshape(taken.height, taken.width, -1)
        if taken.channels == "BGR":
            levels = levels[..., ::-1]
        values = (levels * np.float32(taken.scale) - mean) / std
        ordered = values if taken.channels_last else values.transpose(2, 0, 1)
        return np.ascontiguousarray(ordered, taken.dtype).reshape(taken.shape)

    return decoded


def tensor_baseline() -> Callable[[], Any]:
    if content.startswith(b"\x93NUMPY"):
        return lambda: np.load(io.BytesIO(content))
    if Path(file).suffix == ".json":
        return lambda: np.array(json.loads(content), taken.inputs[0].dtype)
    raise SystemExit(f"There is no baseline for {Path(file).name}: it must be .npy or .json, for one input.")


BASELINES = {"audio": audio_baseline, "image": image_baseline, "tensor": tensor_baseline}
decode = BASELINES[taken.kind]()
# Its only data input; a graph with states or constants has more.
[name] = [each.name for each in model.session.get_inputs() if each.name not in {**model.states, **model.constants}]


def baseline() -> None:
    model.session.run(outputs, {name: decode(), **model.states, **model.constants})


times: dict[str, list[float]] = {"handler": [], "handler_with_sdk": [], "baseline": []}
log, sys.stdout = sys.stdout, io.StringIO()  # the handler's log line is made, but not shown
for call in range(-5, int(calls)):
    for function in (handler, handler_with_sdk, baseline):
        started = time.perf_counter()
        function()
        if call >= 0:
            times[function.__name__].append((time.perf_counter() - started) * 1000)
print(json.dumps(times), file=log, flush=True)
