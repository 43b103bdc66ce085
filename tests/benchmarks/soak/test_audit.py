"""The audit, on made-up evidence: every violation is detected, and nothing else is reported."""

from collections import Counter
from dataclasses import replace
from typing import Any

from benchmarks.soak.audit import Audit, DeadLetterRecord, Evidence, Outcome, Upload, Verdict, audit
from benchmarks.soak.fault_proxy import S3Event, Traffic, Write
from benchmarks.soak.faults import ALWAYS, FAULTS, Fault
from benchmarks.soak.upload_plan import Kind, PlannedObject, PlannedUpload
from crossover.deployed import Item

KEY = "standard/00001 a+b é.wav"
ENCODED = "standard/00001+a%2Bb+%C3%A9.wav"
BY_NAME = {fault.name: fault for fault in FAULTS}
THROTTLED = BY_NAME["DynamoDB: throttled"]
LOST_ANSWER = BY_NAME["DynamoDB: answer lost after the write"]


def uploaded(
    etag: str = "new",
    *,
    kind: Kind = Kind.GOOD,
    is_last: bool = True,
    fault: Fault | None = None,
    times: int = 0,
) -> Upload:
    planned = PlannedObject(
        variant="standard",
        key=KEY,
        uploads=(PlannedUpload(kind=kind, deliveries=(0.0,)),),
        fault=fault,
        times=times,
    )
    code = "" if kind is Kind.GOOD else "UNSUPPORTED_FORMAT"
    return Upload(planned=planned, kind=kind, error_code=code, etag=etag, size_bytes=10, is_last=is_last)


def event(etag: str = "new", sequencer: str = "0B") -> S3Event:
    return {"Records": [{"s3": {"object": {"key": ENCODED, "eTag": etag, "sequencer": sequencer}}}]}


def item(etag: str = "new", sequencer: str = "0B", status: str = "SUCCEEDED", error_code: str = "") -> Item:
    padded = sequencer.ljust(32, "0")
    values = Item(object_key=KEY, sequencer=padded, status=status, etag=etag, size_bytes=10)
    return {**values, "error_code": error_code} if error_code else values


def dead_letter(etag: str = "new", sequencer: str = "0B") -> DeadLetterRecord:
    return {"requestPayload": event(etag, sequencer)}


def write(sequencer: str = "0B", status: str = "SUCCEEDED", *, accepted: bool = True) -> Write:
    return Write(KEY, sequencer.ljust(32, "0"), status, accepted)


def judge(
    *uploads: Upload,
    items: tuple[Item, ...] = (),
    dead_letters: tuple[DeadLetterRecord, ...] = (),
    writes: tuple[Write, ...] = (),
    events: tuple[S3Event, ...] = (event(),),
    copies: int = 1,
    failures: int = 0,
) -> Audit:
    seen = {(KEY, each["Records"][0]["s3"]["object"]["eTag"]): each for each in events}
    traffic = Traffic(
        events=seen,
        copies=Counter(dict.fromkeys(seen, copies)),
        writes=list(writes),
        failures=Counter({KEY: failures}),
    )
    evidence = Evidence(items={"standard": items}, dead_letters={"standard": dead_letters}, traffic=traffic)
    return audit(uploads or [uploaded()], evidence)


def only(result: Audit) -> Verdict:
    [verdict] = result.verdicts
    return verdict


def test_an_item_means_success() -> None:
    result = judge(items=(item(),), writes=(write(),))
    assert only(result).outcome is Outcome.SUCCEEDED
    assert result.problems == []
    assert result.sentence == (
        "uploaded 1 = succeeded 1 + failed 0 + dead-lettered 0, lost = 0, duplicated = 0, stale overwrites = 0"
    )


def test_a_bad_file_must_be_a_failed_item_with_its_code() -> None:
    failed = item(status="FAILED", error_code="UNSUPPORTED_FORMAT")
    result = judge(uploaded(kind=Kind.TEXT), items=(failed,), writes=(write(status="FAILED"),))
    assert only(result).outcome is Outcome.FAILED
    assert result.problems == []
    for wrong in (item(), item(status="FAILED", error_code="EMPTY_FILE")):
        assert judge(uploaded(kind=Kind.TEXT), items=(wrong,), writes=(write(),)).problems
    assert judge(items=(failed,), writes=(write(status="FAILED"),)).problems  # of what is good audio


def test_neither_item_nor_dead_letter_is_a_loss() -> None:
    result = judge()
    assert only(result).outcome is Outcome.LOST
    assert "lost = 1" in result.sentence
    assert len(result.problems) == 1


def test_an_upload_without_an_event_is_lost() -> None:
    result = judge(events=())
    assert only(result).outcome is Outcome.LOST
    assert "no event" in result.problems[0]


def test_a_write_without_its_item_is_not_a_result() -> None:
    assert not only(judge(writes=(write(),))).is_fine


def test_a_dead_letter_with_the_event_and_enough_failures_is_an_end() -> None:
    result = judge(dead_letters=(dead_letter(),), failures=3)
    assert only(result).outcome is Outcome.DEAD_LETTERED
    assert result.problems == []


def test_a_dead_letter_without_failures_that_explain_it_is_wrong() -> None:
    assert "only 2 failed requests" in judge(dead_letters=(dead_letter(),), failures=2).problems[0]


def test_a_dead_letter_must_hold_the_same_event() -> None:
    changed = dead_letter()
    changed["requestPayload"]["Records"][0]["s3"]["object"]["sequencer"] = "0C"
    assert "does not hold the event" in judge(dead_letters=(changed,), failures=3).problems[0]


def test_result_and_dead_letter_of_one_event_are_a_duplicate() -> None:
    result = judge(items=(item(),), writes=(write(),), dead_letters=(dead_letter(),), failures=3)
    assert only(result).duplicated
    assert "duplicated = 1" in result.sentence
    assert result.problems


def test_a_dead_letter_after_a_lost_answer_to_a_write_is_not_a_duplicate() -> None:
    upload = uploaded(fault=LOST_ANSWER, times=2)
    result = judge(upload, items=(item(),), writes=(write(),), dead_letters=(dead_letter(),), failures=3)
    assert only(result).outcome is Outcome.SUCCEEDED
    assert result.problems == []


def test_each_copy_of_an_event_ends_separately() -> None:
    result = judge(items=(item(),), writes=(write(),), dead_letters=(dead_letter(),), failures=3, copies=2)
    assert only(result).outcome is Outcome.SUCCEEDED
    assert result.problems == []
    two = (dead_letter(), dead_letter())
    assert only(judge(items=(item(),), writes=(write(),), dead_letters=two, failures=6, copies=2)).duplicated


def test_more_dead_letters_than_copies_of_the_event_are_duplicates() -> None:
    assert only(judge(dead_letters=(dead_letter(), dead_letter()), failures=6)).duplicated
    assert not only(judge(dead_letters=(dead_letter(), dead_letter()), failures=6, copies=2)).duplicated


OLD, NEW = uploaded("old", is_last=False), uploaded("new")
BOTH = (event("old", "0A"), event("new", "0B"))


def test_an_overwritten_upload_counts_by_the_write_that_the_table_has_answered() -> None:
    for accepted, status in ((True, "SUCCEEDED"), (False, "FAILED")):
        writes = (write("0A", status, accepted=accepted), write("0B"))
        result = judge(OLD, NEW, items=(item(),), writes=writes, events=BOTH)
        assert [each.outcome.value for each in result.verdicts] == [status.lower(), "succeeded"]
        assert result.problems == []


def test_an_overwritten_upload_can_be_lost_too() -> None:
    result = judge(OLD, NEW, items=(item(),), writes=(write("0B"),), events=BOTH)
    assert [each.outcome for each in result.verdicts] == [Outcome.LOST, Outcome.SUCCEEDED]


def test_an_older_result_over_a_newer_one_is_a_stale_overwrite_and_not_a_loss() -> None:
    writes = (write("0B"), write("0A"))
    result = judge(OLD, NEW, items=(item("old", "0A"),), writes=writes, events=BOTH)
    assert [each.stale_overwrite for each in result.verdicts] == [False, True]
    assert "lost = 0" in result.sentence
    assert "stale overwrites = 1" in result.sentence
    assert result.problems


def test_an_older_result_where_the_newer_event_never_had_one_is_a_loss() -> None:
    result = judge(OLD, NEW, items=(item("old", "0A"),), writes=(write("0A"),), events=BOTH)
    assert [each.outcome for each in result.verdicts] == [Outcome.SUCCEEDED, Outcome.LOST]
    assert not any(each.stale_overwrite for each in result.verdicts)


def test_a_newer_write_that_was_refused_leaves_nothing_to_overwrite() -> None:
    writes = (write("0A"), write("0B", accepted=False))
    result = judge(OLD, NEW, items=(item("old", "0A"),), writes=writes, events=BOTH)
    assert [each.outcome for each in result.verdicts] == [Outcome.SUCCEEDED, Outcome.LOST]
    assert not any(each.stale_overwrite for each in result.verdicts)


def test_an_older_result_beside_the_dead_letter_of_the_newer_event_is_fine() -> None:
    dead_letters = (dead_letter("new", "0B"),)
    result = judge(
        OLD, NEW, items=(item("old", "0A"),), writes=(write("0A"),), dead_letters=dead_letters, events=BOTH, failures=3
    )
    assert [each.outcome for each in result.verdicts] == [Outcome.SUCCEEDED, Outcome.DEAD_LETTERED]
    assert result.problems == []


def test_sequencers_of_different_length_are_compared_as_s3_says() -> None:
    longer = event("new", "0A1")  # newer than 0A
    writes = (write("0A1"), write("0A", accepted=False))
    events = (event("old", "0A"), longer)
    result = judge(OLD, NEW, items=(item("new", "0A1"),), writes=writes, events=events)
    assert result.problems == []


def test_an_item_with_another_etag_is_wrong() -> None:
    larger = item()
    larger["size_bytes"] += 1
    for wrong in (item("other"), larger):
        assert "other bytes" in judge(items=(wrong,), writes=(write(),)).problems[0]


def test_a_result_in_spite_of_a_fault_that_never_ends_is_wrong() -> None:
    upload = uploaded(fault=THROTTLED, times=ALWAYS)
    assert "could succeed" in judge(upload, items=(item(),), writes=(write(),), failures=12).problems[0]
    assert judge(upload, dead_letters=(dead_letter(),), failures=12).problems == []


def test_what_belongs_to_no_upload_is_a_problem() -> None:
    stranger = item()
    stranger["object_key"] = "stranger"
    result = judge(items=(item(), stranger), writes=(write(),))
    assert "'stranger'" in result.problems[0]
    odd: tuple[Any, ...] = (dead_letter("unknown"), {"requestPayload": {"no": "event"}}, {})
    for each in odd:
        assert judge(items=(item(),), writes=(write(),), dead_letters=(each,)).problems


def test_a_dead_letter_in_another_variants_queue_is_a_problem() -> None:
    traffic = Traffic(events={(KEY, "new"): event()}, copies=Counter({(KEY, "new"): 1}), failures=Counter({KEY: 3}))
    evidence = Evidence(items={}, dead_letters={"snapstart": [dead_letter()]}, traffic=traffic)
    result = audit([uploaded()], evidence)
    assert only(result).outcome is Outcome.LOST
    assert result.strays


def test_every_upload_is_counted_once_for_its_variant() -> None:
    other = replace(uploaded("other").planned, variant="snapstart", key="another")
    lost = Upload(planned=other, kind=Kind.GOOD, error_code="", etag="other", size_bytes=1, is_last=True)
    result = judge(uploaded(), lost, items=(item(),), writes=(write(),))
    assert result.count("standard")["succeeded"] == result.count("snapstart")["lost"] == 1
    total = result.count()
    assert total["uploaded"] == total["succeeded"] + total["failed"] + total["dead-lettered"] + total["lost"] == 2
