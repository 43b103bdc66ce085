"""Behaviour that depends on timing or on a broken predictor, forced: the app is called in this process."""

import asyncio
import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError, ResponseStreamingError

from inference.limits import Limits
from inference.prediction import Prediction, ResultNotStoredError
from sagemaker_container import app as app_module
from sagemaker_container.app import App, Predictors
from sagemaker_container.prediction_queue import PredictionQueue, UnavailableError

PREDICTION = Prediction(
    values={"label": "Speech", "score": 0.9}, model_sha256="ab" * 32, read={"etag": ""}, timings_ms={"decode": 1.0}
)
WHOLE_BODY = {"type": "http.request", "body": b"audio", "more_body": False}
PART_OF_BODY = {"type": "http.request", "body": b"au", "more_body": True}
DISCONNECT = {"type": "http.disconnect"}


def test_a_result_that_cannot_be_stored_is_no_fault_of_the_request() -> None:
    error = ResultNotStoredError("The result could not be stored.")
    error.__cause__ = ClientError({"Error": {"Code": "InvalidBucketName"}}, "PutObject")
    status, answer = app_module._refusal(error)
    assert (status, answer["error_code"]) == (503, "S3_UNAVAILABLE")


class Predictor:
    """A fake LocalPredictor that records its inputs; raises `error` where there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.inputs: list[bytes] = []

    def predict_bytes(self, data: bytes) -> Prediction:
        self.inputs.append(data)
        if self.error:
            raise self.error
        return PREDICTION


def app_with(predictor: Any, *, single: Any = None, workers: int = 1) -> Any:
    app = App(queue=PredictionQueue(workers=workers, max_waiting=4, max_held_bytes=1000), limits=Limits())
    app.predictors = Predictors(single=single or predictor, concurrent=predictor, media_types=("audio/",))
    return app


async def post(app: Any, *messages: dict[str, Any], content_length: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """POST audio whose body arrives as `messages`; after the last one the client stays connected and sends nothing."""
    inbox, sent = list(messages), []

    async def receive() -> dict[str, Any]:
        if not inbox:
            await asyncio.Event().wait()
        message = inbox.pop(0)
        if message.get("more_body"):
            await asyncio.sleep(0)  # other requests run meanwhile
        return message

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/invocations",
        "query_string": b"",
        "headers": [
            (b"content-type", b"audio/wav"),
            *([] if content_length is None else [(b"content-length", content_length)]),
        ],
    }
    await app(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


def test_a_single_request_uses_all_cpus_and_concurrent_requests_one_each() -> None:
    single = Predictor()
    together = threading.Barrier(2, timeout=60)

    class Crowded(Predictor):
        def predict_bytes(self, data: bytes) -> Prediction:
            together.wait()
            return super().predict_bytes(data)

    concurrent = Crowded()

    async def scenario() -> None:
        app = app_with(concurrent, single=single, workers=2)
        await post(app, WHOLE_BODY)
        assert (len(single.inputs), len(concurrent.inputs)) == (1, 0)
        await asyncio.gather(post(app, PART_OF_BODY, WHOLE_BODY), post(app, PART_OF_BODY, WHOLE_BODY))

    asyncio.run(scenario())
    assert (len(single.inputs), len(concurrent.inputs)) == (1, 2)


def test_nothing_is_predicted_for_a_client_that_disconnected_while_waiting(caplog: pytest.LogCaptureFixture) -> None:
    predictor = Predictor()
    caplog.set_level("INFO")

    asyncio.run(post(app_with(predictor), WHOLE_BODY, DISCONNECT))

    assert predictor.inputs == []
    assert json.loads(caplog.messages[-1])["status"] == 499


def test_a_request_whose_body_does_not_arrive_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_with(Predictor())

    async def scenario() -> tuple[int, dict[str, Any]]:
        with monkeypatch.context() as patch:
            patch.setattr(app_module, "MAX_WAIT_SECONDS", 0.0)
            late = await post(app, PART_OF_BODY)
        assert app.queue.occupied == 0
        assert (await post(app, WHOLE_BODY))[0] == 200
        return late

    status, answer = asyncio.run(scenario())
    assert (status, answer["error_code"]) == (503, "REQUEST_TIMEOUT")


def test_a_request_cancelled_at_the_end_of_the_drain_is_answered_503() -> None:
    async def scenario() -> tuple[int, dict[str, Any]]:
        request = asyncio.create_task(post(app_with(Predictor()), PART_OF_BODY))
        await asyncio.sleep(0)  # it is waiting for the rest of its body
        request.cancel()
        return await request

    status, answer = asyncio.run(scenario())
    assert (status, answer["error_code"]) == (503, "STOPPING")


def test_a_request_that_waited_too_long_is_refused_and_not_predicted() -> None:
    async def scenario() -> None:
        queue = PredictionQueue(workers=1, max_waiting=1, max_held_bytes=0)
        now = asyncio.get_running_loop().time()
        async with queue.turn(now + 60):  # runs
            async with queue.turn(now + 60):  # is next
                with pytest.raises(UnavailableError, match="OVERLOADED"):
                    async with queue.turn(now):
                        raise AssertionError("one worker gave three turns at once")
            async with queue.turn(now + 60):
                pass  # the next turn is free again

    asyncio.run(scenario())


def s3_error(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "secret"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetObject")


@pytest.mark.parametrize(
    ("error", "status", "code", "cause"),
    [
        (RuntimeError("secret"), 500, "INTERNAL_ERROR", "UNEXPECTED"),
        (MemoryError("secret"), 500, "INTERNAL_ERROR", "UNEXPECTED"),
        (TimeoutError("secret"), 500, "INTERNAL_ERROR", "UNEXPECTED"),
        (RecursionError("secret"), 500, "INTERNAL_ERROR", "UNEXPECTED"),
        # A reference to a bucket that the endpoint may not read, or a key it may not decrypt with.
        (s3_error("AccessDenied", 403), 500, "INTERNAL_ERROR", "DENIED"),
        (s3_error("SlowDown", 503), 503, "S3_UNAVAILABLE", "THROTTLED"),
        (s3_error("InternalError", 500), 503, "S3_UNAVAILABLE", "SERVICE_ERROR"),
        (s3_error("InvalidArgument", 400), 400, "INVALID_REQUEST", None),
        (ResponseStreamingError(error="secret"), 503, "S3_UNAVAILABLE", "UNREACHABLE"),
        (ReadTimeoutError(endpoint_url="secret"), 503, "S3_UNAVAILABLE", "TIMED_OUT"),
    ],
)
def test_an_error_says_whether_a_retry_may_succeed_without_details(
    error: Exception, status: int, code: str, cause: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    answered, answer = asyncio.run(post(app_with(Predictor(error)), WHOLE_BODY))

    assert (answered, answer["error_code"]) == (status, code)
    assert "secret" not in answer["error_message"]
    assert status == 400 or "secret" in caplog.messages[-1]
    assert json.loads(caplog.messages[-1]).get("cause") == cause


def test_the_log_has_one_line_without_credentials(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    error = RuntimeError("first\u2028second, x-amz-security-token: IQoJb3JpZ2luX2VjEXAMPLE and AKIAIOSFODNN7EXAMPLE")
    error.__cause__ = ValueError("Signature=5d672d79c15b1316")

    asyncio.run(post(app_with(Predictor(error)), WHOLE_BODY))

    (line,) = caplog.messages[-1].splitlines()
    assert "first" in line
    assert not any(secret in line for secret in ("IQoJb3JpZ2luX2VjEXAMPLE", "AKIAIOSFODNN7EXAMPLE", "5d672d79c15b1316"))


@pytest.mark.parametrize("length", [b"many", b"-1", b"1e9", b"", b"\xb2"])
def test_a_content_length_that_is_not_a_number_is_ignored(length: bytes) -> None:
    status, _ = asyncio.run(post(app_with(Predictor()), WHOLE_BODY, content_length=length))

    assert status == 200


@pytest.mark.parametrize("length", [b"999999999999", b"9" * 5_000])
def test_a_content_length_above_the_limit_is_refused_before_reading(length: bytes) -> None:
    predictor = Predictor()

    status, answer = asyncio.run(post(app_with(predictor), WHOLE_BODY, content_length=length))

    assert (status, answer["error_code"]) == (422, "FILE_TOO_LARGE")
    assert predictor.inputs == []
