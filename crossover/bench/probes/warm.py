"""Warm calls: the whole handler and the baseline that it must do, alternating in one process.

Usage: python warm.py BUNDLE EVENT AUDIO CALLS. Nothing leaves the process. S3 and DynamoDB are answered in two places:

- `handler`: where the AWS clients are called, so that what is left is the pipeline's own work;
- `handler_with_sdk`: by the hook that botocore calls before it sends, so that the SDK still builds and signs its
  requests and parses the answers.

`baseline` is the least that a handler must do: decode, resample and `session.run`, with the same session and libraries.
"""

import io
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

bundle, event, audio, calls = sys.argv[1:]
sys.path.insert(0, bundle)

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import soxr  # noqa: E402
from botocore.awsrequest import AWSResponse  # noqa: E402

import standard_handler  # noqa: E402

content = Path(audio).read_bytes()
model = standard_handler.processor.predictor.model
rate_needed = model.contract.input.sample_rate  # type: ignore[attr-defined]


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


def baseline() -> None:
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    waveform = mono if rate == rate_needed else soxr.resample(mono, rate, rate_needed)
    model.session.run(["scores"], {"waveform": np.ascontiguousarray(waveform)})


times: dict[str, list[float]] = {"handler": [], "handler_with_sdk": [], "baseline": []}
log, sys.stdout = sys.stdout, io.StringIO()  # the handler's log line is made, but not shown
for call in range(-5, int(calls)):
    for function in (handler, handler_with_sdk, baseline):
        started = time.perf_counter()
        function()
        if call >= 0:
            times[function.__name__].append((time.perf_counter() - started) * 1000)
print(json.dumps(times), file=log, flush=True)
