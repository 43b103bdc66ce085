"""The ASGI app to SageMaker's contract: `GET /ping` and `POST /invocations`.

A request is a file's address in S3 as JSON, or the bytes of an audio file; the answer is a prediction, or
`{"error_code": .., "error_message": ..}`. A 4xx is a verdict on the request, a 5xx says that another try may succeed.
"""

import asyncio
import json
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from inference.errors import InputError
from inference.failures import cause_of, describe
from inference.limits import Limits
from inference.prediction import Prediction
from sagemaker_container.address import MAX_JSON_BYTES, parse_address
from sagemaker_container.asgi import ClientLeftError, Message, Receive, Request, Send, respond
from sagemaker_container.errors import UnavailableError
from sagemaker_container.prediction_queue import PredictionQueue

if TYPE_CHECKING:
    from inference.local_predictor import LocalPredictor

# SageMaker gives up on an invocation after 60 s: what has not begun by now would be computed for nobody.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
MAX_WAIT_SECONDS = 50.0
# How S3 refuses a bucket, key or version id that no object can have.
IMPOSSIBLE_ADDRESS = {"InvalidArgument", "InvalidBucketName", "InvalidURI", "KeyTooLongError"}
ROUTES = {"/ping": ("GET", "HEAD"), "/invocations": ("POST",)}
MAX_LOGGED_PATH = 200
CLIENT_CLOSED_REQUEST = 499  # nginx's number, for the log: there is nobody to send it to

Hold = Callable[[int], None]
Predict = Callable[["LocalPredictor"], Prediction]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Predictors:
    """One model, twice, since a session keeps the number of threads it is made with.

    Attributes:
        alone: for a request that has the machine to itself: as many threads as processors.
        crowded: for requests that share it: one thread each (docs/decisions/0004-container-threads.md).
    """

    alone: "LocalPredictor"
    crowded: "LocalPredictor"


class App:
    """The app; it is ready as soon as it has predictors.

    Args:
        queue: where requests wait for their turn.
        limits: what an input may measure.

    Attributes:
        predictors: None until the model is loaded.
    """

    def __init__(self, *, queue: PredictionQueue, limits: Limits) -> None:
        self.queue = queue
        self.limits = limits
        self.predictors: Predictors | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        methods = ROUTES.get(request.path, ())
        if request.method not in methods:
            await _refuse_route(request, send, methods)
        elif request.path == "/ping":  # not logged: SageMaker asks every few seconds
            await respond(send, 503 if self.predictors is None else 200)
        else:
            await respond(send, *await self._invoke(request))

    async def _invoke(self, request: Request) -> tuple[int, dict[str, Any]]:
        """Predict for one file. Every request leaves one line of JSON in the log, never its content."""
        started = time.perf_counter()
        record: dict[str, Any] = {"event": "invocation"}
        timings: dict[str, float] = {}
        try:
            prediction = await self._predict(request, record)
            status, answer = 200, prediction.to_dict()
            record |= {"label": prediction.label, "score": prediction.score, "audio_seconds": prediction.audio_seconds}
            timings.update(prediction.timings_ms)
        except ClientLeftError:
            status, answer = CLIENT_CLOSED_REQUEST, {}
        except asyncio.CancelledError:  # by uvicorn, when the time to stop in is over
            message = "The server had to stop before the request was done; try again later."
            status, answer = 503, _error("STOPPING", message)
            record |= answer
        except Exception as error:
            status, answer = _refusal(error)
            record |= answer
            if status >= 500:
                record["cause"] = "OVERLOADED" if isinstance(error, UnavailableError) else cause_of(error)
                record["error"] = describe(error)
            if status == 500:
                # Without messages: see describe.
                record["traceback"] = "".join(traceback.format_tb(error.__traceback__))
        timings["total"] = round((time.perf_counter() - started) * 1000, 3)
        log.info(json.dumps({**record, "status": status, "timings_ms": timings}))
        return status, answer

    async def _predict(self, request: Request, record: dict[str, Any]) -> Prediction:
        if self.predictors is None:
            raise UnavailableError("MODEL_LOADING", "The model is being loaded; try again later.")
        deadline = asyncio.get_running_loop().time() + MAX_WAIT_SECONDS
        read = self._reader(request)
        with self.queue.place() as hold:
            try:
                async with asyncio.timeout_at(deadline):
                    predict = await read(request, hold, record)
            except TimeoutError as error:
                message = f"The request's body did not arrive within {MAX_WAIT_SECONDS:g} s."
                raise UnavailableError("REQUEST_TIMEOUT", message) from error
            async with self.queue.turn(deadline):
                if request.has_left():
                    raise ClientLeftError
                predictor = self.predictors.alone if self.queue.occupied == 1 else self.predictors.crowded
                return await self.queue.compute(lambda: predict(predictor))

    def _reader(self, request: Request) -> Callable[[Request, Hold, dict[str, Any]], Awaitable[Predict]]:
        content_type = request.header(b"content-type")
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == "application/json":
            return self._read_address
        if media_type == "application/octet-stream" or media_type.startswith("audio/"):
            return self._read_audio
        raise InputError(
            "UNSUPPORTED_CONTENT_TYPE",
            f"The content type is {content_type[:100]!r}; "
            "application/json, audio/* and application/octet-stream are supported.",
        )

    async def _read_address(self, request: Request, hold: Hold, record: dict[str, Any]) -> Predict:
        too_large = InputError(
            "INVALID_REQUEST", f"The JSON has more than the {MAX_JSON_BYTES:,} bytes that are allowed."
        )
        s3_object = parse_address(await _read_body(request, MAX_JSON_BYTES, too_large, hold))
        record |= {"bucket": s3_object.bucket, "object_key": s3_object.key, "size_bytes": s3_object.size_bytes}
        if s3_object.size_bytes is not None:
            self.limits.check_size(s3_object.size_bytes)
        return lambda predictor: predictor.predict(s3_object)

    async def _read_audio(self, request: Request, hold: Hold, record: dict[str, Any]) -> Predict:
        max_bytes = self.limits.max_bytes
        too_large = InputError("FILE_TOO_LARGE", f"The file has more than the {max_bytes:,} bytes that are allowed.")
        data = await _read_body(request, max_bytes, too_large, hold)
        record["size_bytes"] = len(data)
        return lambda predictor: predictor.predict_bytes(data)


async def _refuse_route(request: Request, send: Send, methods: Sequence[str]) -> None:
    """404 where the path has no methods, or 405 for the wrong one."""
    status = 405 if methods else 404
    log.info(json.dumps({"event": "refusal", "path": request.path[:MAX_LOGGED_PATH], "status": status}))
    answer = _error("NO_SUCH_ROUTE", "There are only GET /ping and POST /invocations.")
    await respond(send, status, answer, [(b"allow", ", ".join(methods).encode())] if methods else [])


async def _read_body(request: Request, max_bytes: int, too_large: InputError, hold: Hold) -> bytes:
    """The whole body; gives up at the first byte too many, or at once where the header announces it."""
    announced = request.header(b"content-length")
    # A header that is no number decides nothing: what really arrives is counted.
    if announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise too_large
    chunks, size, more = [], 0, True
    while more:
        chunk, more = await request.chunk()
        size += len(chunk)
        if size > max_bytes:
            raise too_large
        hold(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def _refusal(error: Exception) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to what went wrong; nothing of an unexpected error is told but that it happened."""
    match error:
        case InputError():
            status = {"UNSUPPORTED_CONTENT_TYPE": 415, "INVALID_REQUEST": 400}.get(error.code, 422)
            return status, _error(error.code, error.message)
        case UnavailableError():
            return 503, _error(error.code, error.message)
        case ParamValidationError():
            return 400, _error("INVALID_REQUEST", "S3 allows no such bucket, key or version id.")
        case ClientError() if error.response["Error"]["Code"] in IMPOSSIBLE_ADDRESS:
            return 400, _error("INVALID_REQUEST", "S3 allows no such bucket, key or version id.")
        case ClientError() if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            return 503, _error("S3_UNAVAILABLE", "S3 could not answer; try again later.")
        case BotoCoreError():
            return 503, _error("S3_UNAVAILABLE", "S3 could not be reached; try again later.")
    return 500, _error("INTERNAL_ERROR", "The prediction failed for a reason that the server's log tells.")


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error_code": code, "error_message": message}
