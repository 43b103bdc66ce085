"""The events that a handler receives; no other module knows their shapes.

S3's notifications: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

# S3's longest key and version id, in bytes of UTF-8; no other string of a record is longer.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_TEXT_BYTES = 1024
# DynamoDB's numbers hold it exactly, and it is far above S3's largest object.
MAX_SIZE_BYTES = 2**63 - 1


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
        sequencer: hexadecimal; orders the events of a key.
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


def is_health_check(event: Any) -> bool:
    """Whether the event asks for a health check: `{"Event": "crossover:HealthCheck"}`."""
    return isinstance(event, Mapping) and event.get("Event") == "crossover:HealthCheck"


def parse(event: Any) -> list[S3Object | InvalidEventError]:
    """The objects that an S3 event notification reports as created, one entry for each such record.

    Keys arrive percent-encoded, with a plus sign for a space. S3's own `s3:TestEvent`, sent when a notification is set
    up, and records other than `ObjectCreated` give no entry. A malformed record gives an error as its entry and does
    not affect the others.

    Raises:
        InvalidEventError: the event as a whole is not S3's. Nothing else is raised, whatever the event.
    """
    if not isinstance(event, Mapping):
        raise InvalidEventError(f"An S3 event is a JSON object with Records, not {type(event).__name__}.")
    if event.get("Event") == "s3:TestEvent":
        return []
    records = event.get("Records")
    if not isinstance(records, list):
        some = [name[:50] for name in islice(event, 5) if isinstance(name, str)]
        raise InvalidEventError(f"An S3 event has a list of Records; the first keys of this one are {some}.")
    entries = map(_entry, records)
    return [entry for entry in entries if entry is not None]


def _entry(record: Any) -> S3Object | InvalidEventError | None:
    """None for a record that does not report an upload."""
    try:
        source, name = _member(record, "eventSource"), _member(record, "eventName")
        if source != "aws:s3":
            raise ValueError("its eventSource must be aws:s3")
        if not isinstance(name, str):
            raise ValueError("its eventName must be a string")
        return _s3_object(record) if name.startswith("ObjectCreated:") else None
    except ValueError as error:
        return InvalidEventError(f"A record of the S3 event is malformed: {error}.")


def _s3_object(record: Any) -> S3Object:
    s3 = _member(record, "s3")
    entity = _member(s3, "object")
    size = _member(entity, "size")
    if size is not None and (type(size) is not int or not 0 <= size <= MAX_SIZE_BYTES):
        raise ValueError("size must be a number of bytes")
    sequencer = _text(entity, "sequencer")
    # Without it the order of two uploads to one key would be unknown.
    if not re.fullmatch("[0-9A-Fa-f]+", sequencer):
        raise ValueError("sequencer must be hexadecimal")
    return S3Object(
        bucket=_text(_member(s3, "bucket"), "name"),
        key=_decoded(_text(entity, "key", 3 * MAX_TEXT_BYTES)),
        version_id=_text(entity, "versionId") if _member(entity, "versionId") else None,
        etag=_text(entity, "eTag") if _member(entity, "eTag") else "",
        sequencer=sequencer,
        size_bytes=size,
        uploaded_at=_text(record, "eventTime") if _member(record, "eventTime") else "",
    )


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
