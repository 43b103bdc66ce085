"""The ASGI app to SageMaker's contract: `GET /ping` and `POST /invocations`.

A request is a file's address in S3 as JSON, or the bytes of an audio file; the answer is a prediction, or
`{"error_code": .., "error_message": ..}`. A 4xx is a verdict on the request, a 5xx says that another try may succeed.
"""

import asyncio
import json
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inference.errors import InputError
from inference.failures import cause_of, describe
from inference.limits import Limits
from inference.prediction import Prediction
from sagemaker_container.address import MAX_JSON_BYTES, parse_address
from sagemaker_container.errors import UnavailableError
from sagemaker_container.prediction_queue import PredictionQueue

if TYPE_CHECKING:
    from inference.local_predictor import LocalPredictor

# SageMaker gives up on an invocation after 60 s: what has not begun by now would be computed for nobody.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
MAX_WAIT_SECONDS = 50.0
# How S3 refuses a bucket, key or version id that no object can have.
IMPOSSIBLE_ADDRESS = {"InvalidArgument", "InvalidBucketName", "InvalidURI", "KeyTooLongError"}
MAX_LOGGED_PATH = 200
CLIENT_CLOSED_REQUEST = 499  # nginx's number, for the log: there is nobody to send it to

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


def create_app(*, queue: PredictionQueue, limits: Limits) -> Starlette:
    """The app; it is ready as soon as its `state.predictors` holds Predictors."""
    app = Starlette(
        routes=[Route("/ping", ping), Route("/invocations", invocations, methods=["POST"])],
        exception_handlers={HTTPException: no_such_route},
    )
    app.state.queue = queue
    app.state.limits = limits
    app.state.predictors = None
    app.router.redirect_slashes = False  # a redirect would be built from whatever Host the client names
    return app


async def ping(request: Request) -> Response:
    """200 once predictions can be made, 503 before. Not logged: SageMaker asks every few seconds."""
    return Response(status_code=503 if request.app.state.predictors is None else 200)


async def invocations(request: Request) -> Response:
    """Predict for one file. Every request leaves one line of JSON in the log, never its content."""
    started = time.perf_counter()
    record: dict[str, Any] = {"event": "invocation"}
    timings: dict[str, float] = {}
    try:
        prediction = await _predict(request, record)
        status, answer = 200, prediction.to_dict()
        record |= {"label": prediction.label, "score": prediction.score, "audio_seconds": prediction.audio_seconds}
        timings.update(prediction.timings_ms)
    except ClientDisconnect:
        status, answer = CLIENT_CLOSED_REQUEST, {}
    except asyncio.CancelledError:  # by uvicorn, when the time to stop in is over
        status, answer = 503, _error("STOPPING", "The server had to stop before the request was done; try again later.")
        record |= answer
    except Exception as error:
        status, answer = _refusal(error)
        record |= answer
        if status >= 500:
            record["cause"] = "OVERLOADED" if isinstance(error, UnavailableError) else cause_of(error)
            record["error"] = describe(error)
        if status == 500:
            record["traceback"] = "".join(traceback.format_tb(error.__traceback__))  # without messages: see describe
    timings["total"] = round((time.perf_counter() - started) * 1000, 3)
    log.info(json.dumps({**record, "status": status, "timings_ms": timings}))
    return JSONResponse(answer, status_code=status)


async def no_such_route(request: Request, error: Exception) -> Response:
    """404, or 405 for the wrong method."""
    assert isinstance(error, HTTPException)
    path = request.scope["path"][:MAX_LOGGED_PATH]  # request.url would parse the client's Host too, which can fail
    log.info(json.dumps({"event": "refusal", "path": path, "status": error.status_code}))
    answer = _error("NO_SUCH_ROUTE", "There are only GET /ping and POST /invocations.")
    return JSONResponse(answer, status_code=error.status_code, headers=error.headers)


async def _predict(request: Request, record: dict[str, Any]) -> Prediction:
    state = request.app.state
    queue: PredictionQueue = state.queue
    predictors: Predictors | None = state.predictors
    if predictors is None:
        raise UnavailableError("MODEL_LOADING", "The model is being loaded; try again later.")
    deadline = asyncio.get_running_loop().time() + MAX_WAIT_SECONDS
    read = _reader(request.headers.get("content-type", ""))
    with queue.place() as hold:
        try:
            async with asyncio.timeout_at(deadline):
                predict = await read(request, hold, record)
        except TimeoutError as error:
            message = f"The request's body did not arrive within {MAX_WAIT_SECONDS:g} s."
            raise UnavailableError("REQUEST_TIMEOUT", message) from error
        async with queue.turn(deadline):
            if _has_left(request):
                raise ClientDisconnect
            predictor = predictors.alone if queue.occupied == 1 else predictors.crowded
            return await queue.compute(lambda: predict(predictor))


def _has_left(request: Request) -> bool:
    """Whether the client has closed the connection; only once the body is read.

    A receive that has to wait has nothing to tell. starlette's is_disconnected says the same, but opens a cancel scope
    for it, which takes as long as a fifth of all else that the event loop does for a request.
    """
    receiving = request.receive().__await__()
    try:
        next(receiving)
    except StopIteration as received:
        return bool(received.value["type"] == "http.disconnect")
    receiving.close()
    return False


Hold = Callable[[int], None]
Predict = Callable[["LocalPredictor"], Prediction]


def _reader(content_type: str) -> Callable[[Request, Hold, dict[str, Any]], Awaitable[Predict]]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json":
        return _read_address
    if media_type == "application/octet-stream" or media_type.startswith("audio/"):
        return _read_audio
    raise InputError(
        "UNSUPPORTED_CONTENT_TYPE",
        f"The content type is {content_type[:100]!r}; "
        "application/json, audio/* and application/octet-stream are supported.",
    )


async def _read_address(request: Request, hold: Hold, record: dict[str, Any]) -> Predict:
    too_large = InputError("INVALID_REQUEST", f"The JSON has more than the {MAX_JSON_BYTES:,} bytes that are allowed.")
    s3_object = parse_address(await _read_body(request, MAX_JSON_BYTES, too_large, hold))
    record |= {"bucket": s3_object.bucket, "object_key": s3_object.key, "size_bytes": s3_object.size_bytes}
    if s3_object.size_bytes is not None:
        request.app.state.limits.check_size(s3_object.size_bytes)
    return lambda predictor: predictor.predict(s3_object)


async def _read_audio(request: Request, hold: Hold, record: dict[str, Any]) -> Predict:
    max_bytes = request.app.state.limits.max_bytes
    too_large = InputError("FILE_TOO_LARGE", f"The file has more than the {max_bytes:,} bytes that are allowed.")
    data = await _read_body(request, max_bytes, too_large, hold)
    record["size_bytes"] = len(data)
    return lambda predictor: predictor.predict_bytes(data)


async def _read_body(request: Request, max_bytes: int, too_large: InputError, hold: Hold) -> bytes:
    """The whole body; gives up at the first byte too many, or at once where the header announces it."""
    announced = request.headers.get("content-length", "")
    # A header that is no number decides nothing: what really arrives is counted.
    if announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
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
