"""Predict through a SageMaker endpoint: send the S3 object reference, never the object's bytes."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .failures import cause_of
from .input_error import InputError
from .prediction import InvalidPredictionError, Prediction, pop_read_object
from .s3_events import S3Object

# Causes of a quick refusal that soon passes. Lambda alone would retry twice within three minutes, which is too little
# for a burst that fills the container's queue. A time-out is not one of them: the file itself may be what takes long.
TRANSIENT_CAUSES = {"THROTTLED", "OVERLOADED", "UNREACHABLE", "SERVICE_ERROR"}
# The last attempt starts within this time, s, so that it and the write after it end within a function's minimum
# timeout_seconds, 120: tests/lambda_src/test_clients.py adds it up.
MAX_RETRYING_SECONDS = 20.0
# The delay before attempt n + 1 is random between 0 and FIRST_DELAY_SECONDS * 2 ** (n - 1), so that proxies that were
# refused together do not retry together.
FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 1.0, 8.0


class EndpointPredictor:
    """The model in the container behind `endpoint_name`. The container downloads the object, so 128 MB of memory are
    enough here for a file of any size.

    Args:
        runtime: a botocore `sagemaker-runtime` client that makes one attempt a call.
        endpoint_name: the endpoint to invoke.
        sleep: waits for a number of seconds.
        clock: monotonic, s.
    """

    def __init__(
        self,
        *,
        runtime: Any,
        endpoint_name: str,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.runtime = runtime
        self.endpoint_name = endpoint_name
        self._sleep = sleep
        self._clock = clock

    def predict(self, s3_object: S3Object) -> Prediction:
        """Predict for an object in S3.

        Raises:
            InputError: the container refused the input for good.
            InvalidPredictionError: the endpoint's answer is not a prediction.
            botocore.exceptions.BotoCoreError, ClientError: throttled, overloaded, timed out or broken; a later attempt
                may succeed.
        """
        request = {
            "bucket": s3_object.bucket,
            "key": s3_object.key,
            "version_id": s3_object.version_id,
            "size_bytes": s3_object.size_bytes,
        }
        return self._invoke("application/json", json.dumps(request).encode())

    def prime(self) -> None:
        """Have the endpoint predict a sample of its model's kind of input.

        Raises:
            Exception: predictions cannot be made.
        """
        self._invoke("application/json", json.dumps({"sample": True}).encode())

    def _invoke(self, content_type: str, body: bytes) -> Prediction:
        started, ceiling = self._clock(), FIRST_DELAY_SECONDS
        while True:
            try:
                response = self.runtime.invoke_endpoint(
                    EndpointName=self.endpoint_name, ContentType=content_type, Body=body
                )
                return _prediction(response["Body"].read())
            except (BotoCoreError, ClientError) as error:
                refusal = _refusal(error)
                if refusal:
                    raise refusal from error
                delay = random.uniform(0, ceiling)
                if cause_of(error) not in TRANSIENT_CAUSES or self._clock() - started + delay > MAX_RETRYING_SECONDS:
                    raise
            self._sleep(delay)
            ceiling = min(2 * ceiling, MAX_DELAY_SECONDS)


def _prediction(answer: bytes) -> Prediction:
    try:
        values = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise InvalidPredictionError("The endpoint's answer is not JSON.") from error
    return Prediction.from_dict(values)


def _refusal(error: BotoCoreError | ClientError) -> InputError | None:
    """The container's own 4xx with a reason, which SageMaker wraps in a ModelError; None where a retry may succeed.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors
    """
    response: dict[str, Any] = dict(error.response) if isinstance(error, ClientError) else {}
    status = response.get("OriginalStatusCode") or 0
    if not 400 <= status < 500 or status == 429:
        return None
    try:
        reason = json.loads(response["OriginalMessage"])
        code, message, read = reason["error_code"], reason["error_message"], pop_read_object(reason)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None  # a 4xx from elsewhere, such as a proxy or another container: which says nothing about the input
    if not (isinstance(code, str) and isinstance(message, str)):
        return None
    refusal = InputError(code, message)
    refusal.read, refusal.model_sha256 = read, str(reason.get("model_sha256", ""))
    return refusal
