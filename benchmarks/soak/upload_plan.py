"""What is uploaded and which fault each object meets, determined by the seed alone."""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count

from benchmarks.soak.faults import ALWAYS, Fault, faults_of

BAD_SHARE = 0.1
OVERWRITTEN_SHARE = 0.1
LATE_SECONDS = 2.0
"""The delay of a late event: long enough for the next upload of its key to be processed."""
# When the copies of an event are delivered, s after the upload: S3 delivers at least once and in any order.
LATE_OR_TWICE = ((0.0, 0.0), (0.0, LATE_SECONDS), (LATE_SECONDS,))


class Kind(Enum):
    """The content of a file; all but GOOD must become a FAILED item."""

    GOOD = "good"
    TEXT = "text"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    HUGE = "huge"  # by what its header declares


@dataclass(frozen=True, kw_only=True)
class PlannedUpload:
    """One PutObject.

    Attributes:
        kind: of the content.
        deliveries: when each copy of its event is delivered, s after the upload; empty where the event is lost.
    """

    kind: Kind
    deliveries: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class PlannedObject:
    """One object key.

    Attributes:
        variant: name of the variant whose bucket it is put into.
        key: the object's key; no two variants share one.
        uploads: one, or two where the object is immediately overwritten.
        fault: met by its requests, or None.
        times: number of requests that meet it: 1, 2 or ALWAYS.
    """

    variant: str
    key: str
    uploads: tuple[PlannedUpload, ...]
    fault: Fault | None
    times: int

    @property
    def must_become_dead_letter(self) -> bool:
        """Whether no attempt of any of its events can succeed."""
        return self.fault is not None and self.times == ALWAYS


def make_plan(
    *,
    uploads: int,
    variants: Sequence[str],
    endpoints: Collection[str],
    fault_rate: float,
    seed: int,
    suffix: str,
    bad_kinds: Sequence[Kind],
) -> list[PlannedObject]:
    """A plan of `uploads` uploads, in turns among the variants.

    Args:
        uploads: at least 1.
        variants: names of variants.
        endpoints: names of those variants that have a SageMaker endpoint.
        fault_rate: the share of the objects whose requests meet a fault, and, independently, of those whose event is
            late or delivered twice; 0 to 1.
        seed: of all random choices.
        suffix: of the keys.
        bad_kinds: of files that must become FAILED items; TEXT is one of them.
    """
    faults_by_variant = {
        variant: _shuffled_faults(variant, seed, has_endpoint=variant in endpoints) for variant in variants
    }
    plan: list[PlannedObject] = []
    left = uploads
    for number in range(uploads):
        if not left:
            break
        variant = variants[number % len(variants)]
        key = f"{variant}/{number:05} a+b é{suffix}"  # what S3 encodes in its events
        chance = random.Random(f"{seed} {key}")
        fault, times = next(faults_by_variant[variant]) if chance.random() < fault_rate else (None, 0)
        is_overwritten = chance.random() < OVERWRITTEN_SHARE and left > 1
        deliveries = chance.choice(LATE_OR_TWICE) if chance.random() < fault_rate else (0.0,)
        last = PlannedUpload(kind=_kind(chance, fault, bad_kinds), deliveries=deliveries)
        # In every other pair the event of the older upload comes after that of the newer one.
        first = PlannedUpload(kind=Kind.GOOD, deliveries=(chance.choice((0.0, LATE_SECONDS)),))
        pair = (first, last) if is_overwritten else (last,)
        plan.append(PlannedObject(variant=variant, key=key, uploads=pair, fault=fault, times=times))
        left -= len(pair)
    return plan


def _kind(chance: random.Random, fault: Fault | None, bad_kinds: Sequence[Kind]) -> Kind:
    if chance.random() >= BAD_SHARE:
        return Kind.GOOD
    kind = chance.choice(bad_kinds)
    if kind is Kind.EMPTY and fault is not None and fault.service != "dynamodb":
        return Kind.TEXT  # an empty file is refused before it could meet this fault
    return kind


def _shuffled_faults(variant: str, seed: int, *, has_endpoint: bool) -> Iterator[tuple[Fault, int]]:
    """Every fault of a variant once before any is repeated, so that a short soak meets them all."""
    faults = faults_of(has_endpoint=has_endpoint)
    for round_number in count():
        chance = random.Random(f"{seed} {variant} {round_number}")
        once = [(fault, 1) for fault in faults]
        more = [(fault, times) for fault in faults for times in fault.times if times > 1]
        chance.shuffle(once)
        chance.shuffle(more)
        yield from once
        yield from more
