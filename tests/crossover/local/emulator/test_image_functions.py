"""Functions from an image, tested through AWS's APIs; here awslambdaric runs what the image would hold."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError

from crossover.bench.run.report_lines import parse
from crossover.local.work import LocalAws
from tests.crossover.conftest import processes_of
from tests.crossover.waiting import wait_until

from .stacks import ROLE, deploy, role

pytestmark = pytest.mark.slow
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
HANDLER = """
import os
import boto3
from snapshot_restore_py import register_after_restore, register_before_snapshot

said = [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]
register_before_snapshot(lambda: said.append("before snapshot"))
register_after_restore(lambda: said.append("after restore"))
if os.environ.get("BROKEN"):
    raise RuntimeError("no model here")

def handler(event, context):
    return {
        "version": VERSION,
        "said": said,
        "model": open(os.environ["MODEL_S3_URI"]).read(),
        "who": boto3.client("sts").get_caller_identity()["Arn"],
    }
"""


@pytest.fixture(scope="module")
def images(aws: LocalAws) -> Iterator[list[str]]:
    """Two images, of which the assembly says what they would be built from."""
    folders = [aws.workspace.assembly / f"function-{number}" for number in (1, 2)]
    for number, folder in enumerate(folders, start=1):
        (folder / "lambda_src").mkdir(parents=True, exist_ok=True)
        (folder / "lambda_src/index.py").write_text(f"VERSION = {number}\n{HANDLER}")
        (folder / "model").mkdir(exist_ok=True)
        (folder / "model/model.onnx").write_text(f"model {number}")
    sources = {folder.name: {"source": {"directory": folder.name}, "destinations": {}} for folder in folders}
    manifest = aws.workspace.assembly / "TestFunctions.assets.json"
    manifest.write_text(json.dumps({"version": "1", "files": {}, "dockerImages": sources}))
    yield [f"{REGISTRY}/repository:{folder.name}" for folder in folders]
    manifest.unlink()
    for folder in folders:
        shutil.rmtree(folder)


def resources(image: str, *, variables: dict[str, str] | None = None, **properties: Any) -> dict[str, Any]:
    function = {
        "PackageType": "Image",
        "Code": {"ImageUri": image},
        "ImageConfig": {"Command": ["index.handler"]},
        "Role": ROLE,
        "Timeout": 30,
        "Environment": {"Variables": {"MODEL_S3_URI": "/var/task/model/model.onnx", **(variables or {})}},
        **properties,
    }
    return {
        "Role": role("lambda", logs_CreateLogStream="*", logs_PutLogEvents="*"),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
    }


def published(image: str, **properties: Any) -> dict[str, Any]:
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}}
    snap_start = {"SnapStart": {"ApplyOn": "PublishedVersions"}}
    return {**resources(image, **snap_start, **properties), "Version": version}


def invoke(function: str, qualifier: str = "$LATEST") -> dict[str, Any]:
    answer = boto3.client("lambda").invoke(FunctionName=function, Qualifier=qualifier)
    payload: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, payload
    return payload


OUTPUTS = {"Function": {"Ref": "Function"}, "Role": {"Ref": "Role"}}


def test_a_function_runs_what_its_image_holds_under_its_own_role_and_follows_an_update(
    aws: LocalAws, images: list[str]
) -> None:
    stack = deploy("image", resources(images[0]), OUTPUTS)
    answer = invoke(stack["Function"])
    assert (answer["version"], answer["model"], answer["said"]) == (1, "model 1", ["on-demand"])
    assert f":assumed-role/{stack['Role']}/" in answer["who"]
    found = boto3.client("lambda").get_function(FunctionName=stack["Function"])
    assert found["Configuration"]["PackageType"] == "Image"
    assert found["Code"]["ImageUri"] == images[0]

    assert deploy("image", resources(images[1]), OUTPUTS) == stack
    answer = invoke(stack["Function"])
    assert (answer["version"], answer["model"]) == (2, "model 2")

    # As a rollback does, after a synthesis that no longer makes the first image.
    manifest = aws.workspace.assembly / "TestFunctions.assets.json"
    whole = manifest.read_text()
    assets = json.loads(whole)
    del assets["dockerImages"]["function-1"]
    manifest.write_text(json.dumps(assets))
    assert deploy("image", resources(images[0]), OUTPUTS) == stack
    assert invoke(stack["Function"])["version"] == 1
    manifest.write_text(whole)

    boto3.client("cloudformation").delete_stack(StackName="image")
    wait_until(lambda: not any("awslambdaric" in command for command in processes_of(aws.workspace)))


def test_snapstart_takes_its_snapshot_when_a_version_is_published(aws: LocalAws, images: list[str]) -> None:
    stack = deploy("snapshot", published(images[0]), OUTPUTS)
    for _ in range(2):
        answer = invoke(stack["Function"], "1")
        assert answer["said"] == ["snap-start", "before snapshot", "after restore"]
    events = boto3.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{stack['Function']}")["events"]
    first, second = [report for event in events if (report := parse(event["message"]))]
    assert (first.init_ms, second.restore_ms) == (None, None)
    assert first.restore_ms is not None
    boto3.client("cloudformation").delete_stack(StackName="snapshot")


def failure(resources: dict[str, Any]) -> tuple[str, str]:
    """Which resource of a stack fails, and why."""
    with pytest.raises(WaiterError):
        deploy("failing", resources, {})
    cloudformation = boto3.client("cloudformation")
    events = cloudformation.describe_stack_events(StackName="failing")["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    cloudformation.delete_stack(StackName="failing")
    return failed["LogicalResourceId"], failed["ResourceStatusReason"]


def test_an_init_that_fails_fails_the_deployment_with_its_reason(aws: LocalAws, images: list[str]) -> None:
    resource, reason = failure(published(images[0], variables={"BROKEN": "yes"}))
    assert (resource, "RuntimeError: no model here" in reason) == ("Version", True)


def test_an_image_that_is_nowhere_and_an_index_of_several_are_refused(aws: LocalAws, images: list[str]) -> None:
    assert failure(resources(f"{REGISTRY}/repository:unknown"))[0] == "Function"

    ecr, index = boto3.client("ecr"), "application/vnd.oci.image.index.v1+json"
    ecr.create_repository(repositoryName="functions")
    ecr.put_image(
        repositoryName="functions",
        imageManifest=json.dumps({"schemaVersion": 2, "mediaType": index, "manifests": []}),
        imageTag="with-attestations",
    )
    resource, reason = failure(resources(f"{REGISTRY}/functions:with-attestations"))
    assert (resource, "media type for the source image" in reason) == ("Function", True)
