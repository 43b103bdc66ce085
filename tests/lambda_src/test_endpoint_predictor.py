"""What SageMaker can answer, through botocore's Stubber and, where the connection matters, on loopback."""

import io
import json
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from inference import clients
from inference.endpoint_predictor import MAX_RETRYING_SECONDS, EndpointPredictor
from inference.input_error import InputError
from inference.prediction import InvalidPredictionError
from inference.s3_events import S3Object

from .conftest import ENDPOINT_ANSWER
from .faulty_aws import Answer, FaultyAws, breaks_off, hangs, json_error, resets, says, stalls

UPLOAD = S3Object(bucket="uploads", key="a b.wav", version_id="v1", size_bytes=42)
REQUEST = {
    "EndpointName": "endpoint",
    "ContentType": "application/json",
    "Body": json.dumps({"bucket": "uploads", "key": "a b.wav", "version_id": "v1", "size_bytes": 42}).encode(),
}


class Time:
    """A clock that only sleeping and the test itself advance."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def sagemaker(aws: SimpleNamespace) -> Iterator[SimpleNamespace]:
    runtime, time = clients.create_client("sagemaker-runtime"), Time()
    predictor = EndpointPredictor(runtime=runtime, endpoint_name="endpoint", sleep=time.sleep, clock=time.clock)
    with Stubber(runtime) as stubber:
        yield SimpleNamespace(stubber=stubber, predictor=predictor, time=time)
        stubber.assert_no_pending_responses()


def answer(body: bytes) -> dict[str, Any]:
    return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentType": "application/json"}


GOOD_ANSWER = json.dumps(ENDPOINT_ANSWER).encode()


def model_error(status: int, message: str) -> dict[str, Any]:
    return {
        "service_error_code": "ModelError",
        "http_status_code": 424,
        "modeled_fields": {"OriginalStatusCode": status, "OriginalMessage": message, "LogStreamArn": "arn:aws:logs:x"},
    }


def test_the_object_reference_is_sent_and_the_prediction_returned(sagemaker: SimpleNamespace) -> None:
    sagemaker.stubber.add_response("invoke_endpoint", answer(GOOD_ANSWER), REQUEST)
    prediction = sagemaker.predictor.predict(UPLOAD)
    assert (prediction.values["label"], prediction.values["score"], prediction.read["etag"]) == ("Speech", 0.99, "e")
    assert sagemaker.time.slept == []


def test_the_containers_refusal_is_final(sagemaker: SimpleNamespace) -> None:
    reason = {"error_code": "CORRUPT_AUDIO", "error_message": "The audio cannot be decoded."}
    for read, sha256 in (({"etag": "e", "size_bytes": 5}, {"model_sha256": "ab"}), ({}, {})):
        answered = json.dumps({**reason, **read, **sha256})
        sagemaker.stubber.add_client_error("invoke_endpoint", **model_error(422, answered))
        with pytest.raises(InputError) as caught:
            sagemaker.predictor.predict(UPLOAD)
        assert (caught.value.code, caught.value.message) == ("CORRUPT_AUDIO", "The audio cannot be decoded.")
        assert (caught.value.read, caught.value.model_sha256) == (read, sha256.get("model_sha256", ""))


TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
OVERLOADED = model_error(503, json.dumps({"error_code": "OVERLOADED", "error_message": "Try later."}))
TRANSIENT = [
    OVERLOADED,
    model_error(503, json.dumps({"error_code": "MODEL_LOADING", "error_message": "Try later."})),
    model_error(503, "upstream has no place"),
    model_error(429, json.dumps({"error_code": "BUSY", "error_message": "Try later."})),
    {"service_error_code": "ThrottlingException", "http_status_code": 400},
    {"service_error_code": "ModelNotReadyException", "http_status_code": 429},
    {"service_error_code": "ServiceUnavailable", "http_status_code": 503},
    {"service_error_code": "InternalFailure", "http_status_code": 500},
    {"service_error_code": "InternalDependencyException", "http_status_code": 530},
]
DOES_NOT = [
    model_error(0, TIMED_OUT),
    model_error(500, "Internal Server Error"),
    model_error(502, "Bad Gateway"),
    model_error(504, "Gateway Time-out"),
    model_error(404, "<html>Not Found</html>"),
    model_error(400, "[]"),
    model_error(400, "[" * 100_000),
    model_error(422, json.dumps({"error_code": 7, "error_message": "x"})),
    {"service_error_code": "ValidationError", "http_status_code": 400},
    {"service_error_code": "AccessDeniedException", "http_status_code": 403},
]


def name(error: dict[str, Any]) -> str:
    fields = error.get("modeled_fields", {})
    return (
        f"{error['service_error_code']}-{fields.get('OriginalStatusCode', '')}-{fields.get('OriginalMessage', '')[:20]}"
    )


@pytest.mark.parametrize("error", TRANSIENT, ids=name)
def test_a_quick_refusal_is_retried_in_the_same_invocation(sagemaker: SimpleNamespace, error: dict[str, Any]) -> None:
    sagemaker.stubber.add_client_error("invoke_endpoint", **error, expected_params=REQUEST)
    sagemaker.stubber.add_client_error("invoke_endpoint", **error, expected_params=REQUEST)
    sagemaker.stubber.add_response("invoke_endpoint", answer(GOOD_ANSWER), REQUEST)
    assert sagemaker.predictor.predict(UPLOAD).values["label"] == "Speech"
    assert len(sagemaker.time.slept) == 2


@pytest.mark.parametrize("error", DOES_NOT, ids=name)
def test_any_other_error_is_left_to_the_events_retry(sagemaker: SimpleNamespace, error: dict[str, Any]) -> None:
    sagemaker.stubber.add_client_error("invoke_endpoint", **error)
    with pytest.raises(ClientError):
        sagemaker.predictor.predict(UPLOAD)
    assert sagemaker.time.slept == []


def test_a_lasting_refusal_is_raised_before_the_time_for_a_last_attempt_is_over(
    sagemaker: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: most)  # the longest delays: 1 + 2 + 4 + 8 s, then 8 more
    for _ in range(5):
        sagemaker.stubber.add_client_error("invoke_endpoint", **OVERLOADED)
    with pytest.raises(ClientError, match="ModelError"):
        sagemaker.predictor.predict(UPLOAD)
    assert sagemaker.time.slept == [1, 2, 4, 8]
    assert sum(sagemaker.time.slept) <= MAX_RETRYING_SECONDS


def test_proxies_that_were_refused_together_do_not_retry_together(sagemaker: SimpleNamespace) -> None:
    ceilings = [1.0, 2.0, 4.0]
    observed = []
    for _ in range(20):
        for _ in ceilings:
            sagemaker.stubber.add_client_error("invoke_endpoint", **OVERLOADED)
        sagemaker.stubber.add_response("invoke_endpoint", answer(GOOD_ANSWER))
        sagemaker.time.slept.clear()
        sagemaker.predictor.predict(UPLOAD)
        observed.append(list(sagemaker.time.slept))
    for delays, ceiling in zip(zip(*observed, strict=True), ceilings, strict=True):
        assert all(0 <= delay <= ceiling for delay in delays)
        assert len(set(delays)) == 20
        assert min(delays) < ceiling / 2 < max(delays)


def test_a_slow_refusal_is_not_retried(sagemaker: SimpleNamespace) -> None:
    def refuse_late(**_: Any) -> None:
        sagemaker.time.now += 50  # the container gives up waiting for a turn after so long
        raise ClientError({"Error": {"Code": "ModelError"}, "OriginalStatusCode": 503}, "InvokeEndpoint")

    sagemaker.predictor.runtime = SimpleNamespace(invoke_endpoint=refuse_late)
    with pytest.raises(ClientError):
        sagemaker.predictor.predict(UPLOAD)
    assert sagemaker.time.slept == []


def over_the_wire(faulty: FaultyAws, *answers: Answer) -> tuple[EndpointPredictor, list[float]]:
    faulty.answers["sagemaker"] = list(answers)
    time = Time()
    runtime = clients.create_client("sagemaker-runtime")
    predictor = EndpointPredictor(runtime=runtime, endpoint_name="endpoint", sleep=time.sleep, clock=time.clock)
    return predictor, time.slept


@pytest.mark.parametrize("fault", [resets, breaks_off(GOOD_ANSWER)], ids=["reset", "answer that breaks off"])
def test_a_broken_connection_is_retried(faulty: FaultyAws, fault: Answer) -> None:
    predictor, slept = over_the_wire(faulty, fault, says(GOOD_ANSWER))
    assert predictor.predict(UPLOAD).values["label"] == "Speech"
    assert len(slept) == 1


def test_an_unreachable_endpoint_is_retried(faulty: FaultyAws, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        predictor, slept = over_the_wire(faulty)
        with pytest.raises(EndpointConnectionError):
            predictor.predict(UPLOAD)
    assert slept


@pytest.mark.parametrize("fault", [hangs, stalls(GOOD_ANSWER)], ids=["no answer", "half an answer"])
def test_a_time_out_is_not_retried(faulty: FaultyAws, fault: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(clients._CONFIGS["sagemaker-runtime"], "read_timeout", 0.2)
    predictor, slept = over_the_wire(faulty, fault)
    with pytest.raises(ReadTimeoutError):
        predictor.predict(UPLOAD)
    assert slept == []
    assert len(faulty.bodies["sagemaker"]) == 1


def test_an_error_as_sagemaker_sends_it_is_understood(faulty: FaultyAws) -> None:
    reason = json.dumps({"error_code": "CORRUPT_AUDIO", "error_message": "The audio cannot be decoded."})
    refused = json_error("ModelError", 424, OriginalStatusCode=422, OriginalMessage=reason)
    overloaded = json_error("ModelError", 424, OriginalStatusCode=503, OriginalMessage="{}")
    predictor, slept = over_the_wire(faulty, overloaded, refused)
    with pytest.raises(InputError) as caught:
        predictor.predict(UPLOAD)
    assert caught.value.code == "CORRUPT_AUDIO"
    assert len(slept) == 1


def but(**changes: Any) -> bytes:
    """A prediction with one value replaced."""
    return json.dumps(ENDPOINT_ANSWER | changes).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>It works!</html>",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"7",
        b"{}",
        b"[" * 100_000,
        json.dumps({name: ENDPOINT_ANSWER[name] for name in ("model_sha256", "etag", "timings_ms")}).encode(),
        but(top_labels=None),
        but(top_labels=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]),
        but(score=10**38),
        but(score=1e126),
        but(score=1e-131),
        but(top_labels=[{"label": "Speech", "score": float("nan")}]),
        but(top_labels=[{"label": "Speech", "score": float("inf")}]),
        but(audio_seconds=None),
        but(audio_seconds=10**400),
        but(model_sha256=5),
        but(etag=None),
        but(size_bytes="5"),
        but(size_bytes=10**38),
        but(uploaded_at=None),
        but(timings_ms=[1]),
        but(timings_ms={"decode": "slow"}),
    ],
    ids=lambda body: body[:60].decode(errors="replace"),
)
def test_an_answer_that_is_not_a_prediction_may_succeed_later(sagemaker: SimpleNamespace, body: bytes) -> None:
    sagemaker.stubber.add_response("invoke_endpoint", answer(body))
    with pytest.raises(InvalidPredictionError, match=r"\.$"):
        sagemaker.predictor.predict(UPLOAD)
    assert sagemaker.time.slept == []


def test_what_the_kinds_make_of_a_file_is_passed_on(sagemaker: SimpleNamespace) -> None:
    box = {"label": "cat", "box": {"left": 0.5, "top": -1}}
    sagemaker.stubber.add_response("invoke_endpoint", answer(but(detections=[box], width=640)))
    values = sagemaker.predictor.predict(UPLOAD).values
    assert (values["label"], values["detections"], values["width"]) == ("Speech", [box], 640)
    assert not {"model_sha256", "etag", "size_bytes", "uploaded_at", "timings_ms"} & values.keys()


def test_a_container_of_an_earlier_release_tells_the_etag_alone(sagemaker: SimpleNamespace) -> None:
    earlier = {name: value for name, value in ENDPOINT_ANSWER.items() if name not in ("size_bytes", "uploaded_at")}
    sagemaker.stubber.add_response("invoke_endpoint", answer(json.dumps(earlier).encode()))
    assert sagemaker.predictor.predict(UPLOAD).read == {"etag": "e"}


def test_priming_predicts_a_sample_of_the_models_kind(sagemaker: SimpleNamespace) -> None:
    request = {"EndpointName": "endpoint", "ContentType": "application/json", "Body": b'{"sample": true}'}
    sagemaker.stubber.add_response("invoke_endpoint", answer(GOOD_ANSWER), request)
    sagemaker.predictor.prime()


def test_priming_fails_if_predicting_would(sagemaker: SimpleNamespace) -> None:
    sagemaker.stubber.add_client_error("invoke_endpoint", **model_error(500, "Internal Server Error"))
    with pytest.raises(ClientError):
        sagemaker.predictor.prime()
