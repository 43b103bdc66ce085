"""The health check reports the right status to CodeDeploy, and always reports one."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber

VERSION = "arn:aws:lambda:eu-west-1:123456789012:function:Predict:7"
EVENT = {"DeploymentId": "d-ABC", "LifecycleEventHookExecutionId": "execution"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECKED_VERSION", VERSION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def lambda_stub() -> Iterator[Stubber]:
    import health_check_handler

    with Stubber(health_check_handler.lambda_client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, lambda_stub: Stubber) -> Callable[[str], None]:
    """Runs the handler and checks that it reports this status to CodeDeploy, once."""

    def run(status: str) -> None:
        import health_check_handler

        with Stubber(health_check_handler.codedeploy) as codedeploy:
            codedeploy.add_response(
                "put_lifecycle_event_hook_execution_status",
                {},
                {"deploymentId": "d-ABC", "lifecycleEventHookExecutionId": "execution", "status": status},
            )
            health_check_handler.handler(EVENT, None)
            codedeploy.assert_no_pending_responses()

    return run


def answer(stub: Stubber, payload: Any, **more: Any) -> None:
    body = json.dumps(payload).encode()
    stub.add_response(
        "invoke",
        {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body)), **more},
        {"FunctionName": VERSION, "Payload": b'{"Event": "crossover:HealthCheck"}'},
    )


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_version_that_answers_is_healthy(
    lambda_stub: Stubber, told: Callable[[str], None], capsys: pytest.CaptureFixture[str]
):
    answer(lambda_stub, None)

    told("Succeeded")
    assert logged(capsys) == {"checked_version": VERSION, "problem": None}


def test_a_version_that_raises_is_not_healthy_and_the_log_has_its_error(
    lambda_stub: Stubber, told: Callable[[str], None], capsys: pytest.CaptureFixture[str]
):
    answer(lambda_stub, {"errorType": "ModelError", "errorMessage": "no labels"}, FunctionError="Unhandled")

    told("Failed")
    assert "no labels" in logged(capsys)["problem"]


def test_a_version_that_cannot_be_invoked_is_not_healthy(
    lambda_stub: Stubber, told: Callable[[str], None], capsys: pytest.CaptureFixture[str]
):
    lambda_stub.add_client_error("invoke", "AccessDeniedException", "not allowed", 403)

    told("Failed")
    assert "not allowed" in logged(capsys)["problem"]


def test_a_version_that_never_answers_is_not_healthy(
    monkeypatch: pytest.MonkeyPatch, told: Callable[[str], None], capsys: pytest.CaptureFixture[str]
):
    import health_check_handler

    def silent(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://lambda")

    monkeypatch.setattr(health_check_handler.lambda_client, "invoke", silent)

    told("Failed")
    assert "Read timeout" in logged(capsys)["problem"]


def test_all_attempts_to_invoke_fit_into_the_functions_time():
    import health_check_handler

    config = health_check_handler.lambda_client.meta.config
    back_off = 2 * 20  # botocore's standard mode waits at most 20 s before each attempt but the first
    attempts: int = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) + back_off < 300
