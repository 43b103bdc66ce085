"""The tasks of a job of S3 Batch Operations: which objects they are, how they end, and the report of them."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TASKS_BEFORE_ABORT, MOST_FAILED = 1000, 0.5


@dataclass(frozen=True, kw_only=True)
class Task:
    """An object of the manifest; its key as it is there, URL-encoded."""

    bucket: str
    key: str
    version: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a task ended: the last four columns of the report."""

    succeeded: bool
    status: str
    code: str
    message: str


def matches(allowed: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether the filter of a generated manifest allows an object, as ListObjectsV2 gives it.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobManifestGeneratorFilter.html
    """
    names = allowed.get("KeyNameConstraint", {})
    key, modified = found["Key"], found["LastModified"]
    return bool(
        (not names.get("MatchAnyPrefix") or key.startswith(tuple(names["MatchAnyPrefix"])))
        and (not names.get("MatchAnySuffix") or key.endswith(tuple(names["MatchAnySuffix"])))
        and (not names.get("MatchAnySubstring") or any(part in key for part in names["MatchAnySubstring"]))
        and ("CreatedAfter" not in allowed or modified > allowed["CreatedAfter"])
        and ("CreatedBefore" not in allowed or modified < allowed["CreatedBefore"])
    )


def is_given_up(done: int, failed: int) -> bool:
    """Whether so many of the tasks that are done have failed that the job ends.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
    """
    return done >= TASKS_BEFORE_ABORT and failed > MOST_FAILED * done


def report_files(
    outcomes: Sequence[tuple[Task, Outcome]], *, bucket: str, folder: str, everything: bool
) -> dict[str, bytes]:
    """The files of a report, by their keys: CSV of what succeeded and of what failed, and then the list of them.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html

    Args:
        everything: whether it has what succeeded, too.
    """
    files: dict[str, bytes] = {}
    results = []
    for status in ("succeeded", "failed") if everything else ("failed",):
        rows = [
            [task.bucket, task.key, task.version or "", status, outcome.status, outcome.code, outcome.message]
            for task, outcome in outcomes
            if outcome.succeeded == (status == "succeeded")
        ]
        if not rows:
            continue
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        content = text.getvalue().encode()
        key = f"{folder}/results/{hashlib.sha1(content, usedforsecurity=False).hexdigest()}.csv"
        checksum = hashlib.md5(content, usedforsecurity=False).hexdigest()
        files[key] = content
        results.append({"TaskExecutionStatus": status, "Bucket": bucket, "MD5Checksum": checksum, "Key": key})
    manifest = {
        "Format": "Report_CSV_20180820",
        "ReportCreationDate": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "Results": results,
        "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage",
    }
    return {**files, f"{folder}/manifest.json": json.dumps(manifest).encode()}
