"""S3's event notifications: the only place that knows their shape.

Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class InvalidEventError(ValueError):
    """What arrived is no S3 event notification."""


@dataclass(frozen=True, kw_only=True)
class S3Object:
    """One uploaded object, as its event describes it.

    Attributes:
        bucket: name of the bucket.
        key: the object's key, decoded.
        version_id: None in a bucket without versioning.
        etag: entity tag, without quotes.
        sequencer: hexadecimal; orders the events of one key.
        size_bytes: None where the sender did not say.
        uploaded_at: when S3 took the object, ISO 8601 in UTC.
    """

    bucket: str
    key: str
    version_id: str | None = None
    etag: str = ""
    sequencer: str = ""
    size_bytes: int | None = None
    uploaded_at: str = ""


def parse(event: Mapping[str, Any]) -> list[S3Object]:
    """The objects that an S3 event notification reports as created.

    Keys arrive percent-encoded with a plus sign for a space. S3's own `s3:TestEvent`, sent when a notification is set
    up, and events other than `ObjectCreated` hold no upload.

    Raises:
        InvalidEventError: the event is not S3's.
    """
    if not isinstance(event, Mapping):
        raise InvalidEventError(f"An S3 event is a JSON object with Records, not {type(event).__name__}.")
    if event.get("Event") == "s3:TestEvent":
        return []
    records = event.get("Records")
    if not isinstance(records, list):
        raise InvalidEventError(f"An S3 event has a list of Records; this one has the keys {sorted(map(str, event))}.")
    return [_s3_object(record) for record in records if _is_upload(record)]


def _is_upload(record: Any) -> bool:
    if not isinstance(record, Mapping) or record.get("eventSource") != "aws:s3":
        raise InvalidEventError("A record of the event is not from S3: its eventSource must be aws:s3.")
    return str(record.get("eventName", "")).startswith("ObjectCreated:")


def _s3_object(record: Mapping[str, Any]) -> S3Object:
    try:
        s3 = record["s3"]
        entity = s3["object"]
        size = entity.get("size")
        return S3Object(
            bucket=str(s3["bucket"]["name"]),
            key=unquote_plus(entity["key"], errors="strict"),
            version_id=entity.get("versionId") or None,
            etag=str(entity.get("eTag") or ""),
            sequencer=str(entity.get("sequencer") or ""),
            size_bytes=None if size is None else int(size),
            uploaded_at=str(record.get("eventTime") or ""),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidEventError(f"A record of the S3 event is malformed: {type(error).__name__}: {error}.") from error
