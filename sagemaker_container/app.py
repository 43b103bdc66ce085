"""The ASGI app to SageMaker's contract: `GET /ping` and `POST /invocations`.

A request is an S3 object reference as JSON, or the bytes of a file of the model's kind, or `{"sample": true}` for a
sample of that kind; the answer is a prediction, or `{"error_code": .., "error_message": ..}`. Where an object was read,
both tell its `etag`, `size_bytes`, `version_id` and `uploaded_at`, and `model_sha256`. After a 4xx no retry can
succeed; after a 5xx one may.
"""

import asyncio
import json
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inference.failures import cause_of, describe
from inference.input_error import InputError
from inference.limits import Limits
from inference.prediction import Prediction, ResultNotStoredError
from sagemaker_container.object_reference import MAX_JSON_BYTES, is_sample_request, parse_object_reference
from sagemaker_container.prediction_queue import PredictionQueue, UnavailableError

if TYPE_CHECKING:
    from inference.local_predictor import LocalPredictor

# SageMaker gives up on an invocation after 60 s: the result of a prediction that starts later would not be used.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
MAX_WAIT_SECONDS = 50.0
# How S3 refuses a bucket, key or version id that no object can have.
INVALID_REFERENCE_CODES = {"InvalidArgument", "InvalidBucketName", "InvalidURI", "KeyTooLongError"}
MAX_LOGGED_PATH = 200
CLIENT_CLOSED_REQUEST = 499  # nginx's code, for the log only: no client is left to receive it

Hold = Callable[[int], None]
Predict = Callable[["LocalPredictor"], Prediction]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Predictors:
    """One model in two sessions, since a session keeps the number of threads that it is created with.

    Attributes:
        single: for a request that runs alone: as many threads as CPUs.
        concurrent: for concurrent requests: one thread each (docs/decisions/0004-container-threads.md).
        media_types: how those of the model's kind of input begin.
    """

    single: "LocalPredictor"
    concurrent: "LocalPredictor"
    media_types: tuple[str, ...]


class App(Starlette):
    """The app; it is ready as soon as it has predictors.

    Args:
        queue: where requests wait for their turn.
        limits: the maximum size of an input.

    Attributes:
        predictors: None until the model is loaded.
    """

    def __init__(self, *, queue: PredictionQueue, limits: Limits) -> None:
        super().__init__(
            routes=[
                Route("/ping", self._ping, methods=["GET"]),
                Route("/invocations", self._invocations, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _refuse_route},
        )
        self.router.redirect_slashes = False  # it would redirect to the host that the client names
        self.queue = queue
        self.limits = limits
        self.predictors: Predictors | None = None

    async def _ping(self, request: Request) -> Response:
        return Response(status_code=503 if self.predictors is None else 200)  # not logged: it comes every few seconds

    async def _invocations(self, request: Request) -> Response:
        status, answer = await self._invoke(request)
        return JSONResponse(answer, status)

    async def _invoke(self, request: Request) -> tuple[int, dict[str, Any]]:
        """Predict for one file. Every request logs one line of JSON, never its content."""
        started = time.perf_counter()
        record: dict[str, Any] = {"event": "invocation"}
        timings: dict[str, float] = {}
        try:
            prediction = await self._predict(request, record)
            status, answer = 200, prediction.to_dict()
            record |= {name: value for name, value in prediction.values.items() if isinstance(value, str | int | float)}
            timings.update(prediction.timings_ms)
        except ClientDisconnect:
            status, answer = CLIENT_CLOSED_REQUEST, {}
        except asyncio.CancelledError:  # by uvicorn, when the time for a graceful stop is over
            message = "The server stopped before the request was done; try again later."
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
        read = self._reader(request, self.predictors.media_types)
        with self.queue.place() as hold:
            try:
                async with asyncio.timeout_at(deadline):
                    predict = await read(request, hold, record)
            except TimeoutError as error:
                message = f"The request's body did not arrive within {MAX_WAIT_SECONDS:g} s."
                raise UnavailableError("REQUEST_TIMEOUT", message) from error
            async with self.queue.turn(deadline):
                if await request.is_disconnected():
                    raise ClientDisconnect
                predictor = self.predictors.single if self.queue.occupied == 1 else self.predictors.concurrent
                return await self.queue.compute(lambda: predict(predictor))

    def _reader(
        self, request: Request, media_types: tuple[str, ...]
    ) -> Callable[[Request, Hold, dict[str, Any]], Awaitable[Predict]]:
        content_type = request.headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == "application/json":
            return self._read_json
        if media_type == "application/octet-stream" or media_type.startswith(media_types):
            return self._read_file
        known = ", ".join(f"{each}*" if each.endswith("/") else each for each in ("application/json", *media_types))
        raise InputError(
            "UNSUPPORTED_CONTENT_TYPE",
            f"The content type is {content_type[:100]!r}; {known} and application/octet-stream are supported.",
        )

    async def _read_json(self, request: Request, hold: Hold, record: dict[str, Any]) -> Predict:
        too_large = InputError("INVALID_REQUEST", f"The JSON has more than {MAX_JSON_BYTES:,} bytes, the maximum.")
        body = await _read_body(request, MAX_JSON_BYTES, too_large, hold)
        if is_sample_request(body):
            return lambda predictor: predictor.prime()
        s3_object = parse_object_reference(body)
        record |= {"bucket": s3_object.bucket, "object_key": s3_object.key, "size_bytes": s3_object.size_bytes}
        if s3_object.size_bytes is not None:
            self.limits.check_size(s3_object.size_bytes)
        return lambda predictor: predictor.predict(s3_object)

    async def _read_file(self, request: Request, hold: Hold, record: dict[str, Any]) -> Predict:
        max_bytes = self.limits.max_bytes
        too_large = InputError("FILE_TOO_LARGE", f"The file has more than {max_bytes:,} bytes, the maximum.")
        data = await _read_body(request, max_bytes, too_large, hold)
        record["size_bytes"] = len(data)
        return lambda predictor: predictor.predict_bytes(data)


async def _refuse_route(request: Request, error: Exception) -> Response:
    """404 for an unknown path, 405 for the wrong method."""
    assert isinstance(error, HTTPException)
    path = request.scope["path"][:MAX_LOGGED_PATH]
    log.info(json.dumps({"event": "refusal", "path": path, "status": error.status_code}))
    answer = _error("NO_SUCH_ROUTE", "There are only GET /ping and POST /invocations.")
    return JSONResponse(answer, error.status_code, error.headers)


async def _read_body(request: Request, max_bytes: int, too_large: InputError, hold: Hold) -> bytes:
    """The whole body; stops at the first byte too many, or at once where the header declares too many."""
    declared = request.headers.get("content-length", "")
    # A header that is not a number is ignored: the bytes that arrive are counted.
    if declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise too_large
    chunks, size = [], 0
    async with aclosing(request.stream()) as stream:
        async for chunk in stream:
            size += len(chunk)
            if size > max_bytes:
                raise too_large
            hold(len(chunk))
            chunks.append(chunk)
    return b"".join(chunks)


def _refusal(error: Exception) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to an error; an unexpected error's details are not included."""
    match error:
        case InputError():
            status = {"UNSUPPORTED_CONTENT_TYPE": 415, "INVALID_REQUEST": 400}.get(error.code, 422)
            read = {**error.read, "model_sha256": error.model_sha256} if error.read else {}
            return status, {**_error(error.code, error.message), **read}
        case UnavailableError():
            return 503, _error(error.code, error.message)
        case ParamValidationError():
            return 400, _error("INVALID_REQUEST", "S3 does not allow such a bucket, key or version id.")
        case ResultNotStoredError():
            return 503, _error("S3_UNAVAILABLE", "The result could not be stored in S3; try again later.")
        case ClientError() if error.response["Error"]["Code"] in INVALID_REFERENCE_CODES:
            return 400, _error("INVALID_REQUEST", "S3 does not allow such a bucket, key or version id.")
        case ClientError() if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            return 503, _error("S3_UNAVAILABLE", "S3 could not answer; try again later.")
        case BotoCoreError():
            return 503, _error("S3_UNAVAILABLE", "S3 could not be reached; try again later.")
    return 500, _error("INTERNAL_ERROR", "The prediction failed; the server's log has the reason.")


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error_code": code, "error_message": message}
