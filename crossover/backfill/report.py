"""What became of a job's objects, by the report that S3 Batch Operations writes.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from crossover.aws import Clients
from crossover.backfill.jobs import Job

# What the handlers answer: lambda_src/inference/answers.py.
REFUSED = re.compile(r"FAILED (\w+): ")
PASSED_OVER = "PASSED_OVER: "
NEWER = "(not stored: the table has a newer result)"
KEPT = "(not stored: the table keeps the result of an upload)"
MOST_EXAMPLES = 10
REASON_CHARACTERS = 200
MOST_REASONS, MOST_SHOWN_REASONS = 1000, 20
"""That are told apart while the report is read, which bounds the memory, and that are shown."""
OTHER_REASONS = "other reasons"
NO_REASON = "no reason given"


@dataclass(kw_only=True)
class Summary:
    """What became of the objects.

    Attributes:
        succeeded: predictions.
        passed_over: of which nothing is predicted, such as folders.
        newer: of the predictions and refusals, those whose item is of a newer upload and stayed.
        kept: of the refusals, those whose item is of an upload, perhaps of the same file, and stayed.
        refused: FAILED items, by their error code.
        failed: neither predicted nor refused, by the reason; AWS may leave it out.
        examples: keys of some that failed.
    """

    succeeded: int = 0
    passed_over: int = 0
    newer: int = 0
    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, row: list[str]) -> None:
        """Count a row of the report.

        AWS's list of the columns and its examples have HTTP status and error code in different orders; neither matters.
        """
        key, status, message = unquote_plus(row[1]), row[3], row[-1]
        if status != "succeeded":
            reason = _reason(message) or NO_REASON
            self.failed[reason if reason in self.failed or len(self.failed) < MOST_REASONS else OTHER_REASONS] += 1
            if len(self.examples) < MOST_EXAMPLES:
                self.examples.append(key)
            return
        if refusal := REFUSED.match(message):
            self.refused[refusal[1]] += 1
        elif message.startswith(PASSED_OVER):
            self.passed_over += 1
        else:
            self.succeeded += 1
        self.newer += message.endswith(NEWER)
        self.kept += message.endswith(KEPT)

    @property
    def reasons(self) -> dict[str, int]:
        """Why objects failed, the most frequent first, and how many did for others."""
        told_apart = Counter({reason: number for reason, number in self.failed.items() if reason != OTHER_REASONS})
        most = dict(told_apart.most_common(MOST_SHOWN_REASONS))
        others = self.failed.total() - sum(most.values())
        return {**most, **({OTHER_REASONS: others} if others else {})}


def read(clients: Clients, job: Job) -> Summary | None:
    """The report summed up; None where there is none, as no object was begun or it is not written yet."""
    bucket, prefix = job.report
    key = "/".join(filter(None, [prefix, f"job-{job.id}", "manifest.json"]))
    try:
        manifest = json.load(clients("s3").get_object(Bucket=bucket, Key=key)["Body"])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    summary = Summary()
    for part in manifest["Results"]:
        for row in csv.reader(_lines(clients, part)):
            if row:
                summary.add(row)
    return summary


def _lines(clients: Clients, part: dict[str, Any]) -> Iterator[str]:
    """The lines of a file of the report, which may have millions."""
    body = clients("s3").get_object(Bucket=part["Bucket"], Key=part["Key"])["Body"]
    for line in body.iter_lines(keepends=True):
        yield line.decode("utf-8", errors="replace")


def _reason(message: str) -> str:
    """The message without what differs between objects: request ids and times."""
    short = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[\d:.]+Z", "…", " ".join(message.split()))
    return short if len(short) <= REASON_CHARACTERS else f"{short[:REASON_CHARACTERS]}…"
