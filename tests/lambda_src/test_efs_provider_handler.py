"""CloudFormation always gets an answer, and a deployment fails with the loader's reason."""

import io
import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from .conftest import load_handler

MODEL = {"ServiceToken": "arn", "Name": "model-ab.onnx", "Bucket": "assets", "Key": "new.onnx", "Sha256": "ab"}
COPY = {"name": "model-ab.onnx", "bucket": "assets", "key": "new.onnx", "sha256": "ab"}
WRONG = {"errorType": "LoadingError", "errorMessage": "The model is another."}


def event(request: str, **properties: str) -> dict[str, Any]:
    return {
        "RequestType": request,
        "ResponseURL": "https://cloudformation.example/answer?Signature=1",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Model",
        "ResourceProperties": {**MODEL, **properties},
    }


def refusal(code: str, message: str = "not yet") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Invoke")


class Loader:
    """The loader function: what each call gives, in turn, and the last one from then on."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[dict[str, str]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803, AWS's names
        assert FunctionName == "loader"
        self.requests.append(json.loads(Payload))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        failed = {"FunctionError": "Unhandled"} if outcome else {}
        return {"Payload": io.BytesIO(json.dumps(outcome).encode()), **failed}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("LOADER", "loader")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    module = load_handler("efs_provider_handler")
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    return module


def answer_to(
    provider: ModuleType, monkeypatch: pytest.MonkeyPatch, request: str, *outcomes: Any, **properties: str
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """What CloudFormation is told, and what the loader was asked for."""
    answers = []

    def urlopen(request: Any, timeout: float) -> Any:
        assert (request.method, request.full_url) == ("PUT", event("Create")["ResponseURL"])
        assert request.get_header("Content-type") == ""
        answers.append(json.loads(request.data))
        return io.BytesIO()

    loader = Loader(*outcomes)
    monkeypatch.setattr(provider, "lambda_client", loader)
    monkeypatch.setattr(provider.urllib.request, "urlopen", urlopen)
    provider.handler(event(request, **properties), None)
    [answer] = answers
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId")} == {
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Model",
        "PhysicalResourceId": "model-ab.onnx",
    }
    return answer, loader.requests


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_model_is_made(provider: ModuleType, monkeypatch: pytest.MonkeyPatch, request_type: str):
    answer, requests = answer_to(provider, monkeypatch, request_type, None)

    assert answer["Status"] == "SUCCESS"
    assert requests == [COPY]


def test_the_model_on_a_replaced_file_system_is_loaded_and_not_removed_afterwards(
    provider: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    """Another physical id would make CloudFormation delete the one before: the same name, on the new file system."""
    (_, [loaded]) = created = answer_to(provider, monkeypatch, "Create", None, FileSystemId="fs-1")
    updated = answer_to(provider, monkeypatch, "Update", None, FileSystemId="fs-2")

    assert updated == created
    assert loaded == COPY


def test_a_model_is_removed(provider: ModuleType, monkeypatch: pytest.MonkeyPatch):
    answer, requests = answer_to(provider, monkeypatch, "Delete", None)

    assert answer["Status"] == "SUCCESS"
    assert requests == [{"name": "model-ab.onnx"}]


def test_the_loaders_own_sentence_is_the_reason(provider: ModuleType, monkeypatch: pytest.MonkeyPatch):
    answer, requests = answer_to(provider, monkeypatch, "Create", WRONG)

    assert (answer["Status"], answer["Reason"]) == ("FAILED", "The model is another.")
    assert len(requests) == 1


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "EFSMountConnectivityException",
        "EFSMountFailureException",
        "EFSMountTimeoutException",
    ],
)
def test_what_a_new_stack_does_not_know_yet_is_waited_for(
    provider: ModuleType, monkeypatch: pytest.MonkeyPatch, code: str
):
    answer, requests = answer_to(provider, monkeypatch, "Create", refusal(code), refusal(code), None)

    assert answer["Status"] == "SUCCESS"
    assert len(requests) == 3


def test_a_file_system_that_cannot_be_mounted_fails_the_deployment_after_a_minute(
    provider: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    failure = refusal("EFSMountFailureException", "The function couldn't mount /mnt/model.")
    answer, requests = answer_to(provider, monkeypatch, "Create", failure)

    assert answer["Reason"] == ("The loader failed: EFSMountFailureException: The function couldn't mount /mnt/model.")
    assert len(requests) > 1


def test_a_long_reason_is_cut_as_cloudformation_takes_4096_bytes_of_answer(
    provider: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    long = {"errorType": "OSError", "errorMessage": "No space left. " * 1000}

    answer, _ = answer_to(provider, monkeypatch, "Create", long)

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The loader failed: OSError: No space left.")
    assert len(json.dumps(answer)) < 4096


def test_a_time_out_is_a_reason(provider: ModuleType, monkeypatch: pytest.MonkeyPatch):
    late = {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 870.00 seconds"}

    assert "timed out after 870" in answer_to(provider, monkeypatch, "Create", late)[0]["Reason"]


def test_a_loader_that_cannot_be_reached_is_a_reason(provider: ModuleType, monkeypatch: pytest.MonkeyPatch):
    unreachable = EndpointConnectionError(endpoint_url="https://lambda.example")

    answer, _ = answer_to(provider, monkeypatch, "Create", unreachable)

    assert answer["Reason"].startswith("The loader could not be invoked: ")


def test_a_file_that_cannot_be_removed_stops_no_deletion(provider: ModuleType, monkeypatch: pytest.MonkeyPatch):
    answer, _ = answer_to(provider, monkeypatch, "Delete", WRONG)

    assert (answer["Status"], answer["Reason"]) == ("SUCCESS", "The model is another.")
