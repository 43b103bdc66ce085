"""Redriving: a dead letter's event goes the way it came once more, and the letter out of the queue."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from crossover.deadletters.letters import DeadLetter
from crossover.deadletters.queue import Walk
from crossover.deployed import Clients, Variant
from crossover.errors import CrossoverError, UsageError
from crossover.local import interrupts


class LetterLeftError(CrossoverError):
    """A letter that must stay in the queue; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which letters: those that fit every part of it; an empty part fits all.

    Attributes:
        ids: of the letters, whole.
        key: how the key of one of the event's objects begins.
        error: the error's type, or the condition where the letter has no type.
    """

    ids: Collection[str] = ()
    key: str = ""
    error: str = ""

    def fits(self, letter: DeadLetter) -> bool:
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.key or any(key.startswith(self.key) for key in letter.keys))
            and (not self.error or letter.error_type == self.error)
        )


@dataclass(kw_only=True)
class Outcome:
    """What a run came to, in letters.

    Attributes:
        redriven: invoked and gone from the queue; in a dry run, those that would be.
        left: chosen, but still in the queue.
        more: why the run may not have met all that are in the queue, in words; empty where it has.
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
    """Invoke the stack's handler with the event of every chosen letter, and delete the letter once Lambda has taken it.

    Interrupted between the two, a letter stays whose event is on its way again: redriving it once more is harmless,
    because writing is idempotent. A letter that cannot be redriven stays in the queue and does not hold up the others.
    What fails again comes back as a new letter, which this run does not touch.

    Args:
        report: gets each chosen letter and what became of it.
        dry_run: say only what would be done.

    Raises:
        UsageError: the stack does not say which function handles its events.
        botocore.exceptions.BotoCoreError, ClientError: SQS did not answer.
    """
    if not variant.handler_arn:
        raise UsageError(f"The stack {variant.stack} has no output HandlerArn; deploy it again, then redrive.")
    outcome = Outcome()
    with Walk(clients("sqs"), variant.dead_letter_queue) as walk:
        for letter in filter(choice.fits, walk):
            try:
                event = _event_of(letter, variant)
                if not dry_run:
                    with interrupts.held():
                        _invoke(clients("lambda"), variant, event)
                        walk.delete(letter)
            except (LetterLeftError, BotoCoreError, ClientError) as error:
                outcome.left += 1
                report(letter, f"left in the queue: {error}")
            else:
                outcome.redriven += 1
                report(letter, "would be redriven" if dry_run else "redriven")
    outcome.more = walk.more
    return outcome


def _event_of(letter: DeadLetter, variant: Variant) -> Any:
    """The event to redrive. A letter decides neither which function is invoked nor whose files it reads."""
    if not letter.uploads:
        raise LetterLeftError("it holds no event of S3.")
    for upload in letter.uploads:
        if upload.bucket != variant.bucket:
            raise LetterLeftError(f"its event is about the bucket {upload.bucket!r}, not about {variant.bucket!r}.")
    return letter.event


def _invoke(client: Any, variant: Variant, event: Any) -> None:
    answer = client.invoke(FunctionName=variant.handler_arn, InvocationType="Event", Payload=json.dumps(event).encode())
    if answer["StatusCode"] != 202:
        raise LetterLeftError(f"Lambda answered with status {answer['StatusCode']} instead of 202.")


def find(clients: Clients, variants: Sequence[Variant], ids: Collection[str]) -> list[tuple[Variant, DeadLetter]]:
    """The letters with these ids, each of which may be shortened as long as it fits one letter only.

    Raises:
        UsageError: an id fits no letter, or several.
    """
    found: dict[str, list[tuple[Variant, DeadLetter]]] = {wanted: [] for wanted in ids}
    for variant in variants:
        with Walk(clients("sqs"), variant.dead_letter_queue) as walk:
            for letter in walk:
                for wanted in ids:
                    # Of several, two are enough to say so: memory stays bounded.
                    if letter.id.startswith(wanted) and len(found[wanted]) < 2:
                        found[wanted].append((variant, letter))
    for wanted, letters in found.items():
        if not letters:
            where = ", ".join(variant.name for variant in variants)
            raise UsageError(f"There is no dead letter {wanted!r} in the queue of {where}.")
        if len(letters) > 1:
            both = " and ".join(letter.id for _, letter in letters)
            raise UsageError(f"The id {wanted!r} is not unique, it fits {both}; write more of it.")
    return [letters[0] for letters in found.values()]
