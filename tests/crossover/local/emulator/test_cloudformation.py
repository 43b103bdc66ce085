"""What CloudFormation makes and changes in the emulator, tested through AWS's APIs."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from crossover.local.account import Quotas
from crossover.local.work import LocalAws
from crossover.local.workspace import Workspace
from tests.crossover.conftest import running_emulator

from .stacks import ROLE, deploy, role

pytestmark = pytest.mark.slow
ANSWER = """
import os, time

def handler(event, context):
    time.sleep(event.get("seconds", 0))
    if os.environ["ANSWER"] == "broken":
        raise RuntimeError("broken")
    return os.environ["ANSWER"]
"""
HEALTH_CHECK = """
import os
import boto3

def handler(event, context):
    answer = boto3.client("lambda").invoke(FunctionName=os.environ["CHECKED_VERSION"])
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Failed" if "FunctionError" in answer else "Succeeded",
    )
"""


@pytest.fixture(scope="module")
def aws(workspace: Workspace) -> Iterator[LocalAws]:
    """An account with the quotas of a new one, but for less concurrency."""
    with running_emulator(workspace, settings=Quotas(max_memory_mb=3008, max_concurrency=4).environment()) as aws:
        yield aws


def function(code: str, **variables: Any) -> dict[str, Any]:
    properties = {"Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Timeout": 30}
    more = {"Code": {"ZipFile": code}, "Environment": {"Variables": variables}}
    return {"Type": "AWS::Lambda::Function", "Properties": {**properties, **more}}


def rollout(answer: str) -> dict[str, Any]:
    """A function whose version responds with this, behind an alias that CodeDeploy moves."""
    groups = "arn:aws:codedeploy:us-east-1:000000000000:deploymentgroup:*"
    version = f"Version{answer.title()}"
    return {
        "Role": role("lambda", lambda_InvokeFunction="*", codedeploy_PutLifecycleEventHookExecutionStatus=groups),
        "ServiceRole": role("codedeploy", lambda_InvokeFunction={"Fn::GetAtt": ["HealthCheck", "Arn"]}),
        "Function": function(ANSWER, ANSWER=answer),
        version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        "HealthCheck": function(HEALTH_CHECK, CHECKED_VERSION={"Ref": version}),
        "Application": {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}},
        "Group": {
            "Type": "AWS::CodeDeploy::DeploymentGroup",
            "Properties": {
                "ApplicationName": {"Ref": "Application"},
                "ServiceRoleArn": {"Fn::GetAtt": ["ServiceRole", "Arn"]},
                "DeploymentConfigName": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
            },
        },
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "DependsOn": ["HealthCheck", "Group"],
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                "Name": "live",
            },
            "UpdatePolicy": {
                "CodeDeployLambdaAliasUpdate": {
                    "ApplicationName": {"Ref": "Application"},
                    "DeploymentGroupName": {"Ref": "Group"},
                    "BeforeAllowTrafficHook": {"Ref": "HealthCheck"},
                }
            },
        },
    }


def answer_of(function_name: str) -> str:
    """What the alias responds with."""
    response = boto3.client("lambda").invoke(FunctionName=function_name, Qualifier="live")
    answer: str = json.load(response["Payload"])
    return answer


def test_codedeploy_gives_a_new_version_a_part_of_the_traffic_and_then_all_of_it(aws: LocalAws) -> None:
    name = deploy("rollout", rollout("old"), {"Function": {"Ref": "Function"}})["Function"]
    answers = []
    with ThreadPoolExecutor(1) as pool:
        deployment = pool.submit(deploy, "rollout", rollout("new"), {})
        while not deployment.done():
            answers.append(answer_of(name))
        deployment.result()
    assert [answer for answer in answers if answer not in ("old", "new")] == []
    assert set(answers[answers.index("new") :]) == {"old", "new"}
    assert answer_of(name) == "new"


def test_a_version_that_its_health_check_rejects_is_rolled_back(aws: LocalAws) -> None:
    name = deploy("rejected", rollout("good"), {"Function": {"Ref": "Function"}})["Function"]
    with pytest.raises(WaiterError):
        deploy("rejected", rollout("broken"), {})
    assert answer_of(name) == "good"
    events = boto3.client("cloudformation").describe_stack_events(StackName="rejected")["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "UPDATE_FAILED"]
    assert failed["LogicalResourceId"] == "Live"
    assert "reported Failed" in failed["ResourceStatusReason"]


def test_resources_without_a_function_here_are_recorded(aws: LocalAws) -> None:
    metric = {"Namespace": "n", "MetricName": "m"}
    queries = [
        {"Id": "one", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "twice", "Expression": "2 * one"},
    ]
    alarm = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Metrics": queries,
            "Threshold": 1,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
        },
    }
    flow_log = {"Type": "AWS::EC2::FlowLog", "Properties": {"ResourceId": "vpc", "ResourceType": "VPC"}}
    outputs = deploy("records", {"Alarm": alarm, "FlowLog": flow_log}, {"Alarm": {"Ref": "Alarm"}})
    [found] = boto3.client("cloudwatch").describe_alarms(AlarmNames=[outputs["Alarm"]])["MetricAlarms"]
    assert found["StateValue"] == "INSUFFICIENT_DATA"


def test_a_functions_network_and_file_system_are_kept(aws: LocalAws) -> None:
    ec2 = boto3.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    efs = boto3.client("efs")
    file_system_id = efs.create_file_system(CreationToken="kept")["FileSystemId"]
    efs.create_mount_target(FileSystemId=file_system_id, SubnetId=subnet["SubnetId"])
    access_point = efs.create_access_point(ClientToken="kept", FileSystemId=file_system_id)
    file_system = {"Arn": access_point["AccessPointArn"], "LocalMountPath": "/mnt/m"}
    resources = {"Role": role("lambda"), "Function": function(ANSWER, ANSWER="hello")}
    resources["Function"]["Properties"] |= {
        "VpcConfig": {"SubnetIds": [subnet["SubnetId"]], "SecurityGroupIds": ["sg-1"]},
        "FileSystemConfigs": [file_system],
    }
    name = deploy("network", resources, {"Function": {"Ref": "Function"}})["Function"]
    config = boto3.client("lambda").get_function_configuration(FunctionName=name)
    assert config["VpcConfig"]["SubnetIds"] == [subnet["SubnetId"]]
    assert config["VpcConfig"]["SecurityGroupIds"] == ["sg-1"]
    assert config["VpcConfig"]["VpcId"] == subnet["VpcId"]
    assert config["FileSystemConfigs"] == [file_system]


def reason_of_failure(stack: str) -> str:
    events = boto3.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    reason: str = failed["ResourceStatusReason"]
    return reason


@pytest.mark.parametrize(
    ("name", "properties", "reason"),
    [
        (
            "memory",
            {"MemorySize": 4096},
            "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008",
        ),
        (
            "reserved",
            {"ReservedConcurrentExecutions": 1},
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            "below its minimum value of [4].",
        ),
    ],
)
def test_a_new_account_refuses_what_is_above_its_quotas(
    aws: LocalAws, name: str, properties: dict[str, Any], reason: str
) -> None:
    resources = {"Role": role("lambda"), "Function": function(ANSWER, ANSWER="hello")}
    resources["Function"]["Properties"] |= properties
    with pytest.raises(WaiterError):
        deploy(name, resources, {})
    assert reason in reason_of_failure(name)


def test_what_is_above_the_quota_of_concurrency_is_throttled(aws: LocalAws) -> None:
    resources = {"Role": role("lambda"), "Function": function(ANSWER, ANSWER="hello")}
    name = deploy("concurrency", resources, {"Function": {"Ref": "Function"}})["Function"]

    client = boto3.client("lambda")

    def outcome(_: int) -> str:
        try:
            client.invoke(FunctionName=name, Payload=b'{"seconds": 3}')
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "done"

    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(outcome, range(5)))
    assert sorted(outcomes) == ["TooManyRequestsException", *["done"] * 4]
