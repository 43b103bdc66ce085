"""Redriving: the handler, or its upload queue, gets a dead letter's event again, and the dead letter is deleted."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from crossover import interrupts
from crossover.aws import Clients
from crossover.dead_letter_queue import DeadLetter, Scan
from crossover.deployed import Variant
from crossover.errors import CrossoverError, UsageError

NO_UPLOAD = "the handlers find no upload in it; `crossover deadletters delete` deletes it."


class NotRedrivenError(CrossoverError):
    """A dead letter has to stay in the queue; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which dead letters: those that match every criterion; an empty criterion matches all.

    Attributes:
        ids: of the dead letters, in full.
        key: prefix of the key of one of the event's objects.
        error: the error's type, or the condition where the dead letter has no type.
    """

    ids: Collection[str] = ()
    key: str = ""
    error: str = ""

    def matches(self, dead_letter: DeadLetter) -> bool:
        return (
            (not self.ids or dead_letter.id in self.ids)
            and (not self.key or any(key.startswith(self.key) for key in dead_letter.keys))
            and (not self.error or dead_letter.error_type == self.error)
        )


@dataclass(kw_only=True)
class Outcome:
    """How many dead letters a run redrove.

    Attributes:
        redriven: sent again and deleted from the queue; in a dry run, those that would be.
        left: chosen, but still in the queue.
        more: why the run may have missed some that are in the queue, in words; empty where there is no reason.
    """

    redriven: int = 0
    left: int = 0
    more: str = ""


def redrive(
    clients: Clients,
    variant: Variant,
    choice: Choice,
    *,
    report: Callable[[DeadLetter, str], None],
    dry_run: bool = False,
) -> Outcome:
    """Send the event of every chosen dead letter to where S3 sends the stack's events now, then delete the dead letter.

    That is the upload queue, or the handler itself, which is invoked asynchronously. An interruption between the two
    leaves a dead letter whose event was sent already: redriving it once more is harmless, because writing is
    idempotent. One that cannot be redriven stays in the queue and does not delay the others. An event that fails again
    comes back as a new dead letter, which this run does not touch.

    Args:
        report: gets each chosen dead letter and what was done with it.
        dry_run: only report what would be done.

    Raises:
        UsageError: the stack does not say which function handles its events.
        botocore.exceptions.BotoCoreError, ClientError: the SQS request failed.
    """
    if not (variant.handler_arn or variant.upload_queue):
        raise UsageError(f"The stack {variant.stack} has no output HandlerArn; deploy it again, then redrive.")
    outcome = Outcome()
    with Scan(clients("sqs"), variant.dead_letter_queue) as scan:
        for dead_letter in filter(choice.matches, scan):
            try:
                event = _event_of(dead_letter, variant)
                if not dry_run:
                    with interrupts.delayed():
                        _send(clients, variant, event)
                        scan.delete(dead_letter)
            except (NotRedrivenError, BotoCoreError, ClientError) as error:
                outcome.left += 1
                report(dead_letter, f"left in the queue: {error}")
            else:
                outcome.redriven += 1
                report(dead_letter, "would be redriven" if dry_run else "redriven")
    outcome.more = scan.more
    return outcome


def _event_of(dead_letter: DeadLetter, variant: Variant) -> Any:
    """The event to redrive. A dead letter decides neither which function is invoked nor whose files it reads."""
    if not dead_letter.uploads:
        raise NotRedrivenError(NO_UPLOAD)
    for upload in dead_letter.uploads:
        if upload.bucket != variant.bucket:
            raise NotRedrivenError(f"its event is about the bucket {upload.bucket!r}, not about {variant.bucket!r}.")
    return dead_letter.event


def _send(clients: Clients, variant: Variant, event: Any) -> None:
    text = json.dumps(event)
    if variant.upload_queue:
        clients("sqs").send_message(QueueUrl=variant.upload_queue, MessageBody=text)
        return
    answer = clients("lambda").invoke(FunctionName=variant.handler_arn, InvocationType="Event", Payload=text.encode())
    status = answer["StatusCode"]
    if status != 202:
        raise NotRedrivenError(f"Lambda answered with status {status} instead of 202.")


def any_chosen(clients: Clients, variants: Sequence[Variant], choice: Choice) -> bool:
    """Whether a dead letter of these variants matches; all stay in their queues.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: the SQS request failed.
    """
    for variant in variants:
        with Scan(clients("sqs"), variant.dead_letter_queue) as scan:
            if any(map(choice.matches, scan)):
                return True
    return False


def find(clients: Clients, variants: Sequence[Variant], ids: Collection[str]) -> list[tuple[Variant, DeadLetter]]:
    """The dead letters with these ids, each of which may be shortened to a prefix that matches only one.

    Raises:
        UsageError: an id matches no dead letter, or several.
        botocore.exceptions.BotoCoreError, ClientError: the SQS request failed.
    """
    found: dict[str, list[tuple[Variant, DeadLetter]]] = {wanted: [] for wanted in ids}
    for variant in variants:
        with Scan(clients("sqs"), variant.dead_letter_queue) as scan:
            for dead_letter in scan:
                for wanted in ids:
                    # Two are enough to see that an id is not unique: memory stays bounded.
                    if dead_letter.id.startswith(wanted) and len(found[wanted]) < 2:
                        found[wanted].append((variant, dead_letter))
    for wanted, matches in found.items():
        if not matches:
            where = ", ".join(variant.name for variant in variants)
            raise UsageError(f"There is no dead letter {wanted!r} in the queue of {where}.")
        if len(matches) > 1:
            both = " and ".join(dead_letter.id for _, dead_letter in matches)
            raise UsageError(f"The id {wanted!r} is not unique, it matches {both}; give more of it.")
    return [matches[0] for matches in found.values()]
