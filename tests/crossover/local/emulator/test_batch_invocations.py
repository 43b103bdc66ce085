"""What a job makes of the function's answers, and of their absence."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from crossover.local.emulator import batch_invocations
from crossover.local.emulator.batch_invocations import ATTEMPTS, INVOKING, invoke
from crossover.local.emulator.batch_tasks import Outcome, Task

TASK = Task(bucket="files", key="a%20b.wav")
THROTTLED = ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": 429}}, "Invoke")
DENIED = ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "Invoke")
CLOSED = ConnectionClosedError(endpoint_url="http://local")


class Lambda:
    """Answers with what a list holds, one after the other; the last again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.events: list[Any] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        self.events.append(json.loads(Payload))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        text = answer(self.events[-1]["tasks"][0]["taskId"]) if callable(answer) else answer
        return {"Payload": io.BytesIO(text.encode())}


def result(code: Any, text: str = "why") -> Any:
    answer: dict[str, Any] = {"treatMissingKeysAs": "PermanentFailure"}
    return lambda task: json.dumps(answer | {"results": [{"taskId": task, "resultCode": code, "resultString": text}]})


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_invocations, "RETRY_SECONDS", 0)


def outcome(*answers: Any) -> tuple[Outcome, int]:
    function = Lambda(*answers)
    found = invoke(function, {"FunctionArn": "arn:function"}, "job-1", TASK)
    assert len({event["tasks"][0]["taskId"] for event in function.events}) == 1
    return found, len(function.events)


@pytest.mark.parametrize("passing", [result("TemporaryFailure"), THROTTLED, CLOSED])
def test_what_fails_temporarily_is_invoked_again(passing: Any) -> None:
    found, attempts = outcome(passing, result("Succeeded", "done"))
    assert (found, attempts) == (Outcome(succeeded=True, status="200", code="", message="done"), 2)


def test_the_string_of_a_temporary_failure_is_ignored_even_of_the_last_attempt() -> None:
    found, attempts = outcome(result("TemporaryFailure"))
    assert attempts == ATTEMPTS
    assert found == Outcome(succeeded=False, status="200", code="TemporaryFailure", message="")


def test_an_answer_that_never_comes_is_a_failed_task() -> None:
    found, attempts = outcome(CLOSED)
    assert attempts == ATTEMPTS
    assert (found.succeeded, found.code) == (False, "TemporaryFailure")
    assert "Connection was closed" in found.message


def test_what_fails_for_good_is_not_invoked_again() -> None:
    assert outcome(result("PermanentFailure")) == (
        Outcome(succeeded=False, status="200", code="PermanentFailure", message="why"),
        1,
    )
    found, attempts = outcome(DENIED)
    assert (found.status, found.code, attempts) == ("403", "PermanentFailure", 1)


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '{"results": []}', '{"results": 5}', "[" * 100_000, result("Done"), result(["x"])]
)
def test_an_answer_of_another_form_is_a_failed_task(text: Any) -> None:
    found, attempts = outcome(text)
    assert (found.code, found.message, attempts) == ("PermanentFailure", "Invalid JSON returned in Lambda payload", 1)


def test_the_longest_invocation_is_waited_for() -> None:
    assert INVOKING.read_timeout > 900 + 130
