"""Events as S3 sends them, and other input."""

import json
from typing import Any

import pytest

from inference.s3_events import InvalidEventError, PassedOver, S3Object, is_health_check, parse, parts

from .events import BUCKET, batch_task, event, record, through_sqs


def uploads(sent: Any) -> list[S3Object]:
    """The uploads of an event, none of whose records is malformed."""
    found = parse(sent)
    assert not [each for each in found if isinstance(each, InvalidEventError)]
    return [each for each in found if isinstance(each, S3Object)]


def through_sns(sent: Any) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html"""
    message = {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": json.dumps(sent)}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": message}]}


def of_eventbridge(**object_fields: Any) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    entity = {"key": "a b+c%20.wav", "size": 5, "etag": "b1", "version-id": "v1", "sequencer": "00617F08299329D189"}
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "time": "2026-11-12T00:00:00Z",
        "detail": {"version": "0", "bucket": {"name": "uploads"}, "object": {**entity, **object_fields}},
    }


@pytest.mark.parametrize(
    "wrapped",
    [
        through_sqs,
        through_sns,
        lambda sent: through_sqs(through_sns(sent)["Records"][0]["Sns"]),
        lambda sent: through_sqs(through_sqs(sent)),
    ],
    ids=["SQS", "SNS", "SNS in SQS", "SQS twice"],
)
def test_the_same_is_read_from_messages_with_the_event(wrapped: Any) -> None:
    sent = event(record("1 ä.wav", versionId="v"), record("2.wav"))
    assert uploads(wrapped(sent)) == uploads(sent)
    assert uploads(wrapped(of_eventbridge())) == uploads(of_eventbridge())


def test_a_message_that_is_malformed_does_not_affect_the_others() -> None:
    first, error, last = parse(through_sqs(event(record("1.wav")), "no JSON", event(record("2.wav"))))
    assert isinstance(first, S3Object) and isinstance(last, S3Object)
    assert isinstance(error, InvalidEventError)
    assert str(error).startswith("A message with an S3 event is malformed: ")


@pytest.mark.parametrize("body", ["[" * 100_000, "5", "null", '{"Records": 5}', '{"no": "event"}', ""])
def test_any_body_of_a_message_gives_an_error_as_its_entry(body: str) -> None:
    (error,) = parse(through_sqs(body))
    assert isinstance(error, InvalidEventError)


def test_envelopes_round_envelopes_end() -> None:
    sent = event(record("a.wav"))
    for _ in range(4):
        sent = through_sqs(sent)
    (error,) = parse(sent)
    assert isinstance(error, InvalidEventError)
    assert "more than 3 envelopes" in str(error)


def test_an_event_of_eventbridge_is_read_without_decoding_its_key() -> None:
    (found,) = uploads(of_eventbridge())
    assert found == S3Object(
        bucket="uploads",
        key="a b+c%20.wav",
        version_id="v1",
        etag="b1",
        sequencer="00617F08299329D189",
        size_bytes=5,
        uploaded_at="2026-11-12T00:00:00Z",
    )


def test_eventbridges_other_events_are_passed_over() -> None:
    deleted = {**of_eventbridge(), "detail-type": "Object Deleted"}
    assert parse(deleted) == [PassedOver(reason="It reports 'Object Deleted', no upload.")]


@pytest.mark.parametrize("fields", [{"key": ""}, {"key": 5}, {"size": -1}, {"sequencer": "x"}, {"etag": 5}])
def test_a_malformed_event_of_eventbridge_is_an_error(fields: dict[str, Any]) -> None:
    (error,) = parse(of_eventbridge(**fields))
    assert isinstance(error, InvalidEventError)


def test_an_empty_object_that_stands_for_a_folder_is_passed_over() -> None:
    folder, empty, full = parse(event(record("a/", size=0), record("a", size=0), record("b/", size=5)))
    assert folder == PassedOver(reason="It stands for a folder.", bucket="uploads", key="a/")
    assert isinstance(empty, S3Object) and isinstance(full, S3Object)


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
def test_a_key_is_decoded_to_what_was_uploaded(key: str) -> None:
    (s3_object,) = uploads(event(record(key)))
    assert s3_object.key == key


def test_a_key_encoded_by_s3_itself_is_decoded() -> None:
    sent = record("x")
    sent["s3"]["object"]["key"] = "Happy+Face%2B1+%C3%BC.wav"
    assert uploads(event(sent))[0].key == "Happy Face+1 ü.wav"


def test_every_field_that_the_pipeline_needs_is_read() -> None:
    (s3_object,) = uploads(event(record("a.wav", size=42, sequencer="00AB", versionId="v1")))
    assert (s3_object.bucket, s3_object.size_bytes, s3_object.sequencer) == ("uploads", 42, "00AB")
    assert (s3_object.version_id, s3_object.etag) == ("v1", "d41d8cd98f00b204e9800998ecf8427e")
    assert s3_object.uploaded_at == "2026-11-20T09:30:00.123Z"


def test_every_record_of_an_event_is_read_in_order() -> None:
    assert [o.key for o in uploads(event(record("1.wav"), record("2.wav"), record("3.wav")))] == [
        "1.wav",
        "2.wav",
        "3.wav",
    ]


def test_a_bucket_without_versioning_sends_no_version() -> None:
    assert uploads(event(record("a.wav")))[0].version_id is None


def test_the_test_event_of_a_new_notification_is_not_an_upload() -> None:
    sent = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-11-20T09:30:00.123Z",
        "Bucket": "uploads",
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
    }
    assert parse(sent) == [PassedOver(reason="It is S3's test of a new notification.")]
    assert parse(through_sqs(sent)) == parse(sent)


def test_a_deletion_is_not_an_upload() -> None:
    deleted = {**record("a.wav"), "eventName": "ObjectRemoved:Delete"}
    assert [o.key for o in uploads(event(deleted, record("b.wav")))] == ["b.wav"]


@pytest.mark.parametrize(
    "wrong", [None, [], "Records", 7, {}, {"Records": None}, {"Records": {}}, {1: 2, "a" * 10_000: 3, "\ud800": 4}]
)
def test_an_event_that_is_not_s3s_is_refused_with_a_sentence(wrong: Any) -> None:
    with pytest.raises(InvalidEventError, match=r"\.$") as caught:
        parse(wrong)
    assert len(str(caught.value).encode()) < 1000


def with_object(**fields: Any) -> dict[str, Any]:
    sent = record("a.wav")
    sent["s3"]["object"] |= fields
    return sent


def with_bucket(name: Any) -> dict[str, Any]:
    sent = record("a.wav")
    sent["s3"]["bucket"]["name"] = name
    return sent


def without(name: str) -> dict[str, Any]:
    sent = record("a.wav")
    del sent["s3"]["object"][name]
    return sent


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"s3": value, "object": value, "key": [value]}
    return value


MALFORMED: dict[str, Any] = {
    "null": None,
    "a list": [],
    "nothing": {},
    "another source": {**record("a"), "eventSource": "aws:ses"},
    "no source": {"eventName": "ObjectCreated:Put", "s3": {}},
    "a name that is a number": {**record("a"), "eventName": 10**5000},
    "no s3": {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"},
    "s3 is a list": {**record("a"), "s3": [1]},
    "no bucket": {**record("a"), "s3": {"object": {"key": "a", "sequencer": "00"}}},
    "deep": {**record("a"), "s3": nested(50_000)},
    "time is a number": {**record("a"), "eventTime": 5},
    "bucket is a number": with_bucket(7),
    "bucket is empty": with_bucket(""),
    "bucket is a flag": with_bucket(True),
    "bucket is no Unicode": with_bucket("\ud800"),
    "no key": without("key"),
    "no sequencer": without("sequencer"),
    "key is a number": with_object(key=7),
    "key is null": with_object(key=None),
    "key is empty": with_object(key=""),
    "key is no UTF-8": with_object(key="%ff"),
    "key is no Unicode": with_object(key="\ud800.wav"),
    "key is too long": with_object(key="a" * 1025),
    "key is huge": with_object(key="a" * 1_000_000),
    "size is a word": with_object(size="large"),
    "size is a numeral": with_object(size="5"),
    "size is a flag": with_object(size=True),
    "size is negative": with_object(size=-1),
    "size is a fraction": with_object(size=1.5),
    "size is huge": with_object(size=10**5000),
    "sequencer is a number": with_object(sequencer=5),
    "sequencer is a word": with_object(sequencer="newest"),
    "version is a number": with_object(versionId=5),
    "version is too long": with_object(versionId="v" * 1025),
    "etag is a list": with_object(eTag=["e"]),
}


@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_record_is_named_and_does_not_affect_the_others(malformed: Any) -> None:
    first, error, last = parse({"Records": [record("1.wav"), malformed, record("2.wav")]})
    assert isinstance(error, InvalidEventError)
    assert str(error).startswith("A record of the S3 event is malformed: ")
    assert str(error).endswith(".")
    assert len(str(error)) < 200
    assert isinstance(first, S3Object) and isinstance(last, S3Object)
    assert [first.key, last.key] == ["1.wav", "2.wav"]


def test_the_longest_key_is_read_however_it_is_encoded() -> None:
    key = "é" * 512  # 1,024 bytes
    assert uploads(event(record(key)))[0].key == key


def test_json_nested_deeper_than_pythons_recursion_limit_is_handled() -> None:
    with pytest.raises(InvalidEventError):
        parse(nested(50_000))


@pytest.mark.parametrize("size", [0, 1, None, 5 * 2**40])
def test_a_size_is_optional(size: int | None) -> None:
    assert uploads(event(with_object(size=size)))[0].size_bytes == size


def test_only_the_projects_own_event_is_a_health_check() -> None:
    assert is_health_check({"Event": "crossover:HealthCheck"})
    others: list[Any] = [None, [], {"Event": "s3:TestEvent"}, {"Event": ["crossover:HealthCheck"]}, event(record("a"))]
    for other in others:
        assert not is_health_check(other)


def test_each_message_of_a_queue_is_a_part() -> None:
    sent = through_sqs(event(record("1.wav"), record("2.wav")), "no JSON", of_eventbridge(), {"Event": "s3:TestEvent"})
    found = parts(sent)
    assert [part.id for part in found] == ["m0", "m1", "m2", "m3"]
    assert [entry for part in found for entry in part.entries][:2] == parse(sent)[:2]
    assert [[type(entry) for entry in part.entries] for part in found] == [
        [S3Object, S3Object],
        [InvalidEventError],
        [S3Object],
        [PassedOver],
    ]


@pytest.mark.parametrize(
    "sent", [event(record("a"), record("b")), of_eventbridge(), through_sns(event(record("a"))), {"Records": []}]
)
def test_any_other_event_is_one_part(sent: Any) -> None:
    (part,) = parts(sent)
    assert (part.id, part.entries) == ("", parse(sent))


@pytest.mark.parametrize("sent", [through_sqs(event(record("a"))), batch_task("a")], ids=["SQS", "S3 Batch"])
@pytest.mark.parametrize("wrong", [None, 7, "", "x" * 2000])
def test_a_message_or_task_that_cannot_be_named_fails_as_a_whole(sent: dict[str, Any], wrong: Any) -> None:
    for each, name in [(each, "messageId") for each in sent.get("Records", [])] + [
        (each, "taskId") for each in sent.get("tasks", [])
    ]:
        each[name] = wrong
    with pytest.raises(InvalidEventError, match=r"malformed: (messageId|taskId) .*\.$"):
        parts(sent)


@pytest.mark.parametrize(
    "bucket",
    [
        {"s3BucketArn": f"arn:aws:s3:::{BUCKET}"},
        {"s3BucketArn": f"arn:aws:s3:eu-west-1:123456789012:{BUCKET}"},
        {"s3BucketArn": None, "s3Bucket": BUCKET},
    ],
)
def test_a_task_of_batch_operations_names_an_object_but_no_event(bucket: dict[str, Any]) -> None:
    (part,) = parts(batch_task("a b+ü%.wav", s3VersionId="v1", **bucket))
    assert part.id == "t0"
    assert part.entries == [S3Object(bucket=BUCKET, key="a b+ü%.wav", version_id="v1")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"s3Key": "%ff"},
        {"s3Key": None},
        {"s3Key": "a" * 1025},
        {"s3BucketArn": "arn:aws:s3:::"},
        {"s3BucketArn": None},
        {"s3BucketArn": None, "s3Bucket": 7},
        {"s3VersionId": 7},
    ],
)
def test_a_malformed_task_has_an_error_as_its_entry(wrong: dict[str, Any]) -> None:
    (part,) = parts(batch_task("a.wav", **wrong))
    assert part.id == "t0"
    assert isinstance(part.entries[0], InvalidEventError)


def test_a_folder_that_a_job_finds_is_passed_over() -> None:
    (part,) = parts(batch_task("folder/"))
    assert isinstance(part.entries[0], PassedOver)
