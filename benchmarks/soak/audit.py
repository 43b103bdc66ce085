"""The audit: how every upload ended, from the final table and queue and from the traffic of the proxy."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypedDict
from urllib.parse import unquote_plus

from benchmarks.soak.fault_proxy import S3Event, Traffic, Write
from benchmarks.soak.faults import Action
from benchmarks.soak.upload_plan import Kind, PlannedObject
from crossover.deployed import Item

ATTEMPTS = 3  # of Lambda to process an event: a dead letter needs as many failures


class Outcome(Enum):
    """How an upload ended; each upload has exactly one outcome."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEAD_LETTERED = "dead-lettered"
    LOST = "lost"


RESULTS = {"SUCCEEDED": Outcome.SUCCEEDED, "FAILED": Outcome.FAILED}  # by an item's status


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A PutObject that S3 has acknowledged.

    Attributes:
        planned: the object.
        kind: of the content.
        error_code: that its item must have; empty where it must succeed.
        etag: of the content; no two uploads of one key share it.
        size_bytes: of the content.
        is_last: whether no other upload has overwritten it.
    """

    planned: PlannedObject
    kind: Kind
    error_code: str
    etag: str
    size_bytes: int
    is_last: bool


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one upload.

    Attributes:
        upload: which one.
        outcome: how it ended.
        duplicated: its event led to more results and dead letters than it was delivered.
        stale_overwrite: the result of an older upload has replaced a newer one.
        wrong: all other violations, as sentences.
    """

    upload: Upload
    outcome: Outcome
    duplicated: bool = False
    stale_overwrite: bool = False
    wrong: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        return self.outcome is not Outcome.LOST and not (self.duplicated or self.stale_overwrite or self.wrong)


class DeadLetterRecord(TypedDict):
    """Lambda's record of an event that failed for good, as far as the audit reads it."""

    requestPayload: S3Event


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The final state.

    Attributes:
        items: the whole table of each variant.
        dead_letters: all messages of each variant's dead-letter queue.
        traffic: what passed the proxy.
    """

    items: Mapping[str, Sequence[Item]]
    dead_letters: Mapping[str, Sequence[DeadLetterRecord]]
    traffic: Traffic


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The verdicts on all uploads.

    Attributes:
        verdicts: one for each upload.
        strays: items and dead letters that belong to no upload, as sentences.
    """

    verdicts: list[Verdict]
    strays: list[str] = field(default_factory=list)

    def count(self, variant: str | None = None) -> dict[str, int]:
        """The number of uploads by outcome, of one variant or of all."""
        verdicts = [each for each in self.verdicts if variant in (None, each.upload.planned.variant)]
        outcomes = Counter(each.outcome for each in verdicts)
        return {
            "uploaded": len(verdicts),
            **{outcome.value: outcomes[outcome] for outcome in Outcome},
            "duplicated": sum(each.duplicated for each in verdicts),
            "stale overwrites": sum(each.stale_overwrite for each in verdicts),
            "otherwise wrong": sum(bool(each.wrong) for each in verdicts),
        }

    @property
    def problems(self) -> list[str]:
        """A sentence for every upload that did not end as promised."""
        return [_sentence(verdict) for verdict in self.verdicts if not verdict.is_fine] + self.strays

    @property
    def sentence(self) -> str:
        """The result in one line."""
        n = {name: f"{value:,}" for name, value in self.count().items()}
        return (
            f"uploaded {n['uploaded']} = succeeded {n['succeeded']} + failed {n['failed']} + dead-lettered "
            f"{n['dead-lettered']}, lost = {n['lost']}, duplicated = {n['duplicated']}, "
            f"stale overwrites = {n['stale overwrites']}"
        )


def audit(uploads: Sequence[Upload], evidence: Evidence) -> Audit:
    """Judge every upload."""
    items = {item["object_key"]: item for table in evidence.items.values() for item in table}
    dead_letters: dict[tuple[str, str], list[DeadLetterRecord]] = defaultdict(list)
    strays = []
    known = {(upload.planned.key, upload.etag): upload.planned.variant for upload in uploads}
    for variant, queue in evidence.dead_letters.items():
        for dead_letter in queue:
            event_id = _event_id(dead_letter)
            if known.get(event_id) == variant:
                dead_letters[event_id].append(dead_letter)
            else:
                strays.append(f"A dead letter of {variant} belongs to no upload: {event_id}.")
    keys = {upload.planned.key for upload in uploads}
    strays += [f"An item belongs to no upload: {key!r}." for key in items if key not in keys]
    writes: dict[str, list[Write]] = defaultdict(list)
    for write in evidence.traffic.writes:
        writes[write.key].append(write)

    def judge(upload: Upload) -> Verdict:
        key = upload.planned.key
        found = dead_letters[key, upload.etag]
        return _judge(upload, items.get(key), found, writes[key], evidence.traffic)

    return Audit(verdicts=[judge(upload) for upload in uploads], strays=strays)


def _judge(
    upload: Upload,
    item: Item | None,
    dead_letters: Sequence[DeadLetterRecord],
    writes: Sequence[Write],
    traffic: Traffic,
) -> Verdict:
    event_id = (upload.planned.key, upload.etag)
    event = traffic.events.get(event_id)
    if event is None:
        return Verdict(upload=upload, outcome=Outcome.LOST, wrong=("S3 has sent no event for it.",))
    sequencer = _comparable(event["Records"][0]["s3"]["object"]["sequencer"])
    own_writes = [write for write in writes if _comparable(write.sequencer) == sequencer]
    newest_accepted = max((_comparable(write.sequencer) for write in writes if write.accepted), default="")
    is_current = _comparable(item["sequencer"]) if item else ""
    is_stale = upload.is_last and is_current < newest_accepted
    if item and is_current == sequencer:
        status = item["status"]
    elif own_writes and (is_stale or not upload.is_last):
        # The table keeps nothing of an overwritten upload once it holds the newer one's result; but it has answered
        # the write, by accepting it or by reporting that it holds a newer result.
        status = own_writes[-1].status
    else:
        status = ""
    outcome = RESULTS.get(status, Outcome.DEAD_LETTERED if dead_letters else Outcome.LOST)
    # S3 may deliver an event more than once; each copy then ends separately, with a result or as a dead letter.
    ends = bool(own_writes) + len(dead_letters)
    is_duplicated = ends > traffic.copies[event_id] and not (
        len(dead_letters) == 1 and _outcome_unknown(upload.planned)
    )
    return Verdict(
        upload=upload,
        outcome=outcome,
        duplicated=is_duplicated,
        stale_overwrite=is_stale,
        wrong=tuple(_wrong(upload, outcome, item, event, dead_letters, traffic)),
    )


def _outcome_unknown(planned: PlannedObject) -> bool:
    """Whether a write may have succeeded without its worker knowing, so that a dead letter may follow."""
    fault = planned.fault
    forwarded = (Action.LOSE, Action.FORWARD_AND_KILL, Action.HOLD)
    return fault is not None and fault.service == "dynamodb" and fault.action in forwarded


def _wrong(
    upload: Upload,
    outcome: Outcome,
    item: Item | None,
    event: S3Event,
    dead_letters: Sequence[DeadLetterRecord],
    traffic: Traffic,
) -> Iterable[str]:
    """Violations other than loss, duplicates and stale results."""
    planned = upload.planned
    if any(dead_letter["requestPayload"] != event for dead_letter in dead_letters):
        yield "Its dead letter does not hold the event that S3 sent."
    if dead_letters and traffic.failures[planned.key] < ATTEMPTS:
        yield f"It became a dead letter after only {traffic.failures[planned.key]} failed requests."
    if planned.must_become_dead_letter and outcome in (Outcome.SUCCEEDED, Outcome.FAILED):
        yield "It has a result although none of its requests could succeed."
    if item is None or not upload.is_last or outcome not in (Outcome.SUCCEEDED, Outcome.FAILED):
        return
    if upload.error_code != item.get("error_code", ""):
        yield f"Its item says {item.get('error_code') or item['status']}, although it is {upload.kind.name}."
    if (item["etag"], int(item["size_bytes"])) != (upload.etag, upload.size_bytes):
        yield "Its item is about other bytes than those that were uploaded."


def _comparable(sequencer: str) -> str:
    """S3's sequencers compare as text once the shorter one is padded on its right with zeros, or all go without them.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return sequencer.upper().rstrip("0")


def _event_id(dead_letter: DeadLetterRecord) -> tuple[str, str]:
    """Key and ETag of the event in a dead letter; empty where it has none."""
    try:
        entity = dead_letter["requestPayload"]["Records"][0]["s3"]["object"]
        return unquote_plus(entity["key"]), entity["eTag"]
    except (LookupError, TypeError):
        return "", ""


def _sentence(verdict: Verdict) -> str:
    upload = verdict.upload
    fault = upload.planned.fault
    kinds = ["is duplicated"] * verdict.duplicated + ["was overwritten by a stale result"] * verdict.stale_overwrite
    said = ", ".join([f"is {verdict.outcome.value}", *kinds])
    met = f" Planned: {fault.name}, {upload.planned.times} times." if fault else ""
    return " ".join([f"{upload.planned.key!r} ({upload.kind.name}, {upload.etag}) {said}.", *verdict.wrong]) + met
