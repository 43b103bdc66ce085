"""Scanning a queue: every dead letter once, and all of them visible to others afterwards."""

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from crossover import aws, dead_letter_queue, interrupts
from crossover.aws import Clients
from crossover.dead_letter_queue import Scan
from crossover.deployed import Variant
from crossover.interrupts import InterruptedBySignalError

from .deployments import eventbridge_event, letter_of, messages_in, put_dead_letter, put_failure


def put(clients: Clients, variant: Variant, count: int) -> list[str]:
    return [put_failure(clients, variant, f"{number}.wav") for number in range(count)]


def walk_of(clients: Clients, variant: Variant) -> Scan:
    return Scan(clients("sqs"), variant.dead_letter_queue)


def test_yields_every_dead_letter_once_and_makes_all_visible(clients: Clients, variant: Variant) -> None:
    ids = put(clients, variant, 25)
    with walk_of(clients, variant) as walk:
        assert sorted(letter.id for letter in walk) == sorted(ids)
        assert messages_in(clients, variant) == (0, 25)
    assert messages_in(clients, variant) == (25, 0)
    assert walk.more == ""


def test_an_empty_queue_has_no_dead_letters(clients: Clients, variant: Variant) -> None:
    with walk_of(clients, variant) as walk:
        assert list(walk) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, InterruptedBySignalError])
def test_makes_all_visible_again_if_it_ends_early(
    clients: Clients, variant: Variant, error: type[BaseException]
) -> None:
    put(clients, variant, 25)
    with pytest.raises(error), walk_of(clients, variant) as walk:
        list(islice(walk, 12))
        raise error(2)
    assert messages_in(clients, variant) == (25, 0)


def test_a_signal_waits_until_received_dead_letters_can_be_made_visible(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clients, variant, 3)
    sqs = clients("sqs")
    receive = sqs.receive_message

    def interrupted(**request: Any) -> Any:
        answer = receive(**request)
        signal.raise_signal(signal.SIGINT)
        return answer

    monkeypatch.setattr(sqs, "receive_message", interrupted)
    before = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    interrupts.install()
    try:
        with pytest.raises(InterruptedBySignalError), walk_of(clients, variant) as walk:
            list(walk)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert messages_in(clients, variant) == (3, 0)


def test_only_messages_that_were_not_deleted_are_made_visible(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(clients, variant, 3)
    requests: list[dict[str, Any]] = []
    sqs = clients("sqs")
    change = sqs.change_message_visibility_batch

    def noted(**request: Any) -> Any:
        requests.append(request)
        return change(**request)

    monkeypatch.setattr(sqs, "change_message_visibility_batch", noted)
    with walk_of(clients, variant) as walk:
        for letter in islice(walk, 2):
            walk.delete(letter)
    assert messages_in(clients, variant) == (1, 0)
    assert [len(request["Entries"]) for request in requests] == [1]


def test_dead_letters_newer_than_the_scan_are_left_to_the_next(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "CLOCK_TOLERANCE", timedelta(0))
    monkeypatch.setattr(aws, "response_time", lambda answer: datetime.now(UTC))
    old = put(clients, variant, 2)
    time.sleep(0.01)
    with walk_of(clients, variant) as walk:
        time.sleep(0.01)
        put(clients, variant, 30)
        assert sorted(letter.id for letter in walk) == sorted(old)
        assert messages_in(clients, variant)[0] > 0  # it has not gone on through all the new ones
    assert messages_in(clients, variant) == (32, 0)
    assert walk.more == "some have come in meanwhile"


def test_a_scan_ends_when_the_first_message_comes_again(
    clients: Clients, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letter_queue, "VISIBILITY_TIMEOUT_SECONDS", 0)  # what was looked at is there again at once
    ids = put(clients, variant, 3)
    with walk_of(clients, variant) as walk:
        assert sorted(letter.id for letter in walk) == sorted(ids)
    assert walk.more == "some have come in meanwhile"


def test_dead_letters_held_by_another_reader_are_mentioned(clients: Clients, variant: Variant) -> None:
    put(clients, variant, 3)
    clients("sqs").receive_message(QueueUrl=variant.dead_letter_queue, MaxNumberOfMessages=1)
    with walk_of(clients, variant) as walk:
        assert len(list(walk)) == 2
    assert walk.more == "another reader holds about 1"


# --- events of EventBridge


def test_an_event_of_eventbridge_that_the_function_failed_on_is_read_like_one_of_s3(
    clients: Clients, variant: Variant
) -> None:
    event = eventbridge_event(variant, "a +%20b.wav")  # a key that is not encoded
    put_dead_letter(clients, variant, letter_of(event))
    with walk_of(clients, variant) as walk:
        (letter,) = walk

    assert letter.event == event
    assert [(upload.bucket, upload.key) for upload in letter.uploads] == [(variant.bucket, "a +%20b.wav")]
    assert letter.uploads[0].uploaded_at is not None
    assert letter.uploads[0].uploaded_at > datetime.now(UTC) - timedelta(minutes=1)
    assert (letter.error_type, letter.attempts) == ("EndpointConnectionError", 3)


def test_an_event_that_eventbridge_could_not_hand_over_says_why(clients: Clients, variant: Variant) -> None:
    event = eventbridge_event(variant, "a.wav")
    reasons = {
        "RULE_ARN": "arn:aws:events:eu-central-1:123456789012:rule/a",
        "TARGET_ARN": "arn:aws:lambda:eu-central-1:123456789012:function:f",
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": "Lack of permissions to invoke the function.",
        "RETRY_ATTEMPTS": "7",
        "EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds",
    }
    put_dead_letter(clients, variant, json.dumps(event), **reasons)
    with walk_of(clients, variant) as walk:
        (letter,) = walk

    assert (letter.event, letter.keys) == (event, ["a.wav"])
    assert (letter.error_type, letter.attempts) == ("NO_PERMISSIONS", 7)
    assert letter.condition == "MaximumEventAgeInSeconds"
    assert letter.reason == "NO_PERMISSIONS: Lack of permissions to invoke the function"


@pytest.mark.parametrize("broken", [{"detail": None}, {"detail": {"object": {}}}, {"time": 7}, {"detail": []}])
def test_a_malformed_event_of_eventbridge_has_no_uploads(
    clients: Clients, variant: Variant, broken: dict[str, Any]
) -> None:
    put_dead_letter(clients, variant, json.dumps(eventbridge_event(variant, "a.wav") | broken))
    with walk_of(clients, variant) as walk:
        (letter,) = walk

    assert (letter.uploads, letter.error_type, letter.attempts) == ((), "", None)


def test_the_time_is_that_of_the_service() -> None:
    answer = {"ResponseMetadata": {"HTTPHeaders": {"date": "Sat, 14 Nov 2026 18:10:05 GMT"}}}
    assert aws.response_time(answer) == datetime(2026, 11, 14, 18, 10, 5, tzinfo=UTC)
