"""Queues whose messages Lambda takes: what the emulator adds to ministack's event source mappings."""

import json
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError

from crossover.local.work import LocalAws
from tests.crossover.waiting import wait_until

from .stacks import ROLE, deploy, role

pytestmark = pytest.mark.slow
CONCURRENCY = 2
# Says when it began and ended with which keys; those that begin with "bad" fail, and "worse" fails the whole batch.
# What fails is tried again at once, but for "bad later".
HANDLER = """
import json, os, time
import boto3

def handler(event, context):
    began = time.time()
    keys = {}
    for record in event["Records"]:
        body = json.loads(record["body"])
        keys[record["messageId"]] = body["Records"][0]["s3"]["object"]["key"] if "Records" in body else "test"
    if any(key.startswith("slow") for key in keys.values()):
        time.sleep(0.3)
    answer = {"keys": sorted(keys.values()), "began": began, "ended": time.time(), "arn": context.invoked_function_arn}
    answer["received"] = [record["attributes"]["ApproximateReceiveCount"] for record in event["Records"]]
    sqs = boto3.client("sqs")
    for record in event["Records"]:
        if keys[record["messageId"]] in ("bad", "worse"):
            sqs.change_message_visibility(
                QueueUrl=os.environ["QUEUE"], ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )
    sqs.send_message(QueueUrl=os.environ["ANSWERS"], MessageBody=json.dumps(answer))
    if "worse" in keys.values():
        raise ValueError("worse")
    return {"batchItemFailures": [{"itemIdentifier": id} for id, key in keys.items() if key.startswith("bad")]}
"""


def resources(*, may_poll: bool = True) -> dict[str, Any]:
    """A bucket that notifies a queue, which the alias of a function empties."""
    queue, answers = {"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::GetAtt": ["Answers", "Arn"]}
    actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
    polling = {f"sqs_{action}": queue for action in actions}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}},
    }
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["Failures", "Arn"]}, "maxReceiveCount": 2}
    return {
        "Answers": {"Type": "AWS::SQS::Queue"},
        "Failures": {"Type": "AWS::SQS::Queue"},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 180, "RedrivePolicy": redrive}},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": [statement]}},
        },
        "Role": role("lambda", sqs_SendMessage=answers, **(polling if may_poll else {})),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": ROLE,
                "Timeout": 30,
                "Code": {"ZipFile": HANDLER},
                "Environment": {"Variables": {"ANSWERS": {"Ref": "Answers"}, "QUEUE": {"Ref": "Queue"}}},
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "DependsOn": "Live",
            "Properties": {
                "FunctionName": {"Fn::Sub": "${Function}:live"},
                "EventSourceArn": queue,
                "BatchSize": 10,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": CONCURRENCY},
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": "QueuePolicy",
            "Properties": {
                "NotificationConfiguration": {"QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": queue}]}
            },
        },
    }


OUTPUTS = {name: {"Ref": name} for name in ("Bucket", "Queue", "Answers", "Failures", "Function")}


@pytest.fixture(scope="module")
def stack(aws: LocalAws) -> dict[str, str]:
    return deploy("queue", resources(), OUTPUTS)


def upload(stack: dict[str, str], *keys: str) -> None:
    for key in keys:
        boto3.client("s3").put_object(Bucket=stack["Bucket"], Key=key, Body=b"x")


def taken(queue: str) -> list[dict[str, Any]]:
    """All messages of a queue, and removes them."""
    sqs, found = boto3.client("sqs"), []
    while messages := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found.append(message)
    return found


def answers(aws: LocalAws, stack: dict[str, str]) -> list[dict[str, Any]]:
    """What the function said, once nothing waits any more."""
    emulator = aws.running()
    wait_until(lambda: emulator.events_in_progress() == 0)
    return [json.loads(message["Body"]) for message in taken(stack["Answers"])]


def keys_tried(stack: dict[str, str]) -> list[str]:
    """What the function has said so far that it was invoked for; forgotten then."""
    return [key for message in taken(stack["Answers"]) for key in json.loads(message["Body"])["keys"]]


def test_uploads_wait_until_the_function_takes_them_no_more_than_allowed_at_once(
    aws: LocalAws, stack: dict[str, str]
) -> None:
    upload(stack, *(f"slow {number}" for number in range(12)))
    said = answers(aws, stack)

    assert sorted(key for each in said for key in each["keys"] if key != "test") == sorted(
        f"slow+{number}" for number in range(12)
    )
    assert all(each["arn"].endswith(":live") for each in said)
    assert max(sum(other["began"] <= each["began"] < other["ended"] for other in said) for each in said) <= CONCURRENCY


@pytest.mark.parametrize("failing", ["bad", "worse"])
def test_what_fails_too_often_is_a_dead_letter_and_the_rest_is_not_tried_again(
    aws: LocalAws, stack: dict[str, str], failing: str
) -> None:
    upload(stack, failing)
    emulator = aws.running()
    wait_until(lambda: emulator.events_in_progress() == 0)
    upload(stack, "good")
    tried = [key for each in answers(aws, stack) for key in each["keys"]]
    [dead_letter] = taken(stack["Failures"])

    assert (tried.count(failing), tried.count("good")) == (2, 1)
    assert json.loads(dead_letter["Body"])["Records"][0]["s3"]["object"]["key"] == failing
    assert int(dead_letter["Attributes"]["ApproximateReceiveCount"]) >= 2


def test_what_fails_is_not_tried_again_before_its_visibility_timeout(aws: LocalAws, stack: dict[str, str]) -> None:
    upload(stack, "bad later")
    wait_until(lambda: "bad+later" in keys_tried(stack))
    time.sleep(1.5)  # longer than until asynchronous events are tried again
    assert "bad+later" not in keys_tried(stack)
    assert aws.running().events_in_progress() == 1
    boto3.client("sqs").purge_queue(QueueUrl=stack["Queue"])


def test_what_is_throttled_is_tried_again_before_its_visibility_timeout_as_one_attempt(
    aws: LocalAws, stack: dict[str, str]
) -> None:
    function = boto3.client("lambda")
    function.put_function_concurrency(FunctionName=stack["Function"], ReservedConcurrentExecutions=0)
    upload(stack, "patient")
    time.sleep(1.5)
    assert aws.running().events_in_progress() == 1
    function.delete_function_concurrency(FunctionName=stack["Function"])
    assert [(each["keys"], each["received"]) for each in answers(aws, stack)] == [(["patient"], ["1"])]


def reason_of_failure(name: str, **changes: bool) -> tuple[str, str]:
    with pytest.raises(WaiterError):
        deploy(name, resources(**changes), {})
    events = boto3.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    failed = next(event for event in reversed(events) if event["ResourceStatus"] == "CREATE_FAILED")
    return failed["LogicalResourceId"], failed["ResourceStatusReason"]


def test_the_functions_role_must_let_lambda_poll(aws: LocalAws) -> None:
    resource, reason = reason_of_failure("may-not-poll", may_poll=False)
    assert resource == "Mapping"
    assert "does not have permissions to call ReceiveMessage on SQS" in reason
