"""Messages of the dead-letter queue are read, whatever they hold."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crossover.dead_letter_queue import DeadLetter, FailedUpload, read

RECORD = {
    "eventSource": "aws:s3",
    "eventName": "ObjectCreated:Put",
    "eventTime": "2026-11-14T18:10:05.568Z",
    "s3": {"bucket": {"name": "uploads"}, "object": {"key": "calls/m%C3%BCller+%2B1.wav", "sequencer": "6"}},
}
LETTER = {
    "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
    "requestPayload": {"Records": [RECORD]},
    "responsePayload": {"errorType": "EndpointConnectionError", "errorMessage": "Could not connect.", "stackTrace": []},
}


def letter(body: Any) -> DeadLetter:
    text = body if isinstance(body, str) else json.dumps(body)
    return read({"MessageId": "0f-1", "Body": text, "Attributes": {"SentTimestamp": "1794679205568"}})


def test_a_dead_letter_of_lambda_is_read() -> None:
    found = letter(LETTER)
    assert found.id == "0f-1"
    assert found.sent_at == datetime(2026, 11, 14, 18, 0, 5, 568_000, UTC)
    uploaded_at = datetime(2026, 11, 14, 18, 10, 5, 568_000, UTC)
    assert found.uploads == (FailedUpload("uploads", "calls/müller +1.wav", uploaded_at),)
    assert found.event == LETTER["requestPayload"]
    assert found.body == LETTER
    assert (found.condition, found.attempts) == ("RetriesExhausted", 3)
    assert (found.error_type, found.error_message) == ("EndpointConnectionError", "Could not connect.")
    assert found.reason == "EndpointConnectionError: Could not connect"


def test_an_event_that_grew_too_old_has_no_answer_of_the_function() -> None:
    context = {"condition": "EventAgeExceeded", "approximateInvokeCount": 0}
    found = letter({"requestContext": context, "requestPayload": {"Records": [RECORD]}, "responsePayload": None})
    assert (found.error_type, found.error_message, found.attempts) == ("EventAgeExceeded", "", 0)
    assert found.reason == "EventAgeExceeded: the function gave no message"
    assert found.keys == ["calls/müller +1.wav"]


def test_a_process_that_died_has_a_message_without_a_type() -> None:
    found = letter({**LETTER, "responsePayload": {"errorMessage": "Process exited before completing request"}})
    assert found.reason == "RetriesExhausted: Process exited before completing request"


@pytest.mark.parametrize("body", ["", "no JSON", '"text"', "3", "null", "[]", "[1, 2]", "{}", "[" * 100_000])
def test_a_body_that_is_not_a_json_object_is_kept_unchanged(body: str) -> None:
    found = letter(body)
    assert found.body == body
    assert found.event is None
    assert found.uploads == ()
    assert found.reason == "unknown reason: the function gave no message"


@pytest.mark.parametrize(
    "event",
    [
        None,
        "text",
        [],
        {},
        {"Records": None},
        {"Records": []},
        {"Records": ["text"]},
        {"Records": [{**RECORD, "eventSource": "aws:sns"}]},
        {"Records": [{**RECORD, "s3": None}]},
        {"Records": [{**RECORD, "s3": {"bucket": {"name": "uploads"}, "object": {"key": 5}}}]},
        {"Records": [{**RECORD, "eventName": "ObjectRemoved:Delete"}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "no JSON"}}]},
        {"Type": "Notification", "Message": json.dumps({"Records": []})},
    ],
)
def test_an_event_in_which_the_handlers_find_no_upload_holds_no_uploads(event: Any) -> None:
    found = letter({**LETTER, "requestPayload": event})
    assert found.uploads == ()
    assert found.event == event


@pytest.mark.parametrize("malformed", [{"eventSource": "aws:s3"}, {**RECORD, "eventSource": "aws:sns"}])
def test_a_malformed_record_does_not_hide_the_others(malformed: dict[str, Any]) -> None:
    event = {"Records": [malformed, RECORD]}
    assert letter({**LETTER, "requestPayload": event}).keys == ["calls/müller +1.wav"]


@pytest.mark.parametrize("time", [None, "yesterday", "0001-01-01T00:00:00+14:00"])
def test_the_time_of_the_upload_may_be_unknown(time: str | None) -> None:
    [upload] = letter({**LETTER, "requestPayload": {"Records": [{**RECORD, "eventTime": time}]}}).uploads
    assert (upload.key, upload.uploaded_at) == ("calls/müller +1.wav", None)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("requestContext", None),
        ("requestContext", "text"),
        ("requestContext", {"condition": None, "approximateInvokeCount": "many"}),
        ("responsePayload", "text"),
        ("responsePayload", [1]),
        ("responsePayload", {"errorType": None, "errorMessage": 5}),
    ],
)
def test_fields_of_the_wrong_type_count_as_missing(part: str, value: Any) -> None:
    found = letter({**LETTER, part: value})
    assert isinstance(found.reason, str)
    assert found.attempts in (3, None)
    assert found.keys == ["calls/müller +1.wav"]


EVENT_OF_EVENTBRIDGE = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "time": "2026-11-14T18:10:05Z",
    "detail": {"bucket": {"name": "uploads"}, "object": {"key": "calls/müller +1.wav", "sequencer": "6"}},
}


def moved(body: Any) -> DeadLetter:
    """A message that SQS has moved from an upload queue."""
    attributes = {
        "SentTimestamp": "1794679205568",
        "ApproximateReceiveCount": "6",  # grows whenever somebody looks
        "DeadLetterQueueSourceArn": "arn:aws:sqs:eu-central-1:123456789012:uploads",
    }
    text = body if isinstance(body, str) else json.dumps(body)
    return read({"MessageId": "0f-1", "Body": text, "Attributes": attributes})


@pytest.mark.parametrize(
    "event",
    [
        {"Records": [RECORD]},
        EVENT_OF_EVENTBRIDGE,
        {"Type": "Notification", "Message": json.dumps({"Records": [RECORD]})},
    ],
)
def test_what_was_received_too_often_is_the_event_and_says_where_its_reason_is(event: dict[str, Any]) -> None:
    found = moved(event)
    assert (found.event, found.keys) == (event, ["calls/müller +1.wav"])
    assert (found.condition, found.attempts) == ("MaxReceiveCount", None)
    assert found.reason == ("MaxReceiveCount: the lines of the function's log with this object_key and a cause say why")


@pytest.mark.parametrize("body", ["no JSON", "[]", '{"Event": "x"}', '{"Records": [null]}', '{"Records": 5}'])
def test_what_was_received_too_often_may_be_no_event(body: str) -> None:
    found = moved(body)
    assert found.uploads == ()
    assert found.body in (body, json.loads(body) if body != "no JSON" else "")
    assert "object_key" not in found.reason
    assert "log" in found.reason
