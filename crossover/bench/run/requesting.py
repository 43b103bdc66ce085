"""One request from its upload to its end, as a person would see it."""

from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from crossover import aws
from crossover.aws import Clients
from crossover.bench.run.audio import File
from crossover.bench.run.clocks import Clock
from crossover.bench.run.control import Control
from crossover.bench.run.observation import ITEM_FIELDS, Observation, Outcome
from crossover.bench.run.plan import Planned
from crossover.dead_letter_queue import DeadLetter
from crossover.deployed import Upload, Variant, find_dead_letter, find_item

# Between two looks at the table. They cost nothing in precision, as the item holds its own time; but in a closed loop
# the next request waits for them.
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5
CLOSED_LOOP_PAUSE_SECONDS = 0.02
DEAD_LETTER_INTERVAL_SECONDS = 15.0


class Requester:
    """Sends requests, on any thread.

    Args:
        clients: of the account.
        files: of the plan.
        prefix: of all keys.
        segment: how often the benchmark had been resumed.
        clock: this machine's.
        control: says when to give up.
        timeout_seconds: after which an upload without an item is given up.

    Attributes:
        began: the segment's beginning, by the monotonic clock, s.
        answers: of S3's answers when the request was sent, when it came, and its Date, s since 1970.
    """

    def __init__(
        self,
        clients: Clients,
        files: tuple[File, ...],
        *,
        prefix: str,
        segment: int,
        clock: Clock,
        control: Control,
        timeout_seconds: float,
    ) -> None:
        self.clients = clients
        self.files = files
        self.prefix = prefix
        self.segment = segment
        self.clock = clock
        self.control = control
        self.timeout_seconds = timeout_seconds
        self.began = clock.monotonic()
        self.answers: list[tuple[float, float, float]] = []

    def perform(self, variant: Variant, planned: Planned, intended: float) -> Observation | None:
        """Send a request and wait for its end.

        Args:
            variant: to which.
            planned: which.
            intended: when it should be sent, s since the segment began.

        Returns:
            None where it was given up because the benchmark ends.
        """
        file = self.files[planned.file]
        # With the segment: a benchmark that was killed may have left an item of the same request.
        key = f"{self.prefix}{self.segment}-{planned.phase.value}-{planned.number:06}-{file.name}"
        wall, sent = self.clock.wall(), self._since()
        base: dict[str, Any] = {
            "variant": variant.name,
            "phase": planned.phase,
            "number": planned.number,
            "file": file.name,
            "concurrency": planned.slot.concurrency,
            "segment": self.segment,
            "intended_s": intended,
            "sent_s": sent,
        }
        try:
            answer = self.clients("s3").put_object(Bucket=variant.bucket, Key=key, Body=file.content)
        except (BotoCoreError, ClientError) as error:
            nothing: dict[str, Any] = {"uploaded_s": None, "s3_date": "", "upload_retries": 0}
            return Observation(**base, **nothing, outcome=Outcome.NOT_UPLOADED, error=_sentence(error))
        uploaded = self._since()
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        retries = answer["ResponseMetadata"].get("RetryAttempts", 0)
        if date and not retries:
            self.answers.append((wall, self.clock.wall(), parsedate_to_datetime(date).timestamp()))
        earliest = aws.response_time(answer) - aws.CLOCK_TOLERANCE
        upload = Upload(variant=variant, key=key, earliest=earliest)
        ending = self._end_of(upload, is_in_open_loop=planned.slot.concurrency is None)
        if ending is None:
            return None
        return Observation(**base, uploaded_s=uploaded, s3_date=date, upload_retries=retries, **ending)

    def _end_of(self, upload: Upload, *, is_in_open_loop: bool) -> dict[str, Any] | None:
        """Wait for an item or a dead letter."""
        began = self.clock.monotonic()
        next_look_at_queue = began + DEAD_LETTER_INTERVAL_SECONDS
        pause = FIRST_PAUSE_SECONDS if is_in_open_loop else CLOSED_LOOP_PAUSE_SECONDS
        problem = f"There was no item after {self.timeout_seconds:g} s."
        while not self.control.abandoned.is_set():
            now = self.clock.monotonic()
            is_last = now >= began + self.timeout_seconds
            try:
                item = find_item(self.clients, upload)
                if item:
                    return _of_item(item)
                if is_last or now >= next_look_at_queue:
                    next_look_at_queue = now + DEAD_LETTER_INTERVAL_SECONDS
                    letter = find_dead_letter(self.clients, upload)
                    if letter:
                        return _of_letter(letter)
            except (BotoCoreError, ClientError) as error:  # the upload has gone its way, whatever we can see of it
                problem = _sentence(error)
            if is_last:
                return {"outcome": Outcome.NO_ITEM, "error": problem}
            self.clock.sleep(pause)
            if is_in_open_loop:
                pause = min(1.5 * pause, LONGEST_PAUSE_SECONDS)
        return None

    def _since(self) -> float:
        return self.clock.monotonic() - self.began


def _of_item(item: dict[str, Any]) -> dict[str, Any]:
    refused = item["status"] != "SUCCEEDED"
    return {
        "outcome": Outcome.REFUSED if refused else Outcome.SUCCEEDED,
        "error": f"{item['error_code']}: {item['error_message']}" if refused else "",
        "request_id": item["request_id"],
        "item": {name: item[name] for name in ITEM_FIELDS if name in item},
    }


def _of_letter(letter: DeadLetter) -> dict[str, Any]:
    context = letter.body.get("requestContext", {}) if not isinstance(letter.body, str) else {}
    return {
        "outcome": Outcome.DEAD_LETTER,
        "error": f"{letter.reason}.",
        "request_id": str(context.get("requestId", "")),
    }


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
