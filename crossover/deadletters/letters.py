"""A dead letter: what Lambda keeps of an asynchronous invocation whose attempts have all failed.

Format: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus


class FailedUpload(NamedTuple):
    """One upload of a dead letter's event.

    Attributes:
        bucket: name of the bucket.
        key: the object's key, decoded.
        uploaded_at: when S3 took the object.
    """

    bucket: str
    key: str
    uploaded_at: datetime


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message of the dead-letter queue, whatever is in it.

    Attributes:
        id: the message's; a letter that fails again comes back under another.
        sent_at: when it came into the queue.
        body: Lambda's record, or the text as it stands where that is no JSON object.
        uploads: what the event is about; empty unless it is an event of S3.
        condition: why Lambda gave up: RetriesExhausted, EventAgeExceeded; empty where it does not say.
        attempts: how often the function was invoked, about; None where it does not say.
        error_type: of the last attempt; the condition where there was no attempt or no type.
        error_message: of the last attempt; empty where there is none.
    """

    id: str
    sent_at: datetime
    body: Mapping[str, Any] | str
    uploads: tuple[FailedUpload, ...]
    condition: str
    attempts: int | None
    error_type: str
    error_message: str

    @property
    def event(self) -> Any:
        """What the function was invoked with; None where there is nothing of the kind."""
        return self.body.get("requestPayload") if isinstance(self.body, Mapping) else None

    @property
    def keys(self) -> list[str]:
        """The objects' keys."""
        return [upload.key for upload in self.uploads]

    @property
    def reason(self) -> str:
        """Why it failed, in a sentence without its full stop."""
        message = self.error_message or "the function gave no message"
        return f"{self.error_type or 'unknown reason'}: {message}".rstrip(".")


def read(message: Mapping[str, Any]) -> DeadLetter:
    """Read a message of the queue, received with its SentTimestamp."""
    record = _json_object(message["Body"])
    context, answer = _mapping(record.get("requestContext")), _mapping(record.get("responsePayload"))
    condition, attempts = str(context.get("condition") or ""), context.get("approximateInvokeCount")
    return DeadLetter(
        id=message["MessageId"],
        sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        body=record or message["Body"],
        uploads=_uploads(record.get("requestPayload")),
        condition=condition,
        attempts=attempts if isinstance(attempts, int) else None,
        error_type=str(answer.get("errorType") or condition),
        error_message=str(answer.get("errorMessage") or ""),
    )


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _uploads(event: Any) -> tuple[FailedUpload, ...]:
    """The uploads of an event that is S3's as a whole; of a record that is malformed nothing can be said."""
    records = _mapping(event).get("Records")
    if not isinstance(records, list) or any(_mapping(record).get("eventSource") != "aws:s3" for record in records):
        return ()
    return tuple(upload for record in records if (upload := _upload(record)))


def _upload(record: Mapping[str, Any]) -> FailedUpload | None:
    try:
        s3 = record["s3"]
        return FailedUpload(
            bucket=s3["bucket"]["name"],
            key=unquote_plus(s3["object"]["key"]),
            uploaded_at=datetime.fromisoformat(record["eventTime"]).astimezone(UTC),
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        return None
