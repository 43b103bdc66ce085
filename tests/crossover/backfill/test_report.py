"""The report of a job: what became of its objects."""

from collections import Counter

from crossover.aws import Clients
from crossover.backfill.jobs import Job
from crossover.backfill.report import MOST_EXAMPLES, MOST_REASONS, MOST_SHOWN_REASONS, Summary, read

from .jobs_service import JOB, deploy, put_report

ENDED = Job(
    id=JOB, status="Complete", total=0, succeeded=0, failed=0, reasons=(), report=("reports-of-jobs", "reports")
)
NEWER = " (not stored: the table has a newer result)"
KEPT = " (not stored: the table keeps the result of an upload)"
TIMED_OUT = '{{"errorMessage":"2026-11-28T17:35:21.155Z {} Task timed out after 3.00 seconds"}}'


def test_refusals_are_counted_by_code_and_failures_by_reason(clients: Clients) -> None:
    deploy(clients)
    put_report(
        clients,
        ("a.wav", "succeeded", "SUCCEEDED"),
        ("b.wav", "succeeded", f"SUCCEEDED{NEWER}"),
        ("c,d.wav", "succeeded", 'FAILED NOT_AUDIO: It begins with "x",\nand more.'),
        ("e.wav", "succeeded", f"FAILED EMPTY_FILE: It is empty.{KEPT}"),
        ("f/", "succeeded", "PASSED_OVER: Its key is that of a folder."),
        ("g h.wav", "failed", TIMED_OUT.format("2845ca0d-38d9-4c4b-abcf-379dc749c452")),
        ("i.wav", "failed", TIMED_OUT.format("2d0a330b-de9b-425f-b511-29232fde5fe4")),
    )
    assert read(clients, ENDED) == Summary(
        succeeded=2,
        passed_over=1,
        newer=1,
        kept=1,
        refused=Counter({"NOT_AUDIO": 1, "EMPTY_FILE": 1}),
        failed=Counter({TIMED_OUT.format("…").replace("2026-11-28T17:35:21.155Z", "…"): 2}),
        examples=["g h.wav", "i.wav"],
    )


def test_of_many_failures_some_keys_are_shown(clients: Clients) -> None:
    deploy(clients)
    put_report(clients, *((f"{number}.wav", "failed", "no") for number in range(50)))
    summary = read(clients, ENDED)
    assert summary
    assert (summary.failed.total(), len(summary.examples)) == (50, MOST_EXAMPLES)


def test_reasons_are_bounded_and_counted_though_aws_may_leave_them_out() -> None:
    summary = Summary()
    for number in range(2 * MOST_REASONS):
        summary.add(["files", "a.wav", "", "failed", "200", "PermanentFailure", f"No {number}."])
    for _ in range(3):
        summary.add(["files", "a.wav", "", "failed", "200", "PermanentFailure", "No 7."])
    assert len(summary.failed) <= MOST_REASONS + 1
    reasons = summary.reasons
    assert (len(reasons), next(iter(reasons)), reasons["No 7."]) == (MOST_SHOWN_REASONS + 1, "No 7.", 4)
    assert sum(reasons.values()) == 2 * MOST_REASONS + 3
    summary = Summary()
    summary.add(["files", "a.wav", "", "failed", "200", "PermanentFailure", ""])
    assert summary.reasons == {"no reason given": 1}


def test_an_empty_line_is_no_object(clients: Clients) -> None:
    deploy(clients)
    put_report(clients, ("a.wav", "succeeded", "SUCCEEDED"))
    key = f"reports/job-{JOB}/results/succeeded.csv"
    body = clients("s3").get_object(Bucket="reports-of-jobs", Key=key)["Body"].read()
    clients("s3").put_object(Bucket="reports-of-jobs", Key=key, Body=b"\n" + body + b"\n")
    assert read(clients, ENDED) == Summary(succeeded=1)


def test_a_job_that_has_begun_nothing_has_no_report(clients: Clients) -> None:
    deploy(clients)
    assert read(clients, ENDED) is None
