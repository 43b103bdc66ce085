"""Idempotent and ordered writes, against moto's DynamoDB."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from inference.store import PredictionStore

from .conftest import TABLE


@pytest.fixture
def store(aws: SimpleNamespace) -> PredictionStore:
    return PredictionStore(dynamodb=aws.dynamodb, table=TABLE)


def item(sequencer: str, label: str = "Speech", **more: str) -> dict[str, Any]:
    return {"object_key": "a.wav", "sequencer": sequencer, "label": label, **more}


def test_values_are_stored_as_dynamodb_types(store: PredictionStore, aws: SimpleNamespace) -> None:
    values = {"score": 0.5, "cold_start": True, "size_bytes": 7, "timings_ms": {"total": 1.5}, "version_id": None}
    assert store.put({**item("01"), **values, "top_labels": [{"label": "Speech", "score": 0.5}]})
    written = aws.item("a.wav")
    assert written["score"] == {"N": "0.5"}
    assert written["cold_start"] == {"BOOL": True}
    assert written["size_bytes"] == {"N": "7"}
    assert written["timings_ms"] == {"M": {"total": {"N": "1.5"}}}
    assert written["top_labels"] == {"L": [{"M": {"label": {"S": "Speech"}, "score": {"N": "0.5"}}}]}
    assert "version_id" not in written


def test_a_newer_event_overwrites(store: PredictionStore, aws: SimpleNamespace) -> None:
    assert store.put(item("0055AED6DCD90281E5", "old"))
    assert store.put(item("0055AED6DCD90281E6", "new"))
    assert aws.item("a.wav")["label"] == {"S": "new"}


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5"),
        ("0056", "0055AED6DCD90281E5"),  # a shorter one is padded on the right
        ("0055AED6DCD90281E51", "0055AED6DCD90281E5"),
        ("00AB", "00aa"),  # upper and lower case are the same digits
        ("0055", "005500"),  # the same after padding
    ],
)
def test_an_older_event_that_comes_late_does_not_overwrite(
    store: PredictionStore, aws: SimpleNamespace, newer: str, older: str
) -> None:
    assert store.put(item(newer, "new"))
    assert not store.put(item(older, "old"))
    assert aws.item("a.wav")["label"] == {"S": "new"}


def test_the_same_event_twice_keeps_the_first_result(store: PredictionStore, aws: SimpleNamespace) -> None:
    assert store.put(item("01", "first"))
    assert not store.put(item("01", "again"))
    assert aws.item("a.wav")["label"] == {"S": "first"}


FOUND = ""  # the sequencer of an object that was found in its bucket


def test_what_was_found_is_written_and_replaced_by_what_is_found_again(
    store: PredictionStore, aws: SimpleNamespace
) -> None:
    assert store.put(item(FOUND, "first", etag="e"))
    assert store.put(item(FOUND, "of another model", etag="e"))
    assert aws.item("a.wav")["label"] == {"S": "of another model"}


def test_any_event_replaces_what_was_found(store: PredictionStore, aws: SimpleNamespace) -> None:
    store.put(item(FOUND, "found", etag="e"))
    assert store.put(item("0001", "uploaded", etag="f"))
    assert aws.item("a.wav")["label"] == {"S": "uploaded"}


BEFORE, AT, AFTER = (f"2026-11-20T09:30:0{second}.000+00:00" for second in range(3))


def test_what_was_found_does_not_replace_what_may_be_about_a_newer_upload(
    store: PredictionStore, aws: SimpleNamespace
) -> None:
    other: list[tuple[dict[str, str], dict[str, str], str]] = [  # item, what was found, when it was the newest
        ({}, {"etag": "e"}, AT),
        ({"completed_at": AT}, {"etag": "e"}, AT),
        ({"completed_at": AFTER}, {"etag": "e"}, AT),
        ({"completed_at": BEFORE}, {"etag": "e"}, ""),
        ({"completed_at": BEFORE}, {"etag": ""}, ""),  # refused unread
        ({"completed_at": BEFORE}, {}, ""),
    ]
    for number, (existing, found, newest_at) in enumerate(other):
        for sequencer in ("01", FOUND):
            key = f"{number}{sequencer}.wav"
            store.put({**item(sequencer, "uploaded", etag="newer upload", **existing), "object_key": key})
            assert not store.put({**item(FOUND, "found", **found), "object_key": key}, newest_at=newest_at)
            assert aws.item(key)["label"] == {"S": "uploaded"}


@pytest.mark.parametrize("sequencer", ["02", FOUND])
def test_what_was_found_replaces_what_was_completed_when_it_was_the_newest_upload(
    store: PredictionStore, aws: SimpleNamespace, sequencer: str
) -> None:
    store.put(item(sequencer, "replaced upload", etag="d", uploaded_at="then", version_id="v1", completed_at=BEFORE))
    assert store.put(item(FOUND, "upload without an event", etag="e", uploaded_at="now"), newest_at=AT)
    written = aws.item("a.wav")
    assert (written["label"]["S"], written["uploaded_at"]["S"]) == ("upload without an event", "now")
    assert "version_id" not in written
    assert store.put(item("01", "an older event")) is (sequencer == FOUND)
    assert store.put(item("03", "a newer event"))


def test_what_another_prediction_of_the_same_object_does_not_know_of_the_upload_stays(
    store: PredictionStore, aws: SimpleNamespace
) -> None:
    upload = {"etag": "e", "uploaded_at": "2026-11-20T09:30:00.123Z", "size_bytes": 5, "version_id": "v"}
    store.put({**item("02", "old model"), **upload, "audio_seconds": 1.5})
    assert store.put({**item(FOUND, "new model"), **upload, "uploaded_at": "2026-11-20T09:30:00.000Z"})
    assert store.put(item(FOUND, "newest model", etag="e"))
    written = aws.item("a.wav")
    assert written["label"]["S"] == "newest model"
    assert "audio_seconds" not in written
    assert {name: next(iter(written[name].values())) for name in upload} == {**upload, "size_bytes": "5"}


def test_an_object_with_the_result_of_its_event_is_predicted_again_and_keeps_its_place_among_the_events(
    store: PredictionStore, aws: SimpleNamespace
) -> None:
    store.put(item("02", "old model", etag="e"))
    assert store.put(item(FOUND, "new model", etag="e"))
    assert aws.item("a.wav")["label"] == {"S": "new model"}
    assert not store.put(item("01", "older upload", etag="d"))
    assert store.put(item("03", "newer upload", etag="f"))


def test_an_upload_while_its_predecessor_is_predicted_again_wins(store: PredictionStore, aws: SimpleNamespace) -> None:
    store.put(item("01", "old model", etag="e"))
    put = store.dynamodb.put_item
    attempts = []

    def put_item(**request: Any) -> Any:
        attempts.append(request)
        if len(attempts) == 2:  # between the two attempts of what was found
            PredictionStore(dynamodb=aws.dynamodb, table=TABLE).put(item("02", "uploaded", etag="f"))
        return put(**request)

    store.dynamodb = SimpleNamespace(put_item=put_item, exceptions=aws.dynamodb.exceptions)
    assert not store.put(item(FOUND, "new model", etag="e"))
    assert len(attempts) == 2
    assert aws.item("a.wav")["label"] == {"S": "uploaded"}


@pytest.mark.parametrize("go", [PredictionStore.check, PredictionStore.prime])
def test_checking_and_priming_send_a_write_that_writes_nothing(
    store: PredictionStore, aws: SimpleNamespace, go: Callable[[PredictionStore], None]
) -> None:
    calls = []
    aws.dynamodb.meta.events.register("after-call.dynamodb.PutItem", lambda parsed, **_: calls.append(parsed))
    go(store)
    assert calls[0]["Error"]["Code"] == "ConditionalCheckFailedException"
    assert aws.dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_checking_an_unwritable_table_fails_but_priming_it_does_not(aws: SimpleNamespace) -> None:
    store = PredictionStore(dynamodb=aws.dynamodb, table="no-such-table")
    store.prime()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        store.check()


def test_a_value_that_dynamodb_cannot_hold_is_refused(store: PredictionStore) -> None:
    with pytest.raises(TypeError, match="bytes cannot be stored"):
        store.put({**item("01"), "body": b"audio"})
