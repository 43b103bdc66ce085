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
    assert store.put(item(FOUND, "first"))
    assert store.put(item(FOUND, "of another model"))
    assert aws.item("a.wav")["label"] == {"S": "of another model"}


def test_any_event_replaces_what_was_found(store: PredictionStore, aws: SimpleNamespace) -> None:
    store.put(item(FOUND, "found", etag="e"))
    assert store.put(item("0001", "uploaded", etag="f"))
    assert aws.item("a.wav")["label"] == {"S": "uploaded"}


@pytest.mark.parametrize("etags", [{"etag": "older upload"}, {"etag": ""}, {}])
def test_what_was_found_does_not_replace_the_result_of_an_event_about_another_upload(
    store: PredictionStore, aws: SimpleNamespace, etags: dict[str, str]
) -> None:
    store.put(item("01", "uploaded", etag="newer upload"))
    assert not store.put(item(FOUND, "found", **etags))
    assert aws.item("a.wav")["label"] == {"S": "uploaded"}


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
