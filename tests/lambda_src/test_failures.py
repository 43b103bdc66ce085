"""Each failure has its cause, and no message contains a credential."""

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    FlexibleChecksumError,
    IncompleteReadError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError

from inference.failures import MAX_MESSAGE, RedactedError, cause_of, describe, for_the_runtime
from inference.model import Model
from inference.prediction import InvalidPredictionError, ResultNotStoredError
from inference.s3_events import InvalidEventError

URL = "https://example.com"


def refused(code: str, status: int, message: str = "No.", **fields: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response | fields, "Operation")


def model_error(status: int, message: str = "") -> ClientError:
    return refused("ModelError", 424, OriginalStatusCode=status, OriginalMessage=message)


def of_the_model() -> Exception:
    """What onnxruntime raises for an input of the wrong shape."""
    try:
        Model.load(b"not a model")
    except ValueError as error:
        assert isinstance(error.__cause__, Exception)
        return error.__cause__
    raise AssertionError("that was a model")


CAUSES = [
    (InvalidEventError("no"), "INVALID_EVENT"),
    (InvalidPredictionError("no"), "MODEL_ERROR"),
    (of_the_model(), "MODEL_ERROR"),
    (model_error(500), "MODEL_ERROR"),
    (model_error(400), "MODEL_ERROR"),
    (model_error(0, "Your invocation timed out while waiting for a response from container primary."), "TIMED_OUT"),
    (model_error(504), "TIMED_OUT"),
    (ReadTimeoutError(endpoint_url=URL), "TIMED_OUT"),
    (model_error(503), "OVERLOADED"),
    (model_error(429), "OVERLOADED"),
    (refused("ModelNotReadyException", 429), "OVERLOADED"),
    (refused("ThrottlingException", 400), "THROTTLED"),
    (refused("ProvisionedThroughputExceededException", 400), "THROTTLED"),
    (refused("SlowDown", 503), "THROTTLED"),
    (refused("SomethingNew", 429), "THROTTLED"),
    (refused("InternalError", 500), "SERVICE_ERROR"),
    (refused("ServiceUnavailable", 503), "SERVICE_ERROR"),
    (refused("InternalDependencyException", 530), "SERVICE_ERROR"),
    (ResponseParserError("no"), "SERVICE_ERROR"),
    (FlexibleChecksumError(error_msg="no"), "SERVICE_ERROR"),
    (EndpointConnectionError(endpoint_url=URL), "UNREACHABLE"),
    (ConnectTimeoutError(endpoint_url=URL), "UNREACHABLE"),
    (ConnectionClosedError(endpoint_url=URL), "UNREACHABLE"),
    (ResponseStreamingError(error="broken"), "UNREACHABLE"),
    (IncompleteReadError(actual_bytes=1, expected_bytes=2), "UNREACHABLE"),
    (refused("AccessDenied", 403), "DENIED"),
    (refused("AccessDeniedException", 400), "DENIED"),
    (refused("SignatureDoesNotMatch", 403), "DENIED"),
    (refused("ExpiredTokenException", 400), "DENIED"),
    (refused("UnrecognizedClientException", 400), "DENIED"),
    (NoCredentialsError(), "DENIED"),
    (refused("NoSuchBucket", 404), "UNEXPECTED"),
    (refused("ValidationException", 400), "UNEXPECTED"),
    (ClientError({}, "Operation"), "UNEXPECTED"),
    (NoRegionError(), "UNEXPECTED"),
    (MemoryError(), "UNEXPECTED"),
    (RecursionError(), "UNEXPECTED"),
]


@pytest.mark.parametrize(("error", "cause"), CAUSES, ids=lambda value: value if isinstance(value, str) else repr(value))
def test_every_failure_has_its_cause(error: Exception, cause: str) -> None:
    assert cause_of(error) == cause


def test_a_message_is_one_line_and_not_long() -> None:
    assert describe(ValueError("first\nsecond\r\nthird")) == "ValueError: first"
    assert describe(ValueError("")) == "ValueError: "
    assert len(describe(ValueError("x" * 10_000_000))) < MAX_MESSAGE + 100


TOKEN = "FwoGZXIvYXdzEBYaDH+not/for/a/log=="
SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
MESSAGES = [
    f"Authorization: AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/2026/s3, Signature={SIGNATURE}",
    f"https://b.s3.amazonaws.com/k?X-Amz-Security-Token={TOKEN}&X-Amz-Signature={SIGNATURE}&X-Amz-Date=2026",
    f"{{'x-amz-security-token': '{TOKEN}', 'host': 'x'}}",
    f"Invalid header value b'AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/2026, Signature={SIGNATURE}'",
    f'{{"SessionToken": "{TOKEN}", "AccessKeyId": "ASIAIOSFODNN7EXAMPLE"}}',
    f"The Access Key AKIAIOSFODNN7EXAMPLE is not known; token={TOKEN}",
    f"All is well.\nx-amz-security-token:{TOKEN}\nSignature={SIGNATURE}\nASIAIOSFODNN7EXAMPLE",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_credentials_are_removed_from_a_message(message: str) -> None:
    original = ValueError(message)
    raised = for_the_runtime(original)
    assert isinstance(raised, RedactedError)
    for text in (describe(original), str(raised)):
        assert text.startswith("ValueError: ")
        assert not any(secret in text for secret in (TOKEN, SIGNATURE, "IOSFODNN7EXAMPLE"))


def test_the_functions_own_credentials_are_removed_wherever_they_occur(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    assert TOKEN not in describe(ValueError(f"Invalid header value b'{TOKEN}\\n'"))


@pytest.mark.parametrize(
    "message",
    [
        "The security token included in the request is invalid.",
        'Could not connect to the endpoint URL: "https://sqs.eu-central-1.amazonaws.com/?versionId=abc"',
        "The request signature we calculated does not match the signature you provided.",
        "testing the local AWS",
    ],
)
def test_an_error_without_secrets_is_raised_as_it_is(message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")  # as in the tests and the local AWS
    error = ValueError(message)
    assert for_the_runtime(error) is error
    assert describe(error) == f"ValueError: {message}"


def test_a_result_that_was_not_stored_has_the_cause_of_its_error() -> None:
    try:
        raise ResultNotStoredError("The result could not be stored.") from EndpointConnectionError(endpoint_url="x")
    except ResultNotStoredError as error:
        assert cause_of(error) == "UNREACHABLE"
