"""Events as S3 sends them, and things that are none."""

from typing import Any

import pytest

from inference.s3_events import InvalidEventError, parse

from .events import event, record


@pytest.mark.parametrize(
    "key",
    [
        "plain.wav",
        "with space.wav",
        "with+plus.wav",
        "percent %41.wav",
        "folder/sub folder/ünïcödé 音声 🎧.flac",
        "a&b=c?d#e;f'g\"h.mp3",
        "trailing ",
    ],
)
def test_a_key_comes_out_as_it_was_uploaded(key: str) -> None:
    (s3_object,) = parse(event(record(key)))
    assert s3_object.key == key


def test_a_key_encoded_by_s3_itself_is_decoded() -> None:
    sent = record("x")
    sent["s3"]["object"]["key"] = "Happy+Face%2B1+%C3%BC.wav"
    assert parse(event(sent))[0].key == "Happy Face+1 ü.wav"


def test_all_that_the_pipeline_needs_is_read() -> None:
    (s3_object,) = parse(event(record("a.wav", size=42, sequencer="00AB", versionId="v1")))
    assert (s3_object.bucket, s3_object.size_bytes, s3_object.sequencer) == ("uploads", 42, "00AB")
    assert (s3_object.version_id, s3_object.etag) == ("v1", "d41d8cd98f00b204e9800998ecf8427e")
    assert s3_object.uploaded_at == "2026-11-20T09:30:00.123Z"


def test_every_record_of_an_event_is_read_in_order() -> None:
    assert [o.key for o in parse(event(record("1.wav"), record("2.wav"), record("3.wav")))] == [
        "1.wav",
        "2.wav",
        "3.wav",
    ]


def test_a_bucket_without_versioning_sends_no_version() -> None:
    assert parse(event(record("a.wav")))[0].version_id is None


def test_the_test_event_of_a_new_notification_holds_no_upload() -> None:
    sent = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-11-20T09:30:00.123Z",
        "Bucket": "uploads",
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
    }
    assert parse(sent) == []


def test_a_deletion_holds_no_upload() -> None:
    deleted = {**record("a.wav"), "eventName": "ObjectRemoved:Delete"}
    assert [o.key for o in parse(event(deleted, record("b.wav")))] == ["b.wav"]


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "Records",
        {},
        {"Records": None},
        {"Records": [None]},
        {"Records": [{"eventSource": "aws:sqs"}]},
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]},
        {"Records": [{**record("a"), "s3": {"bucket": {"name": "b"}, "object": {}}}]},
        {"Records": [{**record("a"), "s3": {"bucket": {"name": "b"}, "object": {"key": 7}}}]},
        {"Records": [{**record("a"), "s3": {"bucket": {"name": "b"}, "object": {"key": "a", "size": "large"}}}]},
        {"Records": [{**record("a"), "s3": {"bucket": {"name": "b"}, "object": {"key": "%ff"}}}]},
    ],
)
def test_what_is_no_s3_event_is_refused_in_a_sentence(wrong: Any) -> None:
    with pytest.raises(InvalidEventError, match=r"\.$"):
        parse(wrong)
