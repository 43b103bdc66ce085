"""S3 Batch Operations as `crossover backfill` sees it, and a stack that is deployed for it; moto has no jobs."""

import csv
import io
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from crossover.aws import Clients
from crossover.deployed import Variant, find_variants

from ..deployments import create_stack

JOB = "f3cc4f60-61f6-4a2b-8a21-d07600c373ce"
ROLE = "arn:aws:iam::123456789012:role/Backfill"
MODEL = "ab" * 32
META = SimpleNamespace(region_name="eu-central-1")


def refusal(code: str, message: str = "") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(response, "any")


class Jobs:
    """A client of S3 Control, with one job that goes through these states.

    Attributes:
        states: statuses, one for each time that the job is described; the last one stays.
        created: the requests of create_job.
        pages: of list_jobs.
        error: of every request, where there is one.
    """

    meta: Any = META

    def __init__(self, *states: str, reports: str = "reports-of-jobs", **job: Any) -> None:
        self.states = list(states or ["Complete"])
        self.job = job
        self.reports = reports
        self.created: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.pages: list[list[dict[str, Any]]] = [[]]
        self.error: Exception | None = None

    def _check(self) -> None:
        if self.error:
            raise self.error

    def create_job(self, **request: Any) -> dict[str, str]:
        self._check()
        self.created.append(request)
        return {"JobId": JOB}

    def describe_job(self, **request: Any) -> dict[str, Any]:
        self._check()
        self.asked.append(request)
        status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        report = {"Enabled": True, "Bucket": f"arn:aws:s3:::{self.reports}", "Prefix": "reports"}
        return {"Job": {"JobId": JOB, "Status": status, "Report": report, **self.job}}

    def list_jobs(self, *, NextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        self._check()
        number = int(NextToken)
        following = number + 1
        more = {"NextToken": str(following)} if following < len(self.pages) else {}
        return {"Jobs": self.pages[number], **more}

    def update_job_status(self, **request: Any) -> dict[str, str]:
        self._check()
        self.asked.append(request)
        return {"JobId": JOB, "Status": "Cancelling"}


class Lambda:
    """A client of Lambda that knows the functions' configuration, and what they have reserved."""

    meta: Any = META

    def __init__(self, *, reserved: int | None = None, **config: Any) -> None:
        self.reserved = reserved
        self.config = {"MemorySize": 4096, **config}

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return self.config

    def get_function_concurrency(self, **_: str) -> dict[str, int]:
        return {} if self.reserved is None else {"ReservedConcurrentExecutions": self.reserved}


def with_jobs(clients: Clients, jobs: Any, functions: Any = None) -> Clients:
    """The account's clients, with these jobs and functions."""
    return lambda service, /: {"s3control": jobs, "lambda": functions or Lambda()}.get(service) or clients(service)


def listed(job_id: str, description: str, *, hour: int) -> dict[str, Any]:
    """A job in the answer of ListJobs."""
    return {
        "JobId": job_id,
        "Description": description,
        "Status": "Active",
        "CreationTime": datetime(2026, 11, 28, hour, tzinfo=UTC),
        "ProgressSummary": {"TotalNumberOfTasks": 5, "NumberOfTasksSucceeded": 2, "NumberOfTasksFailed": 1},
    }


def deploy(clients: Clients, **outputs: str) -> Variant:
    """A variant whose stack is deployed for a backfill."""
    clients("s3").create_bucket(
        Bucket="reports-of-jobs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    more = {
        "BackfillRoleArn": ROLE,
        "BackfillBucketName": "reports-of-jobs",
        "ModelSha256": MODEL,
        "InputKind": "audio",
        **outputs,
    }
    create_stack(clients, "Crossover-Standard", "standard", outputs=more)
    [variant] = find_variants(clients, prefix="Crossover")
    return variant


def put(clients: Clients, variant: Variant, *keys: str) -> dict[str, str]:
    """Put small objects; returns their etags."""
    s3 = clients("s3")
    return {key: s3.put_object(Bucket=variant.bucket, Key=key, Body=key.encode())["ETag"].strip('"') for key in keys}


def put_report(clients: Clients, *rows: tuple[str, str, str]) -> None:
    """Write the report of the job, as AWS does: key, status, message."""
    s3, results = clients("s3"), []
    for status in ("succeeded", "failed"):
        text = io.StringIO()
        code = "" if status == "succeeded" else "PermanentFailure"
        csv.writer(text).writerows(
            ["files", quote(key), "", status, "200", code, message] for key, of, message in rows if of == status
        )
        key = f"reports/job-{JOB}/results/{status}.csv"
        s3.put_object(Bucket="reports-of-jobs", Key=key, Body=text.getvalue().encode())
        results.append({"TaskExecutionStatus": status, "Bucket": "reports-of-jobs", "MD5Checksum": "", "Key": key})
    body = json.dumps({"Format": "Report_CSV_20180820", "Results": results})
    s3.put_object(Bucket="reports-of-jobs", Key=f"reports/job-{JOB}/manifest.json", Body=body.encode())
