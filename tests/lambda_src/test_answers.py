"""What the handlers answer to a queue and to S3 Batch Operations."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from inference.input_error import InputError
from inference.prediction import InvalidPredictionError, Prediction
from inference.s3_events import InvalidEventError, S3Object

from .conftest import CONTEXT, ENDPOINT_ANSWER, load_handler
from .events import batch_task, event, record, through_sqs
from .test_failures import refused

TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"}


class Predictor:
    """Fails for the keys that it has an error for."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        self.errors = errors

    def predict(self, s3_object: S3Object) -> Prediction:
        if s3_object.key in self.errors:
            raise self.errors[s3_object.key]
        return Prediction.from_dict(ENDPOINT_ANSWER)


@pytest.fixture
def handle(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The proxy's handler, with a predictor that fails as told."""
    monkeypatch.setenv("PREDICTOR", "sagemaker")
    monkeypatch.setenv("ENDPOINT_NAME", "endpoint")
    handler = load_handler("sagemaker_trigger_handler").handler

    def handle(sent: Any, **errors: Exception) -> Any:
        sys.modules["sagemaker_trigger_handler"].processor.predictor = Predictor(
            {f"{name}.wav": error for name, error in errors.items()}
        )
        return handler(sent, CONTEXT)

    return handle


def uploaded(*keys: str) -> dict[str, Any]:
    return event(*map(record, keys))


def test_an_asynchronous_event_wants_no_answer(handle: Any) -> None:
    assert handle(uploaded("a.wav")) is None
    assert handle(TEST_EVENT) is None


def test_of_a_queues_messages_those_fail_that_may_succeed_later_or_are_malformed(
    handle: Any, aws: SimpleNamespace
) -> None:
    refused_for_good = event(record("empty.wav", size=0))
    sent = through_sqs(
        uploaded("a.wav"), uploaded("b.wav", "c.wav"), "no JSON", TEST_EVENT, refused_for_good, {"Records": [None]}
    )
    answer = handle(sent, c=EndpointConnectionError(endpoint_url="https://example.com"))
    assert answer == {"batchItemFailures": [{"itemIdentifier": name} for name in ("m1", "m2", "m5")]}
    assert [aws.item(f"{name}.wav")["status"]["S"] for name in ("a", "b", "empty")] == [
        "SUCCEEDED",
        "SUCCEEDED",
        "FAILED",
    ]


def test_messages_that_all_succeed_are_all_deleted(handle: Any) -> None:
    assert handle(through_sqs(uploaded("a.wav"), TEST_EVENT)) == {"batchItemFailures": []}


@pytest.mark.parametrize("keys", [["a.wav"], ["a.wav", "b.wav"]])
def test_if_all_messages_fail_the_function_fails(handle: Any, keys: list[str]) -> None:
    error = EndpointConnectionError(endpoint_url="https://example.com")
    with pytest.raises(EndpointConnectionError):
        handle(through_sqs(*map(uploaded, keys)), a=error, b=error)


def test_a_message_without_an_id_fails_the_batch(handle: Any, aws: SimpleNamespace) -> None:
    sent = through_sqs(uploaded("a.wav"), uploaded("b.wav"))
    del sent["Records"][1]["messageId"]
    with pytest.raises(InvalidEventError, match="messageId"):
        handle(sent)
    assert aws.item("a.wav") is None


def test_a_job_is_told_that_a_task_succeeded(handle: Any, aws: SimpleNamespace) -> None:
    assert handle(batch_task("a ü.wav")) == {
        "invocationSchemaVersion": "1.0",
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": "i",
        "results": [{"taskId": "t0", "resultCode": "Succeeded", "resultString": "SUCCEEDED"}],
    }
    item = aws.item("a ü.wav")
    assert item["label"]["S"] == "Speech"
    assert int(item["sequencer"]["S"], 16) == 0
    assert (item["size_bytes"]["N"], item["uploaded_at"]["S"]) == ("5", "2026-11-20T09:29:00.000Z")


def result(answer: dict[str, Any]) -> tuple[str, str]:
    (found,) = answer["results"]
    return found["resultCode"], found["resultString"]


def test_a_failed_item_is_a_result_of_a_job(handle: Any, aws: SimpleNamespace) -> None:
    gone = InputError("OBJECT_NOT_FOUND", "It was deleted.")
    assert result(handle(batch_task("a.wav"), a=gone)) == ("Succeeded", "FAILED OBJECT_NOT_FOUND: It was deleted.")
    assert aws.item("a.wav")["status"]["S"] == "FAILED"


def put_other(aws: SimpleNamespace, key: str, completed_at: str) -> None:
    """An event's item of other content than the predictor's."""
    item = {"object_key": key, "sequencer": "05".ljust(32, "0"), "etag": "of another", "completed_at": completed_at}
    aws.dynamodb.put_item(TableName="predictions", Item={name: {"S": value} for name, value in item.items()})


NOT_STORED = " (not stored: the table has a newer result)"


def test_a_job_is_told_of_what_it_did_not_replace(handle: Any, aws: SimpleNamespace) -> None:
    put_other(aws, "a.wav", "2999-01-01T00:00:00.000+00:00")  # while the task ran
    assert result(handle(batch_task("a.wav"))) == ("Succeeded", f"SUCCEEDED{NOT_STORED}")
    assert aws.item("a.wav")["etag"]["S"] == "of another"


def test_a_job_predicts_what_was_uploaded_again_without_an_event(handle: Any, aws: SimpleNamespace) -> None:
    put_other(aws, "a.wav", "2020-01-01T00:00:00.000+00:00")
    assert result(handle(batch_task("a.wav"))) == ("Succeeded", "SUCCEEDED")
    item = aws.item("a.wav")
    assert (item["etag"]["S"], item["uploaded_at"]["S"]) == ("e", "2026-11-20T09:29:00.000Z")
    assert item["sequencer"]["S"].startswith("05")


@pytest.mark.parametrize(
    ("completed_at", "stored"),
    [("2026-11-20T09:28:57.999+00:00", True), ("2026-11-20T09:28:58.000+00:00", False)],  # 2 s for the clocks
)
def test_a_version_replaces_only_what_was_completed_before_it_was_uploaded(
    handle: Any, aws: SimpleNamespace, completed_at: str, stored: bool
) -> None:
    put_other(aws, "a.wav", completed_at)
    text = "SUCCEEDED" if stored else f"SUCCEEDED{NOT_STORED}"
    assert result(handle(batch_task("a.wav", s3VersionId="v1"))) == ("Succeeded", text)


def test_what_a_long_answer_says_of_the_table_is_not_cut_off(handle: Any, aws: SimpleNamespace) -> None:
    put_other(aws, "a.wav", "2999-01-01T00:00:00.000+00:00")
    long = InputError("CORRUPT_AUDIO", "x" * 2000)
    long.read = {"etag": "e"}
    _, text = result(handle(batch_task("a.wav"), a=long))
    assert len(text) == 1000
    assert text.startswith("FAILED CORRUPT_AUDIO: x")
    assert text.endswith(f"x{NOT_STORED}")


def test_predicting_again_leaves_what_the_event_said_of_the_upload(handle: Any, aws: SimpleNamespace) -> None:
    handle(event(record("a.wav", size=7, eTag="e", versionId="v")))
    handle(batch_task("a.wav"))
    item = aws.item("a.wav")
    said = [item[name].popitem()[1] for name in ("version_id", "size_bytes", "uploaded_at")]
    assert said == ["v", "7", "2026-11-20T09:30:00.123Z"]


def test_an_event_whose_object_was_replaced_before_it_was_read_gives_an_item_about_what_was_read(
    handle: Any, aws: SimpleNamespace
) -> None:
    handle(event(record("a.wav", size=7, eTag="replaced")))
    item = aws.item("a.wav")
    said = [item[name].popitem()[1] for name in ("etag", "size_bytes", "uploaded_at")]
    assert said == ["e", "5", "2026-11-20T09:29:00.000Z"]


def test_a_refusal_replaces_the_result_of_the_same_bytes(handle: Any, aws: SimpleNamespace) -> None:
    handle(event(record("a.wav", sequencer="05")))
    refused_by_the_model = InputError("MODEL_REFUSED_INPUT", "It is too short.")
    refused_by_the_model.read = {"etag": aws.item("a.wav")["etag"]["S"]}
    refused_by_the_model.model_sha256 = "cd" * 32
    assert result(handle(batch_task("a.wav"), a=refused_by_the_model)) == (
        "Succeeded",
        "FAILED MODEL_REFUSED_INPUT: It is too short.",
    )
    item = aws.item("a.wav")
    assert (item["status"]["S"], item["model_sha256"]["S"]) == ("FAILED", "cd" * 32)
    assert item["sequencer"]["S"].startswith("05")


def test_a_refusal_leaves_the_result_of_an_upload_where_it_is_not_known_of_which_bytes_it_is(
    handle: Any, aws: SimpleNamespace
) -> None:
    handle(event(record("a.wav", sequencer="05")))
    gone = InputError("OBJECT_NOT_FOUND", "It was deleted.")
    assert result(handle(batch_task("a.wav"), a=gone)) == (
        "Succeeded",
        "FAILED OBJECT_NOT_FOUND: It was deleted. (not stored: the table keeps the result of an upload)",
    )
    assert aws.item("a.wav")["status"]["S"] == "SUCCEEDED"


def test_a_job_passes_over_folders(handle: Any) -> None:
    code, text = result(handle(batch_task("folder/")))
    assert code == "Succeeded"
    assert text.startswith("PASSED_OVER: ")


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (refused("ThrottlingException", 400), "TemporaryFailure", "THROTTLED"),
        (refused("ModelError", 424, OriginalStatusCode=503), "TemporaryFailure", "OVERLOADED"),
        (refused("InternalError", 500), "TemporaryFailure", "SERVICE_ERROR"),
        (EndpointConnectionError(endpoint_url="https://example.com"), "TemporaryFailure", "UNREACHABLE"),
        (refused("AccessDenied", 403), "PermanentFailure", "DENIED"),
        (InvalidPredictionError("No JSON."), "PermanentFailure", "MODEL_ERROR"),
        (KeyError("x" * 5000), "PermanentFailure", "UNEXPECTED"),
    ],
)
def test_a_job_tries_again_only_after_throttling_and_faults_of_aws(
    handle: Any, error: Exception, code: str, cause: str
) -> None:
    found, text = result(handle(batch_task("a.wav"), a=error))
    assert (found, text.partition(":")[0]) == (code, cause)
    assert len(text) <= 1000


def test_a_malformed_task_never_succeeds(handle: Any) -> None:
    code, text = result(handle(batch_task("a.wav", s3Key="%ff")))
    assert (code, text.partition(":")[0]) == ("PermanentFailure", "INVALID_EVENT")


def test_no_result_of_a_job_has_a_credential(handle: Any) -> None:
    _, text = result(handle(batch_task("a.wav"), a=ValueError("The key AKIAIOSFODNN7EXAMPLE is not known.")))
    assert "AKIAIOSFODNN7EXAMPLE" not in text


def test_schema_2_is_answered_in_schema_2(handle: Any) -> None:
    sent = {**batch_task("a.wav", s3BucketArn=None, s3Bucket="uploads"), "invocationSchemaVersion": "2.0"}
    answer = handle(sent)
    assert answer["invocationSchemaVersion"] == "2.0"
    assert result(answer)[0] == "Succeeded"


def test_an_event_of_s3_batch_operations_without_tasks_is_an_error(handle: Any) -> None:
    with pytest.raises(InvalidEventError):
        handle({"invocationSchemaVersion": "1.0", "tasks": None})


def test_a_failure_of_the_table_is_told_too(handle: Any, aws: SimpleNamespace) -> None:
    aws.dynamodb.delete_table(TableName="predictions")
    with pytest.raises(ClientError):
        handle(through_sqs(uploaded("a.wav")))
    assert result(handle(batch_task("a.wav")))[0] == "PermanentFailure"
