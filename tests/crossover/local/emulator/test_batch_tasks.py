"""Which objects the tasks of a job are, when it is given up, and its report."""

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest

from crossover.local.emulator.batch_tasks import Outcome, Task, is_given_up, matches, report_files

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OUTCOMES = [
    (
        Task(bucket="files", key=key),
        Outcome(succeeded=code == "", status="200", code=code, message=f'says "{key}", and more'),
    )
    for key, code in [("a", ""), ("b%20c", "PermanentFailure"), ("d", "")]
]


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ({}, True),
        ({"KeyNameConstraint": {"MatchAnyPrefix": ["in/"], "MatchAnySuffix": [".wav"]}}, True),
        ({"KeyNameConstraint": {"MatchAnyPrefix": ["in/"], "MatchAnySuffix": [".flac"]}}, False),
        ({"KeyNameConstraint": {"MatchAnyPrefix": ["out/"]}}, False),
        ({"KeyNameConstraint": {"MatchAnySubstring": ["x"]}}, False),
        ({"CreatedAfter": NOON - SECOND, "CreatedBefore": NOON + SECOND}, True),
        ({"CreatedAfter": NOON}, False),
        ({"CreatedBefore": NOON}, False),
    ],
)
def test_an_object_matches_all_of_a_filter(allowed: dict[str, object], expected: bool) -> None:
    assert matches(allowed, {"Key": "in/a.wav", "LastModified": NOON}) is expected


@pytest.mark.parametrize(("done", "failed", "expected"), [(999, 999, False), (1000, 500, False), (1000, 501, True)])
def test_a_job_is_given_up_when_most_of_a_thousand_tasks_failed(done: int, failed: int, expected: bool) -> None:
    assert is_given_up(done, failed) is expected


@pytest.mark.parametrize("everything", [True, False])
def test_the_report_has_a_file_for_each_status_and_a_list_of_them(everything: bool) -> None:
    files = report_files(OUTCOMES, bucket="reports", folder="x/job-1", everything=everything)
    listed = json.loads(files["x/job-1/manifest.json"])["Results"]
    assert [each["TaskExecutionStatus"] for each in listed] == (["succeeded"] * everything) + ["failed"]
    assert {each["Key"] for each in listed} == files.keys() - {"x/job-1/manifest.json"}
    [row] = csv.reader(files[listed[-1]["Key"]].decode().splitlines())
    assert row == ["files", "b%20c", "", "failed", "200", "PermanentFailure", 'says "b%20c", and more']
