"""The dead-letter queue: scanned without removing anything, and the fields of the records in it.

Lambda's record holds the event that the function failed on:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
EventBridge's is the event that it could not hand over to Lambda, with the reason in attributes of the message:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
What SQS moves from an upload queue is the event itself, without a reason:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
What an event is about, the handlers' own code reads.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

from botocore.exceptions import BotoCoreError, ClientError

from crossover import aws, interrupts
from crossover.handler_sources import inference

BATCH = 10  # the most messages that SQS hands out, or takes back, in one request
# Longer than a scan takes. After it SQS makes visible again what a killed process has hidden.
VISIBILITY_TIMEOUT_SECONDS = 600
# Long polling asks all of SQS's servers; a short poll asks some, and may find nothing in a queue that is not empty.
WAIT_SECONDS = 1
SYSTEM_ATTRIBUTES = ["SentTimestamp", "DeadLetterQueueSourceArn"]
MAX_RECEIVE_COUNT = "MaxReceiveCount"
"""The condition of a dead letter that SQS has moved: it was received too often, and its reason is in the log."""


class FailedUpload(NamedTuple):
    """One upload in a dead letter's event.

    Attributes:
        bucket: name of the bucket.
        key: the object's key, decoded.
        uploaded_at: when S3 accepted the object; None where the event does not say.
    """

    bucket: str
    key: str
    uploaded_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message of the dead-letter queue, whatever its content.

    Attributes:
        id: of the message; an event that fails again comes back under another.
        sent_at: when it entered the queue.
        body: Lambda's record, or the event itself, or the message's text where that is no JSON object.
        event: what the function was, or should have been, invoked with; None where the body does not say.
        uploads: what the handlers would predict; empty where they would refuse the event, or pass all of it over.
        condition: why Lambda, EventBridge or SQS gave up: RetriesExhausted, EventAgeExceeded, MaximumRetryAttempts,
            MaximumEventAgeInSeconds, MaxReceiveCount; empty where the record does not say.
        attempts: approximate number of invocations, or of EventBridge's retries; None where the record does not say,
            as for what SQS has moved: its count is of the dead-letter queue, and grows whenever somebody looks.
        error_type: of the last attempt; the condition where there was no attempt or no type.
        error_message: of the last attempt; empty where there is none.
    """

    id: str
    sent_at: datetime
    body: Mapping[str, Any] | str
    event: Any
    uploads: tuple[FailedUpload, ...]
    condition: str
    attempts: int | None
    error_type: str
    error_message: str

    @property
    def keys(self) -> list[str]:
        """The objects' keys."""
        return [upload.key for upload in self.uploads]

    @property
    def reason(self) -> str:
        """Why it failed, as a sentence without its full stop."""
        message = self.error_message or "the function gave no message"
        return f"{self.error_type or 'unknown reason'}: {message}".rstrip(".")


def read(message: Mapping[str, Any]) -> DeadLetter:
    """Read a message of the queue, received with SYSTEM_ATTRIBUTES and its own attributes."""
    record = _json_object(message["Body"])
    is_of_s3_or_sns = "Records" in record or "Message" in record
    if "DeadLetterQueueSourceArn" in message["Attributes"] or is_of_s3_or_sns:
        return _received_too_often(message, record)
    if record.get("source") == "aws.s3":
        return _undelivered(message, record)
    context, response = _mapping(record.get("requestContext")), _mapping(record.get("responsePayload"))
    condition, attempts = str(context.get("condition") or ""), context.get("approximateInvokeCount")
    return DeadLetter(
        id=message["MessageId"],
        sent_at=_sent_at(message),
        body=record or message["Body"],
        event=record.get("requestPayload"),
        uploads=_uploads(record.get("requestPayload")),
        condition=condition,
        attempts=attempts if isinstance(attempts, int) else None,
        error_type=str(response.get("errorType") or condition),
        error_message=str(response.get("errorMessage") or ""),
    )


def _undelivered(message: Mapping[str, Any], event: Mapping[str, Any]) -> DeadLetter:
    """An event that EventBridge could not hand over."""
    given = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    retries = given.get("RETRY_ATTEMPTS", "")
    condition = given.get("EXHAUSTED_RETRY_CONDITION", "")
    return DeadLetter(
        id=message["MessageId"],
        sent_at=_sent_at(message),
        body=event,
        event=event,
        uploads=_uploads(event),
        condition=condition,
        attempts=int(retries) if retries.isdecimal() else None,
        error_type=given.get("ERROR_CODE") or condition,
        error_message=given.get("ERROR_MESSAGE", ""),
    )


def _received_too_often(message: Mapping[str, Any], event: Mapping[str, Any]) -> DeadLetter:
    """What SQS has moved from an upload queue."""
    uploads = _uploads(event)
    return DeadLetter(
        id=message["MessageId"],
        sent_at=_sent_at(message),
        body=event or message["Body"],
        event=event or None,
        uploads=uploads,
        condition=MAX_RECEIVE_COUNT,
        attempts=None,
        error_type=MAX_RECEIVE_COUNT,
        error_message=(
            "the lines of the function's log with this object_key and a cause say why"
            if uploads
            else "it reports no upload; the lines of the function's log with the cause INVALID_EVENT say why"
        ),
    )


def _sent_at(message: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _uploads(event: Any) -> tuple[FailedUpload, ...]:
    """The uploads of an event as the handlers read it; malformed records are skipped."""
    s3_events = inference("s3_events")
    try:
        parts = s3_events.parts(event)
    except s3_events.InvalidEventError:
        return ()
    return tuple(
        FailedUpload(bucket=entry.bucket, key=entry.key, uploaded_at=_time(entry.uploaded_at))
        for part in parts
        for entry in part.entries
        if isinstance(entry, s3_events.S3Object)
    )


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class Scan:
    """The dead letters of a queue, each once, as `for dead_letter in scan` within `with Scan(...) as scan`.

    They are hidden from other readers while the scan lasts, then made visible again: SQS has no other way to look at
    messages. The scan ends where the queue is empty, or where all that it receives is newer than its own start: it ends
    even if messages come in faster than it reads. Only ids and receipts are kept, never the dead letters. A signal that
    ends the scan waits until it is known what to make visible again.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html

    Args:
        sqs: an SQS client.
        url: of the queue.

    Attributes:
        hidden: approximate number of messages that another reader was holding at the start.
        overtaken: whether messages came in meanwhile, or the first ones came again before the last was seen.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: the SQS request failed.
    """

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._seen: set[str] = set()
        self._receipts: dict[str, str] = {}  # of what has to be made visible again, by message id
        attribute = "ApproximateNumberOfMessagesNotVisible"
        response = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])
        self.hidden = int(response["Attributes"][attribute])
        self.overtaken = False
        self._newest = aws.response_time(response) + aws.CLOCK_TOLERANCE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # What cannot be made visible now becomes so after VISIBILITY_TIMEOUT_SECONDS.
        with interrupts.delayed(), contextlib.suppress(BotoCoreError, ClientError):
            self._make_visible()

    def __iter__(self) -> Iterator[DeadLetter]:
        while batch := self._receive():
            old = [dead_letter for dead_letter in batch if dead_letter.sent_at <= self._newest]
            if len(old) < len(batch):
                self.overtaken = True
            if not old:
                return
            yield from old

    @property
    def more(self) -> str:
        """Why there may be dead letters that this scan has not shown, in words; empty where there is no reason."""
        reasons = [f"another reader holds about {self.hidden}"] if self.hidden else []
        reasons += ["some have come in meanwhile"] if self.overtaken else []
        return " and ".join(reasons)

    def delete(self, dead_letter: DeadLetter) -> None:
        """Delete a dead letter of this scan from the queue."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=self._receipts[dead_letter.id])
        del self._receipts[dead_letter.id]

    def _receive(self) -> list[DeadLetter]:
        with interrupts.delayed():
            messages = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=VISIBILITY_TIMEOUT_SECONDS,
                WaitTimeSeconds=WAIT_SECONDS,
                MessageSystemAttributeNames=SYSTEM_ATTRIBUTES,
                MessageAttributeNames=["All"],  # the reasons of EventBridge
            ).get("Messages", [])
            self._receipts |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
        unseen = [message for message in messages if message["MessageId"] not in self._seen]
        self._seen |= {message["MessageId"] for message in messages}
        if messages and not unseen:
            self.overtaken = True
        return [read(message) for message in unseen]

    def _make_visible(self) -> None:
        receipts = list(self._receipts.values())
        for start in range(0, len(receipts), BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + BATCH])
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
