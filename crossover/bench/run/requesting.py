"""One request, from its upload to its item or dead letter."""

from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import cast

from botocore.exceptions import BotoCoreError, ClientError

from crossover import aws
from crossover.aws import Clients
from crossover.bench.run.context import Clock, Control
from crossover.bench.run.files import File
from crossover.bench.run.observation import ITEM_FIELDS, Observation, Outcome
from crossover.bench.run.plan import Planned
from crossover.dead_letter_queue import DeadLetter
from crossover.deployed import Delays, Item, Upload, Variant, wait_for_end

# Between two reads of the table, s. They do not reduce precision, since the item holds its own time; but in a closed
# loop the next request waits for them.
OPEN_LOOP_DELAYS = Delays(first=0.05, longest=0.5)
CLOSED_LOOP_DELAYS = Delays(first=0.02, longest=0.02)
DEAD_LETTER_INTERVAL_SECONDS = 15.0


class Requester:
    """Sends requests, on any thread.

    Args:
        clients: of the account.
        files: of the plan.
        prefix: of all keys.
        segment: how often the benchmark had been resumed.
        clock: this machine's.
        control: says when to abandon requests.
        timeout_seconds: longest wait for an item.

    Attributes:
        began: the segment's beginning, by the monotonic clock, s.
        answers: of each of S3's answers, when its request was sent, when it came, and its Date, s since 1970.
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
            variant: that it is sent to.
            planned: the request.
            intended: when it should be sent, s since the segment began.

        Returns:
            None where it was abandoned because the benchmark ends.
        """
        file = self.files[planned.file]
        # With the segment: a benchmark that was killed may have left an item of the same request.
        key = f"{self.prefix}{self.segment}-{planned.phase.value}-{planned.number:06}-{file.name}"
        sent_at = self.clock.wall()
        observation = Observation(
            variant=variant.name,
            phase=planned.phase,
            number=planned.number,
            file=file.name,
            concurrency=planned.slot.concurrency,
            segment=self.segment,
            intended_s=intended,
            sent_s=self._since(),
            uploaded_s=None,
            s3_date="",
            upload_retries=0,
            outcome=Outcome.NOT_UPLOADED,
        )
        try:
            answer = self.clients("s3").put_object(Bucket=variant.bucket, Key=key, Body=file.content)
        except (BotoCoreError, ClientError) as error:
            return replace(observation, error=_sentence(error))
        uploaded = self._since()
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        retries = answer["ResponseMetadata"].get("RetryAttempts", 0)
        if date and not retries:
            self.answers.append((sent_at, self.clock.wall(), parsedate_to_datetime(date).timestamp()))
        earliest = aws.response_time(answer) - aws.CLOCK_TOLERANCE
        observation = replace(observation, uploaded_s=uploaded, s3_date=date, upload_retries=retries)
        return self._ended(observation, Upload(variant=variant, key=key, earliest=earliest))

    def _ended(self, observation: Observation, upload: Upload) -> Observation | None:
        """The observation once its item or dead letter is there, or the time is over; None once it is abandoned."""
        problem = f"There was no item after {self.timeout_seconds:g} s."

        def note(error: Exception) -> None:
            nonlocal problem  # the upload is being processed, whether or not we can see it
            problem = _sentence(error)

        is_in_open_loop = observation.concurrency is None
        end = wait_for_end(
            self.clients,
            upload,
            timeout_seconds=self.timeout_seconds,
            delays=OPEN_LOOP_DELAYS if is_in_open_loop else CLOSED_LOOP_DELAYS,
            dead_letter_interval=DEAD_LETTER_INTERVAL_SECONDS,
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
            is_abandoned=self.control.abandoned.is_set,
            on_error=note,
        )
        if isinstance(end, DeadLetter):
            return _with_dead_letter(observation, end)
        if end is not None:
            return _with_item(observation, end)
        if self.control.abandoned.is_set():
            return None
        return replace(observation, outcome=Outcome.NO_ITEM, error=problem)

    def _since(self) -> float:
        return self.clock.monotonic() - self.began


def _with_item(observation: Observation, item: Item) -> Observation:
    refused = item["status"] != "SUCCEEDED"
    values = dict(item)
    return replace(
        observation,
        outcome=Outcome.REFUSED if refused else Outcome.SUCCEEDED,
        error=f"{item['error_code']}: {item['error_message']}" if refused else "",
        request_id=item["request_id"],
        item=cast(Item, {name: values[name] for name in ITEM_FIELDS if name in values}),
    )


def _with_dead_letter(observation: Observation, dead_letter: DeadLetter) -> Observation:
    context = dead_letter.body.get("requestContext", {}) if not isinstance(dead_letter.body, str) else {}
    return replace(
        observation,
        outcome=Outcome.DEAD_LETTER,
        error=f"{dead_letter.reason}.",
        request_id=str(context.get("requestId", "")),
    )


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
