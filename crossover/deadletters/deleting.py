"""Deleting dead letters that nobody needs, such as those that are about no upload."""

from collections.abc import Collection

from crossover import interrupts
from crossover.aws import Clients
from crossover.dead_letter_queue import Scan
from crossover.deployed import Variant


def delete(clients: Clients, variant: Variant, ids: Collection[str]) -> set[str]:
    """Delete the dead letters with these ids, in full, from the variant's queue; returns those that were there.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: the SQS request failed.
    """
    deleted: set[str] = set()
    with Scan(clients("sqs"), variant.dead_letter_queue) as scan:
        for dead_letter in scan:
            if dead_letter.id in ids:
                with interrupts.delayed():
                    scan.delete(dead_letter)
                deleted.add(dead_letter.id)
    return deleted
