"""Jobs of S3 Batch Operations, tested through AWS's APIs."""

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.exceptions import ClientError

from crossover.aws import Clients, open_clients
from crossover.local.account import ACCOUNT
from crossover.local.work import LocalAws
from tests.crossover.waiting import wait_until

from .stacks import deploy, role

pytestmark = pytest.mark.slow
# Answers as the key says: what fails for a moment succeeds when it is asked again.
HANDLER = """
import json
from urllib.parse import unquote_plus

asked = set()

def handler(event, context):
    [task] = event["tasks"]
    key = unquote_plus(task["s3Key"])
    code = "Succeeded"
    if key == "deadly":
        raise ValueError("no good")
    if key.startswith("broken"):
        code = "PermanentFailure"
    if key == "throttled" and task["taskId"] not in asked:
        code = "TemporaryFailure"
    asked.add(task["taskId"])
    seen = [key, task.get("s3BucketArn") or task["s3Bucket"], event["job"].get("userArguments", {})]
    results = [{"taskId": task["taskId"], "resultCode": code, "resultString": json.dumps(seen)}]
    return {
        "invocationSchemaVersion": event["invocationSchemaVersion"],
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": event["invocationId"],
        "results": [] if key == "forgotten" else results,
    }
"""
BATCH = "batchoperations.s3"


def arn(resource: str, more: str = "") -> Any:
    return {"Fn::Sub": f"${{{resource}.Arn}}{more}"}


@pytest.fixture(scope="module")
def clients(aws: LocalAws) -> Clients:
    return open_clients()


@pytest.fixture(scope="module")
def stack(aws: LocalAws) -> dict[str, str]:
    """A bucket, another for manifests and reports, a function, and the jobs' role; a role that may not invoke it."""
    resources = {
        "Files": {"Type": "AWS::S3::Bucket"},
        "Reports": {"Type": "AWS::S3::Bucket"},
        "FunctionRole": role("lambda"),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": arn("FunctionRole"),
                "Code": {"ZipFile": HANDLER},
            },
        },
        "Role": role(
            BATCH,
            lambda_InvokeFunction=arn("Function"),
            s3_PutInventoryConfiguration=arn("Files"),
            s3_PutObject=arn("Reports", "/reports/*"),
            s3_GetObject=arn("Reports", "/manifests/*"),
        ),
        "Powerless": role(BATCH, s3_PutObject=arn("Reports", "/*"), s3_GetObject=arn("Reports", "/*")),
    }
    names = ("Files", "Reports")
    outputs = {name: {"Ref": name} for name in names} | {
        name: arn(name) for name in ("Function", "Role", "Powerless", "FunctionRole")
    }
    return deploy("jobs", resources, outputs)


def put(bucket: str, *keys: str) -> None:
    for key in keys:
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")


def create(clients: Clients, stack: dict[str, str], **more: Any) -> str:
    arguments: dict[str, Any] = {
        "AccountId": ACCOUNT,
        "ConfirmationRequired": False,
        "Operation": {"LambdaInvoke": {"FunctionArn": stack["Function"]}},
        "Report": {
            "Bucket": f"arn:aws:s3:::{stack['Reports']}",
            "Format": "Report_CSV_20180820",
            "Enabled": True,
            "Prefix": "reports",
            "ReportScope": "AllTasks",
        },
        "Priority": 1,
        "RoleArn": stack["Role"],
    }
    job_id: str = clients("s3control").create_job(**{**arguments, **more})["JobId"]
    return job_id


def generator(stack: dict[str, str], **constraint: list[str]) -> dict[str, Any]:
    source = {"SourceBucket": f"arn:aws:s3:::{stack['Files']}", "EnableManifestOutput": False}
    return {"S3JobManifestGenerator": {**source, "Filter": {"KeyNameConstraint": constraint}}}


def manifest(stack: dict[str, str], *keys: str) -> dict[str, Any]:
    body = "".join(f"{stack['Files']},{quote(key)}\n" for key in keys).encode()
    answer = boto3.client("s3").put_object(Bucket=stack["Reports"], Key="manifests/keys.csv", Body=body)
    return {
        "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
        "Location": {"ObjectArn": f"arn:aws:s3:::{stack['Reports']}/manifests/keys.csv", "ETag": answer["ETag"]},
    }


def ended(clients: Clients, job_id: str) -> dict[str, Any]:
    """The description of a job, once it has ended."""
    found: list[dict[str, Any]] = []

    def has_ended() -> bool:
        found.append(clients("s3control").describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"])
        return found[-1]["Status"] in ("Complete", "Failed", "Cancelled")

    wait_until(has_ended)
    return found[-1]


def report(stack: dict[str, str], job_id: str) -> list[list[str]]:
    """The rows of a job's report, without the bucket."""
    s3 = boto3.client("s3")
    listed = s3.get_object(Bucket=stack["Reports"], Key=f"reports/job-{job_id}/manifest.json")["Body"].read()
    rows: list[list[str]] = []
    for part in json.loads(listed)["Results"]:
        body = s3.get_object(Bucket=part["Bucket"], Key=part["Key"])["Body"].read().decode()
        rows += [row[1:] for row in csv.reader(io.StringIO(body))]
    return rows


def test_a_generated_manifest_names_what_all_filters_match(clients: Clients, stack: dict[str, str]) -> None:
    put(stack["Files"], "in/a b+c.wav", "in/a.txt", "out/a.wav", "in/deadly")
    job_id = create(clients, stack, ManifestGenerator=generator(stack, MatchAnyPrefix=["in/"], MatchAnySuffix=[".wav"]))
    job = ended(clients, job_id)
    assert (job["Status"], job["ProgressSummary"]["NumberOfTasksSucceeded"]) == ("Complete", 1)
    assert job["ProgressSummary"]["TotalNumberOfTasks"] == 1
    [row] = report(stack, job_id)
    assert row[:5] == ["in/a+b%2Bc.wav", "", "succeeded", "200", ""]
    assert json.loads(row[5]) == ["in/a b+c.wav", f"arn:aws:s3:::{stack['Files']}", {}]
    listed = clients("s3control").list_jobs(AccountId=ACCOUNT, JobStatuses=["Complete"])["Jobs"]
    assert job_id in [each["JobId"] for each in listed]


def test_a_manifest_of_ones_own_and_each_way_to_end(clients: Clients, stack: dict[str, str]) -> None:
    keys = ["good", "broken", "throttled", "deadly", "forgotten"]
    operation = {"FunctionArn": stack["Function"], "InvocationSchemaVersion": "2.0", "UserArguments": {"a": "b"}}
    job_id = create(clients, stack, Manifest=manifest(stack, *keys), Operation={"LambdaInvoke": operation})
    job = ended(clients, job_id)
    assert (job["Status"], job["ProgressSummary"]["NumberOfTasksFailed"]) == ("Complete", 3)
    rows = {row[0]: row for row in report(stack, job_id)}
    assert {key: row[2] for key, row in rows.items()} == {
        "good": "succeeded",
        "throttled": "succeeded",
        "broken": "failed",
        "deadly": "failed",
        "forgotten": "failed",
    }
    assert json.loads(rows["good"][5]) == ["good", stack["Files"], {"a": "b"}]
    assert rows["deadly"][4] == "PermanentFailure"
    assert "no good" in rows["deadly"][5]


def test_a_job_that_cannot_be_run_ends(clients: Clients, stack: dict[str, str]) -> None:
    without_keys = manifest(stack, "good")
    without_keys["Spec"]["Fields"] = ["Bucket", "Ignore"]
    job = ended(clients, create(clients, stack, Manifest=without_keys))
    assert job["Status"] == "Failed"
    assert "'key'" in job["FailureReasons"][0]["FailureReason"]


def test_a_job_that_waits_can_be_cancelled(clients: Clients, stack: dict[str, str]) -> None:
    job_id = create(clients, stack, Manifest=manifest(stack, "good"), ConfirmationRequired=True)
    control = clients("s3control")
    wait_until(lambda: control.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]["Status"] == "Suspended")
    control.update_job_status(AccountId=ACCOUNT, JobId=job_id, RequestedJobStatus="Cancelled")
    assert ended(clients, job_id)["Status"] == "Cancelled"
    with pytest.raises(ClientError, match="JobStatusException"):
        control.update_job_status(AccountId=ACCOUNT, JobId=job_id, RequestedJobStatus="Cancelled")


def test_permissions_are_those_of_the_jobs_role(clients: Clients, stack: dict[str, str]) -> None:
    denied = ended(clients, create(clients, stack, ManifestGenerator=generator(stack), RoleArn=stack["Powerless"]))
    assert denied["Status"] == "Failed"
    assert "s3:PutInventoryConfiguration" in denied["FailureReasons"][0]["FailureReason"]
    not_invoked = create(clients, stack, Manifest=manifest(stack, "good"), RoleArn=stack["Powerless"])
    assert ended(clients, not_invoked)["ProgressSummary"]["NumberOfTasksFailed"] == 1
    assert "lambda:InvokeFunction" in report(stack, not_invoked)[0][5]
    not_trusted = ended(clients, create(clients, stack, Manifest=manifest(stack, "a"), RoleArn=stack["FunctionRole"]))
    assert "cannot be assumed" in not_trusted["FailureReasons"][0]["FailureReason"]


def test_a_request_that_is_repeated_makes_one_job(clients: Clients, stack: dict[str, str]) -> None:
    given = manifest(stack, "good")
    first = create(clients, stack, Manifest=given, ClientRequestToken="once")
    assert create(clients, stack, Manifest=given, ClientRequestToken="once") == first
    with pytest.raises(ClientError, match="IdempotencyException"):
        create(clients, stack, Manifest=given, ClientRequestToken="once", Priority=2)
    with pytest.raises(ClientError, match="NoSuchJob"):
        clients("s3control").describe_job(AccountId=ACCOUNT, JobId="no-such-job")
