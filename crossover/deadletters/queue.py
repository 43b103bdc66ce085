"""A walk along a queue that takes nothing away: letters are hidden from other readers while it lasts, then put back.

SQS has no other way to look at messages.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from crossover import clock
from crossover.deadletters.letters import DeadLetter, read
from crossover.local import interrupts

BATCH = 10  # the most that SQS hands out, or takes back, at a time
# Longer than a walk takes. After it SQS puts back by itself what a killed process has not.
HIDDEN_SECONDS = 600
# Long polling asks all of SQS's servers; a short poll asks some, and may find nothing in a queue that is not empty.
WAIT_SECONDS = 1


class Walk:
    """The letters of a queue, each once, as `for letter in walk` within `with Walk(...) as walk`.

    It ends where the queue is empty, or where all that comes is newer than its own start: it has an end even if letters
    come in faster than it goes. Only ids and receipts are kept, never the letters. A signal that ends the walk waits
    until it is known what to put back.

    Args:
        sqs: an SQS client.
        url: of the queue.

    Attributes:
        hidden: how many letters another reader was holding at the start, about.
        overtaken: whether letters came in meanwhile, or the first ones came round again before the last was seen.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: SQS did not answer.
    """

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._seen: set[str] = set()
        self._receipts: dict[str, str] = {}  # of what has to be put back, by the letter's id
        held = "ApproximateNumberOfMessagesNotVisible"
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[held])
        self.hidden = int(answer["Attributes"][held])
        self.overtaken = False
        self._newest = clock.answered_at(answer) + clock.TOLERANCE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # What cannot be put back now comes back after HIDDEN_SECONDS.
        with interrupts.held(), contextlib.suppress(BotoCoreError, ClientError):
            self._put_back()

    def __iter__(self) -> Iterator[DeadLetter]:
        while batch := self._receive():
            fresh = [letter for letter in batch if letter.sent_at <= self._newest]
            if len(fresh) < len(batch):
                self.overtaken = True
            if not fresh:
                return
            yield from fresh

    @property
    def more(self) -> str:
        """Why there may be letters that this walk has not shown, in words; empty where nothing speaks for it."""
        reasons = [f"another reader holds about {self.hidden}"] if self.hidden else []
        reasons += ["some have come in meanwhile"] if self.overtaken else []
        return " and ".join(reasons)

    def delete(self, letter: DeadLetter) -> None:
        """Take a letter of this walk out of the queue, for good."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=self._receipts[letter.id])
        del self._receipts[letter.id]

    def _receive(self) -> list[DeadLetter]:
        with interrupts.held():
            messages = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=WAIT_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
            self._receipts |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
        unseen = [message for message in messages if message["MessageId"] not in self._seen]
        self._seen |= {message["MessageId"] for message in messages}
        if messages and not unseen:
            self.overtaken = True
        return [read(message) for message in unseen]

    def _put_back(self) -> None:
        receipts = list(self._receipts.values())
        for start in range(0, len(receipts), BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + BATCH])
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
