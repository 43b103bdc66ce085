"""What SageMaker can answer, through botocore's Stubber."""

import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from inference import clients
from inference.endpoint_predictor import EndpointPredictor
from inference.errors import InputError
from inference.s3_events import S3Object

from .conftest import ENDPOINT_ANSWER

UPLOAD = S3Object(bucket="uploads", key="a b.wav", version_id="v1", size_bytes=42)
REQUEST = {
    "EndpointName": "endpoint",
    "ContentType": "application/json",
    "Body": json.dumps({"bucket": "uploads", "key": "a b.wav", "version_id": "v1", "size_bytes": 42}).encode(),
}


@pytest.fixture
def sagemaker(aws: SimpleNamespace) -> Iterator[SimpleNamespace]:
    runtime = clients.create_client("sagemaker-runtime")
    with Stubber(runtime) as stubber:
        yield SimpleNamespace(stubber=stubber, predictor=EndpointPredictor(runtime=runtime, endpoint_name="endpoint"))


def model_error(status: int, message: str) -> dict[str, Any]:
    return {
        "service_error_code": "ModelError",
        "http_status_code": 424,
        "modeled_fields": {"OriginalStatusCode": status, "OriginalMessage": message, "LogStreamArn": "arn:aws:logs:x"},
    }


def test_the_address_goes_out_and_the_prediction_comes_back(sagemaker: SimpleNamespace) -> None:
    body = json.dumps(ENDPOINT_ANSWER).encode()
    sagemaker.stubber.add_response(
        "invoke_endpoint",
        {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentType": "application/json"},
        REQUEST,
    )
    prediction = sagemaker.predictor.predict(UPLOAD)
    assert (prediction.label, prediction.score, prediction.etag) == ("Speech", 0.99, "e")


def test_the_container_s_refusal_is_final(sagemaker: SimpleNamespace) -> None:
    reason = json.dumps({"error_code": "CORRUPT_AUDIO", "error_message": "The audio cannot be decoded."})
    sagemaker.stubber.add_client_error("invoke_endpoint", **model_error(422, reason))
    with pytest.raises(InputError) as caught:
        sagemaker.predictor.predict(UPLOAD)
    assert (caught.value.code, caught.value.message) == ("CORRUPT_AUDIO", "The audio cannot be decoded.")


@pytest.mark.parametrize(
    "error",
    [
        model_error(503, json.dumps({"error_code": "OVERLOADED", "error_message": "Try later."})),
        model_error(500, "Internal Server Error"),
        model_error(404, "<html>Not Found</html>"),
        model_error(400, "[]"),
        {"service_error_code": "ThrottlingException", "http_status_code": 400},
        {"service_error_code": "ValidationError", "http_status_code": 400},
        {"service_error_code": "ServiceUnavailable", "http_status_code": 503},
        {"service_error_code": "InternalFailure", "http_status_code": 500},
    ],
    ids=lambda error: f"{error['service_error_code']}-{error.get('modeled_fields', {}).get('OriginalStatusCode', '')}",
)
def test_all_else_may_pass_and_is_raised_for_a_retry(sagemaker: SimpleNamespace, error: dict[str, Any]) -> None:
    sagemaker.stubber.add_client_error("invoke_endpoint", **error)
    with pytest.raises(ClientError):
        sagemaker.predictor.predict(UPLOAD)
