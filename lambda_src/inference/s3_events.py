"""The events that a handler receives; no other module knows their shapes.

S3's notifications: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
They may come through SQS or SNS: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
EventBridge: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
S3 Batch Operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
What the last and SQS's event source mapping want to be answered is in answers.py.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

# S3's longest key and version id, in bytes of UTF-8; no other string of a record is longer.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_TEXT_BYTES = 1024
# DynamoDB's numbers hold it exactly, and it is far above S3's largest object.
MAX_SIZE_BYTES = 2**63 - 1
MAX_ENVELOPES = 3  # SQS round SNS round S3's event


class InvalidEventError(ValueError):
    """This is not an S3 event notification, or one of its records is malformed."""


@dataclass(frozen=True, kw_only=True)
class S3Object:
    """One uploaded object, as its event describes it.

    Attributes:
        bucket: name of the bucket.
        key: the object's key, percent-decoded.
        version_id: None in a bucket without versioning.
        etag: entity tag, without quotes.
        sequencer: hexadecimal; orders the events of a key. Empty for a task of S3 Batch Operations: it finds an object,
            and is no event of it. store.py says what such a result may replace.
        size_bytes: None where the event does not give it.
        uploaded_at: when S3 stored the object, ISO 8601 in UTC.
    """

    bucket: str
    key: str
    version_id: str | None = None
    etag: str = ""
    sequencer: str = ""
    size_bytes: int | None = None
    uploaded_at: str = ""


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """What an event reports that is no upload to predict.

    Attributes:
        reason: a sentence.
        bucket, key: empty where it reports no object.
    """

    reason: str
    bucket: str = ""
    key: str = ""


Entry = S3Object | PassedOver | InvalidEventError


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of an event that succeeds or fails on its own, for whoever sent the event.

    Attributes:
        id: of a message of SQS or a task of S3 Batch Operations; empty where the event is the one part.
        entries: what it reports.
    """

    id: str = ""
    entries: list[Entry]


def is_health_check(event: Any) -> bool:
    """Whether the event asks for a health check: `{"Event": "crossover:HealthCheck"}`."""
    return isinstance(event, Mapping) and event.get("Event") == "crossover:HealthCheck"


def is_from_queue(event: Any) -> bool:
    """Whether an event source mapping sent it, with messages of SQS."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records)
    )


def is_from_batch_operations(event: Any) -> bool:
    """Whether a job of S3 Batch Operations sent it."""
    return isinstance(event, Mapping) and "invocationSchemaVersion" in event and isinstance(event.get("tasks"), list)


def parts(event: Any) -> list[Part]:
    """What an event reports, by message of SQS or task of S3 Batch Operations; else one part with all of it.

    Raises:
        InvalidEventError: as `parse` does, or a message or task has no id, without which none can be answered.
    """
    try:
        if is_from_batch_operations(event):
            return [Part(id=_text(task, "taskId"), entries=[_entry(task, _task_object)]) for task in event["tasks"]]
        if is_from_queue(event):
            messages = event["Records"]
            ids = [_text(message, "messageId") for message in messages]
            return [
                Part(id=message_id, entries=_inside(message, "body", MAX_ENVELOPES))
                for message_id, message in zip(ids, messages, strict=True)
            ]
    except ValueError as error:
        raise InvalidEventError(f"A message or task is malformed: {error}.") from None
    return [Part(entries=parse(event))]


def parse(event: Any) -> list[Entry]:
    """The objects that an event reports as created, one entry for each record.

    The event is a notification of S3, such notifications in messages of SQS or SNS, or EventBridge's `Object Created`.
    In notifications keys are percent-encoded, with a plus sign for a space. S3's own `s3:TestEvent`, sent when a
    notification is set up, other kinds of event and the empty objects that stand for folders are passed over. A
    malformed record gives an error as its entry and does not affect the others.

    Raises:
        InvalidEventError: the event as a whole is none of these. Nothing else is raised, whatever the event.
    """
    return _parse(event, MAX_ENVELOPES)


def _parse(event: Any, envelopes: int) -> list[Entry]:
    if not isinstance(event, Mapping):
        raise InvalidEventError(f"An S3 event is a JSON object with Records, not {type(event).__name__}.")
    if event.get("Event") == "s3:TestEvent":
        return [PassedOver(reason="It is S3's test of a new notification.")]
    if event.get("source") == "aws.s3":
        return [_entry(event, _eventbridge_object)]
    if event.get("Type") == "Notification" and "Message" in event:  # SNS's, in a message of SQS
        return _inside(event, "Message", envelopes)
    records = event.get("Records")
    if not isinstance(records, list):
        some = [name[:50] for name in islice(event, 5) if isinstance(name, str)]
        raise InvalidEventError(f"An S3 event has a list of Records; the first keys of this one are {some}.")
    entries: list[Entry] = []
    for record in records:
        if isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs":
            entries += _inside(record, "body", envelopes)
        elif isinstance(record, Mapping) and record.get("EventSource") == "aws:sns":
            entries += _inside(record.get("Sns"), "Message", envelopes)
        else:
            entries.append(_entry(record, _notified_object))
    return entries


def _inside(envelope: Any, name: str, envelopes: int) -> list[Entry]:
    """What the event in a message reports."""
    try:
        if not envelopes:
            raise ValueError(f"it has more than {MAX_ENVELOPES} envelopes")
        text = _member(envelope, name)
        if not isinstance(text, str):
            raise ValueError(f"{name} must be JSON in a string")
        return _parse(json.loads(text), envelopes - 1)
    except InvalidEventError as error:
        return [error]
    except (ValueError, RecursionError) as error:
        return [InvalidEventError(f"A message with an S3 event is malformed: {error}.")]


def _entry(record: Any, read: Callable[[Any], S3Object | PassedOver]) -> Entry:
    try:
        found = read(record)
    except ValueError as error:
        return InvalidEventError(f"A record of the S3 event is malformed: {error}.")
    if isinstance(found, S3Object) and found.key.endswith("/") and found.size_bytes == 0:
        return PassedOver(reason="It stands for a folder.", bucket=found.bucket, key=found.key)
    return found


def _notified_object(record: Any) -> S3Object | PassedOver:
    source, name = _member(record, "eventSource"), _member(record, "eventName")
    if source != "aws:s3":
        raise ValueError("its eventSource must be aws:s3, aws:sqs or aws:sns")
    if not isinstance(name, str):
        raise ValueError("its eventName must be a string")
    if not name.startswith("ObjectCreated:"):
        return PassedOver(reason=f"It reports {name[:100]!r}, no upload.")
    return _s3_object(record)


def _task_object(task: Any) -> S3Object | PassedOver:
    """Schema 1.0 names the bucket by its ARN, 2.0 by its name; both encode the key."""
    key = _decoded(_text(task, "s3Key", 3 * MAX_TEXT_BYTES))
    arn = _member(task, "s3BucketArn") is not None
    bucket = _text(task, "s3BucketArn").rpartition(":")[2] if arn else _text(task, "s3Bucket")
    if not bucket:
        raise ValueError("s3BucketArn names no bucket")
    if key.endswith("/"):  # a task does not tell the size
        return PassedOver(reason="Its key is that of a folder.", bucket=bucket, key=key)
    return S3Object(
        bucket=bucket, key=key, version_id=_text(task, "s3VersionId") if _member(task, "s3VersionId") else None
    )


def _eventbridge_object(event: Any) -> S3Object | PassedOver:
    kind, detail = _member(event, "detail-type"), _member(event, "detail")
    if kind != "Object Created":
        return PassedOver(reason=f"It reports {str(kind)[:100]!r}, no upload.")
    entity = _member(detail, "object")
    return S3Object(
        bucket=_text(_member(detail, "bucket"), "name"),
        key=_text(entity, "key"),  # not encoded
        version_id=_text(entity, "version-id") if _member(entity, "version-id") else None,
        etag=_text(entity, "etag") if _member(entity, "etag") else "",
        sequencer=_sequencer(entity),
        size_bytes=_size(entity),
        uploaded_at=_text(event, "time") if _member(event, "time") else "",
    )


def _s3_object(record: Any) -> S3Object:
    s3 = _member(record, "s3")
    entity = _member(s3, "object")
    return S3Object(
        bucket=_text(_member(s3, "bucket"), "name"),
        key=_decoded(_text(entity, "key", 3 * MAX_TEXT_BYTES)),
        version_id=_text(entity, "versionId") if _member(entity, "versionId") else None,
        etag=_text(entity, "eTag") if _member(entity, "eTag") else "",
        sequencer=_sequencer(entity),
        size_bytes=_size(entity),
        uploaded_at=_text(record, "eventTime") if _member(record, "eventTime") else "",
    )


def _size(entity: Any) -> int | None:
    size = _member(entity, "size")
    if size is not None and (type(size) is not int or not 0 <= size <= MAX_SIZE_BYTES):
        raise ValueError("size must be a number of bytes")
    return size


def _sequencer(entity: Any) -> str:
    """Without it the order of two uploads to one key would be unknown."""
    sequencer = _text(entity, "sequencer")
    if not re.fullmatch("[0-9A-Fa-f]+", sequencer):
        raise ValueError("sequencer must be hexadecimal")
    return sequencer


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"the parent of {name} is not a JSON object")
    return value.get(name)


def _text(value: Any, name: str, max_bytes: int = MAX_TEXT_BYTES) -> str:
    text = _member(value, name)
    if not isinstance(text, str) or not text:
        raise ValueError(f"{name} must be a non-empty string")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:  # JSON can escape half a surrogate pair, which S3 cannot hold
        raise ValueError(f"{name} is not valid Unicode") from None
    if size > max_bytes:
        raise ValueError(f"{name} has {size:,} bytes; at most {max_bytes:,} are allowed")
    return text


def _decoded(encoded: str) -> str:
    try:
        key = unquote_plus(encoded, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("key is not percent-encoded UTF-8") from None
    if len(key.encode()) > MAX_TEXT_BYTES:
        raise ValueError(f"key has more than the {MAX_TEXT_BYTES:,} bytes that S3 allows")
    return key
