"""Functions and their EFS file systems in the emulator, tested through AWS's APIs."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from crossover.local.work import LocalAws
from crossover.local.workspace import Workspace

from .stacks import ROLE, deploy, role

pytestmark = pytest.mark.slow
# Writes a text if it gets one, and reads it.
HANDLER = """
from pathlib import Path

def handler(event, context):
    file = Path("/mnt/model/file.txt")
    if event.get("text"):
        file.write_text(event["text"])
    return {"text": file.read_text(), "entries": sorted(path.name for path in Path("/mnt").iterdir())}
"""
GRANTED = {"elasticfilesystem_ClientMount": "*", "elasticfilesystem_ClientWrite": "*"}
OWNER = {"OwnerUid": "1000", "OwnerGid": "1000", "Permissions": "755"}


def access_point(uid: str, owner: dict[str, str] | None = OWNER) -> dict[str, Any]:
    root = {"Path": "/models" if owner else "/missing", **({"CreationInfo": owner} if owner else {})}
    properties = {"FileSystemId": {"Ref": "Files"}, "PosixUser": {"Uid": uid, "Gid": uid}, "RootDirectory": root}
    return {"Type": "AWS::EFS::AccessPoint", "Properties": properties}


def function(access_point: str, *, vpc: bool = True, role: Any = ROLE) -> dict[str, Any]:
    network = {"SubnetIds": [{"Ref": "Subnet"}], "SecurityGroupIds": [{"Ref": "Group"}]}
    return {
        "Type": "AWS::Lambda::Function",
        "DependsOn": ["Target"],
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": role,
            "Timeout": 30,
            "Code": {"ZipFile": HANDLER},
            "FileSystemConfigs": [{"Arn": {"Fn::GetAtt": [access_point, "Arn"]}, "LocalMountPath": "/mnt/model"}],
            **({"VpcConfig": network} if vpc else {}),
        },
    }


def resources(**more: Any) -> dict[str, Any]:
    """A file system in a network, which only those may use whose roles say so."""
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "elasticfilesystem:ClientMount"}
    plain = {"Statement": [{**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "group"},
        },
        "Files": {"Type": "AWS::EFS::FileSystem", "Properties": {"FileSystemPolicy": plain}},
        "Target": {
            "Type": "AWS::EFS::MountTarget",
            "Properties": {
                "FileSystemId": {"Ref": "Files"},
                "SubnetId": {"Ref": "Subnet"},
                "SecurityGroups": [{"Ref": "Group"}],
            },
        },
        "Role": role("lambda", **GRANTED),
        **more,
    }


def call(name: str, **event: str) -> dict[str, Any]:
    response = boto3.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    answer: dict[str, Any] = json.load(response["Payload"])
    return answer


def test_what_one_function_writes_another_reads_and_may_not_change(aws: LocalAws, workspace: Workspace) -> None:
    parts = {
        "Writer": access_point("1000"),
        "Reader": access_point("2000"),
        "Missing": access_point("1000", None),
        "Denied": role("lambda", elasticfilesystem_ClientWrite="*"),
        "Writes": function("Writer"),
        "Reads": function("Reader"),
        "Lacks": function("Missing"),
        "Barred": function("Reader", role={"Fn::GetAtt": ["Denied", "Arn"]}),
    }
    names = {name: {"Ref": name} for name in ("Writes", "Reads", "Lacks", "Barred")}
    functions = deploy("files", resources(**parts), names)

    assert call(functions["Writes"], text="hello") == {"text": "hello", "entries": ["model"]}
    assert call(functions["Reads"])["text"] == "hello"
    assert "Read-only file system" in call(functions["Reads"], text="changed")["errorMessage"]
    assert call(functions["Reads"])["text"] == "hello"
    lacking = call(functions["Lacks"])
    assert lacking["errorType"] == "EFSMountFailureException"
    assert "root directory does not exist" in lacking["errorMessage"]
    assert "elasticfilesystem:ClientMount" in call(functions["Barred"])["errorMessage"]
    assert not Path("/mnt/model").exists()

    [files] = (workspace.temporary / "efs").iterdir()
    boto3.client("cloudformation").delete_stack(StackName="files")
    boto3.client("cloudformation").get_waiter("stack_delete_complete").wait(
        StackName="files", WaiterConfig={"Delay": 1}
    )
    assert not files.exists()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Reads": function("Reader", vpc=False)}, "execute in a VPC"),
        ({"Target": {"Type": "AWS::SQS::Queue"}, "Reads": function("Reader")}, "no mount target in us-east-1a"),
    ],
)
def test_a_function_without_a_way_to_the_files_is_refused(aws: LocalAws, changed: dict[str, Any], reason: str) -> None:
    from botocore.exceptions import WaiterError

    name = f"refused-{len(reason)}"
    with pytest.raises(WaiterError):
        deploy(name, resources(Reader=access_point("2000"), **changed), {})
    events = boto3.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    assert any(reason in event.get("ResourceStatusReason", "") for event in events)
