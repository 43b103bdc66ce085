"""Permissions are enforced, tested through AWS's APIs."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from crossover.local.work import LocalAws
from tests.crossover.waiting import wait_until

from .stacks import ROLE, deploy, role

pytestmark = pytest.mark.slow
# Makes the call that the event describes, and responds with the error's code.
CALLER = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    print("a line of its own")
    try:
        answer = getattr(boto3.client(event["service"]), event["operation"])(**event["arguments"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return answer.get("Arn", "done")
"""
KEY_OF_THE_ACCOUNT = {
    "Type": "AWS::KMS::Key",
    "Properties": {
        "KeyPolicy": {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ]
        }
    },
}


def arn(resource: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [resource, "Arn"]}


def function(**more: Any) -> dict[str, Any]:
    properties = {"Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": CALLER}}
    return {"Type": "AWS::Lambda::Function", "Properties": {**properties, "Timeout": 30, **more}}


def call(function_name: str, service: str, operation: str, **arguments: Any) -> str:
    """What a function's call gives: the code of its error, else the answer."""
    event = {"service": service, "operation": operation, "arguments": arguments}
    response = boto3.client("lambda").invoke(FunctionName=function_name, Payload=json.dumps(event))
    answer: str = json.load(response["Payload"])
    return answer


@pytest.fixture(scope="module")
def caller(aws: LocalAws) -> dict[str, str]:
    """A function that may send to one of two queues, and has no further permission; a bucket that it does not know."""
    resources = {
        "Mine": {"Type": "AWS::SQS::Queue"},
        "Other": {"Type": "AWS::SQS::Queue"},
        "Role": role("lambda", sqs_SendMessage=arn("Mine")),
        "Function": function(),
        "Destination": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 0,
                "DestinationConfig": {"OnFailure": {"Destination": arn("Other")}},
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "NotificationConfiguration": {
                    "LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": arn("Function")}]
                }
            },
        },
    }
    return deploy("caller", resources, {name: {"Ref": name} for name in ("Function", "Mine", "Other", "Bucket")})


def test_a_function_may_do_what_its_role_allows_and_nothing_else(caller: dict[str, str]) -> None:
    assert call(caller["Function"], "sqs", "send_message", QueueUrl=caller["Mine"], MessageBody="x") == "done"
    denied = call(caller["Function"], "sqs", "send_message", QueueUrl=caller["Other"], MessageBody="x")
    assert denied in ("AccessDenied", "AccessDeniedException")
    assert call(caller["Function"], "s3", "list_objects_v2", Bucket=caller["Bucket"]) == "AccessDenied"
    assert "assumed-role/caller-Role" in call(caller["Function"], "sts", "get_caller_identity")


def test_without_the_permission_to_write_it_a_function_has_no_log(caller: dict[str, str]) -> None:
    call(caller["Function"], "sts", "get_caller_identity")
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{caller['Function']}")
    assert groups["logGroups"] == []


def test_without_the_permission_to_send_it_a_dead_letter_is_lost(aws: LocalAws, caller: dict[str, str]) -> None:
    event = json.dumps({"service": "no such service"})
    boto3.client("lambda").invoke(FunctionName=caller["Function"], InvocationType="Event", Payload=event)
    emulator = aws.running()
    wait_until(lambda: emulator.events_in_progress() == 0)
    assert "Messages" not in boto3.client("sqs").receive_message(QueueUrl=caller["Other"])


def test_s3_invokes_only_functions_whose_policy_names_the_bucket(aws: LocalAws, caller: dict[str, str]) -> None:
    boto3.client("s3").put_object(Bucket=caller["Bucket"], Key="key", Body=b"x")
    log = aws.workspace.logs / "emulator.log"
    wait_until(lambda: "s3.amazonaws.com is not authorized to perform: lambda:InvokeFunction" in log.read_text())


def test_a_role_that_lambda_cannot_assume_fails_the_deployment(aws: LocalAws) -> None:
    with pytest.raises(WaiterError):
        deploy("distrust", {"Role": role("sagemaker"), "Function": function()}, {})
    events = boto3.client("cloudformation").describe_stack_events(StackName="distrust")["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert failed["LogicalResourceId"] == "Function"
    assert "cannot be assumed by lambda.amazonaws.com" in failed["ResourceStatusReason"]


@pytest.mark.parametrize(("service", "outcome"), [("s3", "done"), ("sqs", "AccessDenied")])
def test_what_a_key_encrypts_takes_the_permission_for_the_key_through_the_service(
    aws: LocalAws, service: str, outcome: str
) -> None:
    reader = role("lambda", s3_GetObject={"Fn::Sub": "${Bucket.Arn}/*"}, kms_Decrypt=arn("Key"))
    [policy] = reader["Properties"]["Policies"]
    through = {"StringEquals": {"kms:ViaService": f"{service}.us-east-1.amazonaws.com"}}
    policy["PolicyDocument"]["Statement"][-1]["Condition"] = through
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn("Key")}}
    resources = {
        "Key": KEY_OF_THE_ACCOUNT,
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}},
        },
        "Role": reader,
        "Function": function(),
    }
    made = deploy(f"key-{service}", resources, {name: {"Ref": name} for name in ("Function", "Bucket")})
    boto3.client("s3").put_object(Bucket=made["Bucket"], Key="key", Body=b"x")
    assert call(made["Function"], "s3", "get_object", Bucket=made["Bucket"], Key="key") == outcome


def test_a_request_without_a_valid_signature_is_refused(aws: LocalAws) -> None:
    stranger = boto3.client("sagemaker-runtime", aws_access_key_id="AKIASTRANGER", aws_secret_access_key="x")
    with pytest.raises(ClientError, match="security token") as failure:
        stranger.invoke_endpoint(EndpointName="any", Body=b"{}")
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
