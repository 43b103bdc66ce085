"""S3 Batch Operations: a job invokes a function for every object of a manifest, and writes a report.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
"""

import contextvars
import csv
import io
import re
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, quote_plus
from xml.etree.ElementTree import Element, SubElement, tostring

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import Shape
from botocore.parsers import create_parser
from ministack.core.responses import get_account_id, get_region
from ministack.services import s3

from crossover.local.account import ROOT_CREDENTIALS
from crossover.local.emulator.batch_invocations import INVOKING, invoke
from crossover.local.emulator.batch_tasks import Outcome, Task, is_given_up, matches, report_files
from crossover.local.emulator.connection import aws_client
from crossover.local.emulator.ministack_internals import Properties
from crossover.local.emulator.permissions import DeniedError, assume_role, check_request, check_role

Response = tuple[int, dict[str, str], bytes]  # status, headers and body

PATH = re.compile(r"/v20180820/jobs(?:/([^/]+)(/status)?)?")
SERVICE = "batchoperations.s3.amazonaws.com"
CONCURRENCY = 4
"""Tasks at a time; on AWS many more."""
ENDED = ("Complete", "Failed", "Cancelled")


@dataclass(kw_only=True)
class Job:
    """A job; `request` is CreateJob's."""

    id: str
    request: Properties
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "New"
    ended: datetime | None = None
    failure: Properties | None = None
    total: int = 0
    failed: int = 0
    outcomes: list[tuple[Task, Outcome]] = field(default_factory=list)
    confirmed: threading.Event = field(default_factory=threading.Event)
    is_cancelled: threading.Event = field(default_factory=threading.Event)
    ending: threading.Lock = field(default_factory=threading.Lock)

    @property
    def arn(self) -> str:
        return arn_of(self.id)

    def end(self, status: str, failure: Properties | None = None) -> None:
        with self.ending:
            self.failure, self.ended, self.status = failure, datetime.now(UTC), status

    def describe(self) -> Properties:
        """The members of DescribeJob's answer, and of ListJobs', which has a part of them."""
        done = list(self.outcomes)
        failed = sum(not outcome.succeeded for _, outcome in done)
        return {
            **self.request,
            "JobId": self.id,
            "JobArn": self.arn,
            "Status": self.status,
            "CreationTime": self.created,
            "Operation": self.request["Operation"],
            "ProgressSummary": {
                "TotalNumberOfTasks": self.total,
                "NumberOfTasksSucceeded": len(done) - failed,
                "NumberOfTasksFailed": failed,
            },
            **({"FailureReasons": [self.failure]} if self.failure else {}),
            **({"TerminationDate": self.ended} if self.ended else {}),
        }


class BatchOperations:
    """The account's jobs."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self._changing = threading.Lock()

    def answer(self, scope: dict[str, Any], body: bytes) -> Response:
        """Answer CreateJob, ListJobs, DescribeJob and UpdateJobStatus, whose path PATH matches."""
        match = PATH.fullmatch(scope["path"])
        assert match
        job_id, is_update = match[1], bool(match[2])
        query = parse_qs(scope.get("query_string", b"").decode())
        try:
            if job_id is None and scope["method"] == "POST":
                return self._create(scope, body)
            if job_id is None:
                check_request(scope, body, "s3:ListJobs", "*")
                return self._list(query.get("jobStatuses", []))
            check_request(scope, body, "s3:UpdateJobStatus" if is_update else "s3:DescribeJob", arn_of(job_id))
            if not (job := self.jobs.get(job_id)):
                return error("NoSuchJob", "The specified job does not exist.", 404)
            return self._update(job, query["requestedJobStatus"][0]) if is_update else self._describe(job)
        except DeniedError as denied:
            return error("AccessDenied", denied.message, 403)

    def _create(self, scope: dict[str, Any], body: bytes) -> Response:
        check_request(scope, body, "s3:CreateJob", "*")
        request = parse("CreateJob", body)
        check_request(scope, body, "iam:PassRole", request["RoleArn"])
        if ("Manifest" in request) == ("ManifestGenerator" in request):
            return error("InvalidRequest", "Request must have either a manifest or a manifest generator.", 400)
        if "LambdaInvoke" not in request["Operation"]:
            return error("InvalidRequest", "Only the operation LambdaInvoke is supported here.", 400)
        with self._changing:
            token = request["ClientRequestToken"]
            job = next((each for each in self.jobs.values() if each.request["ClientRequestToken"] == token), None)
            if job and job.request != request:
                return error("IdempotencyException", "The request token was used with another request.", 400)
            if not job:
                job = Job(id=str(uuid.uuid4()), request=request)
                self.jobs[job.id] = job
                context = contextvars.copy_context()  # holds the account and the region of the request
                threading.Thread(target=context.run, args=(run, job), daemon=True).start()
        return as_xml("CreateJob", {"JobId": job.id})

    def _list(self, statuses: list[str]) -> Response:
        newest = sorted(self.jobs.values(), key=lambda job: job.created, reverse=True)
        found = [job.describe() for job in newest if not statuses or job.status in statuses]
        for job in found:
            job["Operation"] = next(iter(job["Operation"]))
        return as_xml("ListJobs", {"Jobs": found})

    def _describe(self, job: Job) -> Response:
        return as_xml("DescribeJob", {"Job": job.describe()})

    def _update(self, job: Job, status: str) -> Response:
        with job.ending:
            if job.status in ENDED or (status == "Ready" and job.status != "Suspended"):
                return error("JobStatusException", f"The job is {job.status}, so it cannot become {status}.", 400)
            if status == "Cancelled":
                job.status = "Cancelling"
                job.is_cancelled.set()
            job.confirmed.set()
        return as_xml("UpdateJobStatus", {"JobId": job.id, "Status": job.status})


def run(job: Job) -> None:
    """Run a job to its end."""
    try:
        job.status = "Preparing"
        credentials = assume_role(job.request["RoleArn"], SERVICE, f"s3-batch-operations_{job.id}")
        tasks = tasks_of(job, credentials)
        job.total = len(tasks)
        if job.request.get("ConfirmationRequired"):
            job.status = "Suspended"
            job.confirmed.wait()
        if not job.is_cancelled.is_set():
            job.status = "Active"
        failure = invoke_all(job, tasks, credentials)
        if job.outcomes and job.request["Report"].get("Enabled"):
            if not (failure or job.is_cancelled.is_set()):
                job.status = "Completing"
            write_report(job, credentials)
        ending = "Cancelled" if job.is_cancelled.is_set() else "Failed" if failure else "Complete"
        job.end(ending, failure)
    except (DeniedError, ClientError, BotoCoreError, ValueError) as reason:
        job.end("Failed", {"FailureCode": "JobFailed", "FailureReason": str(reason)})
    except Exception as error:  # else the job would never end
        job.end("Failed", {"FailureCode": "InternalError", "FailureReason": f"{type(error).__name__}: {error}"})


def tasks_of(job: Job, credentials: Properties) -> list[Task]:
    """The objects of the manifest, given or generated.

    Raises:
        ValueError: the manifest has changed, is no manifest, or is empty.
        DeniedError, botocore.exceptions.ClientError: it cannot be read, or the role may not generate it.
    """
    if manifest := job.request.get("Manifest"):
        bucket, _, key = manifest["Location"]["ObjectArn"].removeprefix("arn:aws:s3:::").partition("/")
        answer = aws_client("s3", credentials).get_object(Bucket=bucket, Key=key)
        if answer["ETag"].strip('"') != manifest["Location"]["ETag"].strip('"'):
            raise ValueError("The ETag of the manifest is not that of the request.")
        names = {"Bucket": "bucket", "Key": "key", "VersionId": "version"}
        columns = [names.get(column, "") for column in manifest["Spec"]["Fields"]]
        rows = csv.reader(io.StringIO(answer["Body"].read().decode()))
        tasks = [Task(**{name: value for name, value in zip(columns, row, strict=True) if name}) for row in rows]
    else:
        tasks = list(generate(job, job.request["ManifestGenerator"]["S3JobManifestGenerator"]))
    if not tasks:
        raise ValueError("The manifest holds no objects.")
    return tasks


def generate(job: Job, generator: Properties) -> Iterator[Task]:
    """The objects of a bucket that a filter matches: S3 lists them, if the role may ask for an inventory."""
    check_role(job.request["RoleArn"], ["s3:PutInventoryConfiguration"], generator["SourceBucket"])
    bucket = generator["SourceBucket"].removeprefix("arn:aws:s3:::")
    pages = aws_client("s3", ROOT_CREDENTIALS).get_paginator("list_objects_v2").paginate(Bucket=bucket)
    for each in (each for page in pages for each in page.get("Contents", [])):
        if matches(generator.get("Filter", {}), each):
            yield Task(bucket=bucket, key=quote_plus(each["Key"], safe="/"))  # as in an inventory


def invoke_all(job: Job, tasks: list[Task], credentials: Properties) -> Properties | None:
    """Invoke the function for every task; the reason why the job fails, where too many of them fail."""
    client = aws_client("lambda", credentials, INVOKING)
    operation = job.request["Operation"]["LambdaInvoke"]
    context = contextvars.copy_context()
    too_many = threading.Event()
    recording = threading.Lock()

    def process(task: Task) -> None:
        if job.is_cancelled.is_set() or too_many.is_set():
            return
        try:
            outcome = context.copy().run(invoke, client, operation, job.id, task)
        except Exception as error:  # else there would be no report of the other tasks
            message = f"{type(error).__name__}: {error}"
            outcome = Outcome(succeeded=False, status="", code="PermanentFailure", message=message)
        with recording:
            job.failed += not outcome.succeeded
            job.outcomes.append((task, outcome))
            if is_given_up(len(job.outcomes), job.failed):
                too_many.set()

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(process, tasks))
    if not too_many.is_set():
        return None
    reason = f"The job failed because {job.failed} of {len(job.outcomes)} tasks failed, more than half of them."
    return {"FailureCode": "TaskFailureThresholdExceeded", "FailureReason": reason}


def write_report(job: Job, credentials: Properties) -> None:
    """Write the report as AWS does."""
    report, client = job.request["Report"], aws_client("s3", credentials)
    bucket = report["Bucket"].removeprefix("arn:aws:s3:::")
    folder = "/".join(filter(None, [report.get("Prefix", ""), f"job-{job.id}"]))
    everything = report["ReportScope"] == "AllTasks"
    for key, content in report_files(job.outcomes, bucket=bucket, folder=folder, everything=everything).items():
        client.put_object(Bucket=bucket, Key=key, Body=content)


def arn_of(job_id: str) -> str:
    """The ARN of a job."""
    return f"arn:aws:s3:{get_region()}:{get_account_id()}:job/{job_id}"


def error(code: str, message: str, status: int) -> Response:
    """An error in S3 Control's form."""
    response: Response = s3.s3control_error(code, message, status)
    return response


@cache
def service_model() -> Any:
    """botocore's description of S3 Control, which gives requests and answers their form."""
    return botocore.session.get_session().get_service_model("s3control")


def parse(operation: str, body: bytes) -> Properties:
    """The members of a request's body."""
    shape = service_model().operation_model(operation).input_shape
    parsed = create_parser("rest-xml").parse({"headers": {}, "status_code": 200, "body": body}, shape)
    return {name: value for name, value in parsed.items() if name != "ResponseMetadata"}


def as_xml(operation: str, content: Properties) -> Response:
    """An answer with these members."""
    shape = service_model().operation_model(operation).output_shape
    root = Element(f"{operation}Result")
    add_members(root, shape, content)
    return 200, {"Content-Type": "application/xml"}, tostring(root)


def add_members(element: Element, shape: Any, value: Any) -> None:
    """Write a value of this shape into an element; members of a structure that the shape lacks are left out."""
    match shape.type_name:
        case "structure":
            for name in (name for name in shape.members if name in value):
                _add(element, shape.members[name], name, value[name])
        case "list":
            for each in value:
                _add(element, shape.member, "member", each)
        case "map":
            for key, each in value.items():
                entry = SubElement(element, "entry")
                SubElement(entry, "key").text = key
                SubElement(entry, "value").text = each
        case "boolean":
            element.text = str(value).lower()
        case "timestamp":
            element.text = value.isoformat()
        case _:
            element.text = str(value)


def _add(parent: Element, shape: Shape, name: str, value: Any) -> None:
    add_members(SubElement(parent, shape.serialization.get("name", name)), shape, value)
