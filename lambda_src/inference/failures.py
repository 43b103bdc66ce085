"""Why something failed, for the log: a stable cause for alarms and queries, and a message without secrets."""

import os
import re

import botocore.exceptions
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from .prediction import InvalidPredictionError, ModelUnreadableError, ResultNotStoredError
from .s3_events import InvalidEventError

MAX_MESSAGE = 1000  # characters that are logged
MAX_SCANNED = 100 * MAX_MESSAGE  # characters that are searched for credentials; 10 million would take seconds
THROTTLING_CODES = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
}
# Some services refuse with 400 and not 403.
DENIAL_CODES = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "InvalidToken",
    "UnrecognizedClientException",
}


class RedactedError(Exception):
    """Replaces an error whose own message may contain a credential."""


def cause_of(error: BaseException) -> str:
    """Why it failed, in a stable word.

    Returns:
        THROTTLED (AWS asks to slow down), OVERLOADED (the endpoint's container is full, or has no model yet),
        TIMED_OUT, UNREACHABLE (no connection, a broken one, or a file system without the model), SERVICE_ERROR (AWS
        failed), MODEL_ERROR (the model or its container failed), DENIED (by permissions or credentials), INVALID_EVENT
        or UNEXPECTED.
    """
    match error:
        case ResultNotStoredError() if error.__cause__:
            return cause_of(error.__cause__)
        case InvalidEventError():
            return "INVALID_EVENT"
        case InvalidPredictionError():
            return "MODEL_ERROR"
        case ClientError():
            return _cause_of_answer(error)
        case ReadTimeoutError():
            return "TIMED_OUT"
        case NoCredentialsError() | PartialCredentialsError() | CredentialRetrievalError():
            return "DENIED"
        case botocore.exceptions.ConnectionError() | HTTPClientError() | IncompleteReadError() | ModelUnreadableError():
            return "UNREACHABLE"
        case ResponseParserError() | FlexibleChecksumError():
            return "SERVICE_ERROR"
    # By name, since not every bundle has onnxruntime.
    return "MODEL_ERROR" if type(error).__module__.startswith("onnxruntime") else "UNEXPECTED"


def _cause_of_answer(error: ClientError) -> str:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "ModelError":
        return _cause_of_model_error(error)
    if code == "ModelNotReadyException":
        return "OVERLOADED"
    if code in THROTTLING_CODES or status == 429:
        return "THROTTLED"
    if code in DENIAL_CODES or status in (401, 403):
        return "DENIED"
    return "SERVICE_ERROR" if status >= 500 else "UNEXPECTED"


def _cause_of_model_error(error: ClientError) -> str:
    """The container's answer, which SageMaker wraps.

    Its own limit of 60 s comes as status 0 and "Your invocation timed out while waiting for a response from container".
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors
    """
    response = dict(error.response)
    status = response.get("OriginalStatusCode")
    if status in (429, 503):
        return "OVERLOADED"
    timed_out = status == 504 or "timed out" in f"{response.get('OriginalMessage')} {error}"
    return "TIMED_OUT" if timed_out else "MODEL_ERROR"


def describe(error: BaseException) -> str:
    """The error's class and the first line of its message, at most MAX_MESSAGE characters, without credentials.

    Services that refuse a signature repeat the request's headers, and botocore repeats the body of a response that it
    cannot parse; both come after the first line.
    """
    return f"{type(error).__name__}: {_safe(str(error))}"


def for_the_runtime(error: Exception) -> Exception:
    """The error itself, or one without its secrets: Lambda logs what is raised and stores it with the dead letter."""
    message = str(error)
    return error if _safe(message) == message else RedactedError(describe(error))


def _safe(message: str) -> str:
    line = next(iter(message.splitlines()), "")[:MAX_SCANNED]
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        secret = os.environ.get(name, "")
        if len(secret) >= 16:  # a word such as "testing" is not a secret
            line = line.replace(secret, "***")
    # Credentials need not come from the environment: these are recognised by their context or their format.
    line = re.sub(
        r"(?i)((?:token|signature|credential|access-?key-?id)['\"]?\s*[=:]\s*b?['\"]?)[^\s,&'\"]+", r"\1***", line
    )
    line = re.sub(r"\bA[KS]IA[A-Z0-9]{12,}\b", "***", line)
    return line if len(line) <= MAX_MESSAGE else f"{line[:MAX_MESSAGE]}..."
