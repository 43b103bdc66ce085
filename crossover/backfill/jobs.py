"""Jobs of S3 Batch Operations: made, watched, cancelled.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from crossover.aws import Clients
from crossover.backfill.objects import Choice
from crossover.deployed import Backfill, Delays, Variant
from crossover.errors import CrossoverError, UsageError

ENDED = ("Complete", "Failed", "Cancelled")
DELAYS = Delays(first=0.5, longest=5.0)
"""Between two looks at a job, which on AWS takes minutes."""
PRIORITY = 10  # only its order among the account's other jobs matters
WAITS_FOR_CONFIRMATION = "Suspended"
UNKNOWN = ("NoSuchJob", "NoSuchJobException", "NotFoundException", "InvalidRequest", "BadRequestException")
"""Error codes of a request about a job that is not there, or whose id is none."""
DESCRIPTION = "crossover backfill of "
"""Of a job, before its stack's name."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job, as it is now.

    Attributes:
        id: of S3 Batch Operations.
        status: such as Preparing, Active, Complete, Failed or Cancelled.
        total: number of its objects; 0 until they are known.
        succeeded, failed: how many of them are done.
        reasons: why it failed, sentences of AWS.
        report: bucket and prefix of its report.
        function: name of the function that it invokes.
    """

    id: str
    status: str
    total: int
    succeeded: int
    failed: int
    reasons: tuple[str, ...]
    report: tuple[str, str]
    function: str = ""

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, kw_only=True)
class ListedJob:
    """A job in a list of them; as in Job, but for these attributes.

    Attributes:
        stack: whose function it invokes.
        created: when it was made.
    """

    id: str
    stack: str
    created: datetime
    status: str
    total: int
    succeeded: int
    failed: int


def account_of(clients: Clients) -> str:
    """The account that the credentials are of."""
    account: str = clients("sts").get_caller_identity()["Account"]
    return account


def backfill_of(variant: Variant) -> Backfill:
    """What a stack has for jobs.

    Raises:
        UsageError: it was deployed without.
    """
    if variant.backfill is None or not variant.handler_arn:
        raise UsageError(
            f"The stack {variant.stack} has no role for a backfill; deploy it with the setting backfill=true first."
        )
    return variant.backfill


def generated_manifest(variant: Variant, account: str, choice: Choice) -> dict[str, Any]:
    """The part of a request that lets S3 list the objects itself."""
    generator = {
        "SourceBucket": f"arn:{_partition(variant)}:s3:::{variant.bucket}",
        "ExpectedBucketOwner": account,
        "EnableManifestOutput": False,
        **({"Filter": choice.filter} if choice.filter else {}),
    }
    return {"ManifestGenerator": {"S3JobManifestGenerator": generator}}


def uploaded_manifest(clients: Clients, variant: Variant, file: IO[bytes], token: str) -> dict[str, Any]:
    """Upload a list of objects; returns the part of a request that names it."""
    bucket, key = backfill_of(variant).bucket, f"manifests/{token}.csv"
    file.seek(0)
    clients("s3").upload_fileobj(file, bucket, key)
    etag = clients("s3").head_object(Bucket=bucket, Key=key)["ETag"]
    return {
        "Manifest": {
            "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
            "Location": {"ObjectArn": f"arn:{_partition(variant)}:s3:::{bucket}/{key}", "ETag": etag.strip('"')},
        }
    }


def create(clients: Clients, variant: Variant, account: str, manifest: dict[str, Any], token: str) -> str:
    """Make a job that begins at once; returns its id. The same token never makes a second one.

    Raises:
        CrossoverError: AWS refused it, or its answer was lost.
    """
    backfill = backfill_of(variant)
    try:
        answer = clients("s3control").create_job(
            AccountId=account,
            ConfirmationRequired=False,
            ClientRequestToken=token,
            Description=f"{DESCRIPTION}{variant.stack}"[:256],
            Operation={"LambdaInvoke": {"FunctionArn": variant.handler_arn, "InvocationSchemaVersion": "1.0"}},
            Report={
                "Enabled": True,
                "Bucket": f"arn:{_partition(variant)}:s3:::{backfill.bucket}",
                "Prefix": "reports",
                "Format": "Report_CSV_20180820",
                # What was refused is in the report of what succeeded, as its result.
                "ReportScope": "AllTasks",
            },
            Priority=PRIORITY,
            RoleArn=backfill.role,
            **manifest,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"):
            message = error.response["Error"]["Message"].rstrip(".")
            raise CrossoverError(
                f"AWS refused the job: {message}; you need s3:CreateJob, and iam:PassRole on {backfill.role}."
            ) from error
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500:
            raise
        raise _lost(error) from error
    except BotoCoreError as error:
        raise _lost(error) from error
    job_id: str = answer["JobId"]
    return job_id


def _lost(error: Exception) -> CrossoverError:
    """Of a request that S3 may have taken."""
    why = " ".join(str(error).split()).rstrip(".")
    return CrossoverError(
        f"Whether S3 has made the job is not known: {why}; `crossover backfill --list` shows it if it has."
    )


def find(clients: Clients, account: str, *, prefix: str, stack: str = "") -> list[ListedJob]:
    """The jobs that this command has made in the region, newest first: S3 forgets them 90 days after their end.

    Args:
        prefix: only of stacks named `<prefix>-...` or just `<prefix>`, those included that are deleted.
        stack: only of this one.
    """
    found: list[ListedJob] = []
    page: dict[str, str] = {}
    while True:
        answer = clients("s3control").list_jobs(AccountId=account, MaxResults=1000, **page)
        for each in answer.get("Jobs", []):
            description = each.get("Description", "")
            name = description.removeprefix(DESCRIPTION)
            if name != description and f"{name}-".startswith(f"{prefix}-") and stack in ("", name):
                counts = _counts(each)
                found.append(
                    ListedJob(
                        id=each["JobId"], stack=name, created=each["CreationTime"], status=each["Status"], **counts
                    )
                )
        if not answer.get("NextToken"):
            return sorted(found, key=lambda job: job.created, reverse=True)
        page = {"NextToken": answer["NextToken"]}


def describe(clients: Clients, account: str, job_id: str) -> Job:
    """A job as it is now.

    Raises:
        UsageError: there is none with this id.
    """
    try:
        found = clients("s3control").describe_job(AccountId=account, JobId=job_id)["Job"]
    except ClientError as error:
        _check_known(error, clients, account, job_id)
        raise
    report = found.get("Report", {})
    function = found.get("Operation", {}).get("LambdaInvoke", {}).get("FunctionArn", "")
    return Job(
        id=job_id,
        status=found["Status"],
        **_counts(found),
        reasons=tuple(each.get("FailureReason") or each["FailureCode"] for each in found.get("FailureReasons", [])),
        report=(report.get("Bucket", "").rpartition(":")[2], report.get("Prefix", "")),
        function="".join(function.split(":")[6:7]),
    )


def _counts(job: Mapping[str, Any]) -> dict[str, int]:
    """How many objects a job has, and how many of them are done."""
    progress = job.get("ProgressSummary", {})
    return {
        "total": progress.get("TotalNumberOfTasks", 0),
        "succeeded": progress.get("NumberOfTasksSucceeded", 0),
        "failed": progress.get("NumberOfTasksFailed", 0),
    }


def watch(clients: Clients, account: str, job_id: str, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[Job]:
    """A job again and again until it has ended.

    Raises:
        CrossoverError: there is none with this id, or it waits for a confirmation that this command does not give.
    """
    for delay in DELAYS:
        job = describe(clients, account, job_id)
        yield job
        if job.has_ended:
            return
        if job.status == WAITS_FOR_CONFIRMATION:
            raise CrossoverError(
                f"The job {job_id} waits for a confirmation, which the console of S3 gives; or cancel it by "
                f"`crossover backfill --cancel {job_id}`."
            )
        sleep(delay)


def cancel(clients: Clients, account: str, job_id: str) -> str:
    """Cancel a job: objects that it has begun are still predicted; returns its status.

    Raises:
        UsageError: there is none with this id, or it has ended.
    """
    try:
        answer = clients("s3control").update_job_status(
            AccountId=account, JobId=job_id, RequestedJobStatus="Cancelled", StatusUpdateReason="crossover backfill"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("JobStatusException", "InvalidJobStatus", "InvalidRequest"):
            ended = describe(clients, account, job_id).status
            raise UsageError(f"The job {job_id} cannot be cancelled any more: it is {ended}.") from error
        _check_known(error, clients, account, job_id)
        raise
    status: str = answer["Status"]
    return status


def _check_known(error: ClientError, clients: Clients, account: str, job_id: str) -> None:
    """Raise a UsageError, where the error says that there is no such job."""
    if error.response["Error"]["Code"] in UNKNOWN:
        where = clients("s3control").meta.region_name
        message = f"There is no job {job_id!r} of S3 Batch Operations in {where}, account {account}."
        raise UsageError(message) from error


def _partition(variant: Variant) -> str:
    """That of the variant's ARNs: aws, aws-cn or the like."""
    return variant.handler_arn.split(":")[1]
