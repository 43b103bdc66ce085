"""Predict behind a SageMaker endpoint: hand over the object's address, never its bytes."""

import json
from typing import Any

from botocore.exceptions import ClientError

from inference.errors import InputError
from inference.prediction import Prediction
from inference.s3_events import S3Object


class EndpointPredictor:
    """The model in the container behind `endpoint_name`, which fetches the object itself: so 128 MB serve any file
    size.

    Args:
        runtime: a botocore `sagemaker-runtime` client.
        endpoint_name: of the endpoint to invoke.
    """

    def __init__(self, *, runtime: Any, endpoint_name: str) -> None:
        self.runtime = runtime
        self.endpoint_name = endpoint_name

    def predict(self, s3_object: S3Object) -> Prediction:
        """Predict for an object in S3.

        Raises:
            InputError: the container refused the input for good.
            botocore.exceptions.BotoCoreError, ClientError: throttled, overloaded, timed out or out of order, which may
            pass.
        """
        request = {
            "bucket": s3_object.bucket,
            "key": s3_object.key,
            "version_id": s3_object.version_id,
            "size_bytes": s3_object.size_bytes,
        }
        try:
            response = self.runtime.invoke_endpoint(
                EndpointName=self.endpoint_name, ContentType="application/json", Body=json.dumps(request).encode()
            )
        except ClientError as error:
            refusal = _refusal(error)
            if refusal is None:
                raise
            raise refusal from error
        return Prediction.from_dict(json.loads(response["Body"].read()))


def _refusal(error: ClientError) -> InputError | None:
    """The container's own 4xx with a reason, which SageMaker wraps in a ModelError; None for all that may pass.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors
    """
    response: dict[str, Any] = dict(error.response)
    if response["Error"]["Code"] != "ModelError" or not 400 <= response.get("OriginalStatusCode", 0) < 500:
        return None
    try:
        reason = json.loads(response["OriginalMessage"])
        return InputError(reason["error_code"], reason["error_message"])
    except (KeyError, TypeError, ValueError):
        return None  # a 4xx of something else, such as a proxy or another container: not a verdict on the input
