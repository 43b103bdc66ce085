"""What the emulator adds to ministack for functions and their events, tested through AWS's APIs."""

import json
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError

from crossover.bench.run.report_lines import Report, parse
from crossover.dead_letter_queue import read
from crossover.local.work import LocalAws
from tests.crossover.conftest import processes_of
from tests.crossover.waiting import wait_until

from .stacks import ROLE, deploy, role

pytestmark = pytest.mark.slow
# Appends what happens to a queue; reads the event of S3 or EventBridge.
HANDLER = """
import json, os
import boto3
from snapshot_restore_py import register_after_restore, register_before_snapshot

said = [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]

@register_before_snapshot
def before_snapshot():
    said.append("before snapshot")

@register_after_restore
def after_restore():
    said.append("after restore")

if os.environ.get("BROKEN"):
    raise RuntimeError("no model here")

def handler(event, context):
    s3 = event["detail"] if "detail" in event else event["Records"][0]["s3"]
    key = s3["object"]["key"]
    if key == "bad":
        raise ValueError("bad file")
    if key == "deadly":
        os.kill(os.getpid(), 9)
    answer = {"key": key, "said": said, "arn": context.invoked_function_arn}
    boto3.client("sqs").send_message(QueueUrl=os.environ["ANSWERS"], MessageBody=json.dumps(answer))
"""


def snapstart_resources(*, broken: bool = False, reserved: dict[str, int] | None = None) -> dict[str, Any]:
    """A bucket that notifies the alias of a SnapStart function, whose failures go to a queue."""
    alias = {"Fn::Sub": "arn:aws:lambda:us-east-1:000000000000:function:${Function}:live"}
    variables = {"ANSWERS": {"Ref": "Answers"}, **({"BROKEN": "yes"} if broken else {})}
    queues = [{"Fn::GetAtt": [queue, "Arn"]} for queue in ("Answers", "Failures")]
    return {
        "Answers": {"Type": "AWS::SQS::Queue"},
        "Failures": {"Type": "AWS::SQS::Queue"},
        "Role": role("lambda", sqs_SendMessage=queues),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": ROLE,
                "Timeout": 30,
                "Code": {"ZipFile": HANDLER},
                "SnapStart": {"ApplyOn": "PublishedVersions"},
                "Environment": {"Variables": variables},
                **(reserved or {}),
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
        "Invocations": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "DependsOn": "Live",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "live",
                "MaximumRetryAttempts": 0,
                "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failures", "Arn"]}}},
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": alias,
                "Principal": "s3.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Bucket", "Arn"]},
                "SourceAccount": "000000000000",
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": ["Live", "Invocations"],
            "Properties": {
                "Tags": [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}],
                "NotificationConfiguration": {
                    "LambdaConfigurations": [
                        {
                            "Event": "s3:ObjectCreated:*",
                            "Function": alias,
                        }
                    ]
                },
            },
        },
        # The same objects through EventBridge, if their keys begin so; one target lacks the permission.
        "Permitted": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": alias,
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
            },
        },
        "Rule": rule("ruled", alias),
        "Denied": rule("denied", alias),
        "Events": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": ["Live", "Invocations"],
            "Properties": {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}},
        },
    }


def rule(prefix: str, function: Any) -> dict[str, Any]:
    """A rule of EventBridge for the objects whose keys begin with the prefix."""
    detail = {"bucket": {"name": [{"Ref": "Events"}]}, "object": {"key": [{"wildcard": f"{prefix}*"}]}}
    failures = {"Arn": {"Fn::GetAtt": ["Failures", "Arn"]}}
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventPattern": {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail},
            "Targets": [{"Id": "Target0", "Arn": function, "DeadLetterConfig": failures}],
        },
    }


SNAPSTART_OUTPUTS = {
    "Events": {"Ref": "Events"},
    "Bucket": {"Ref": "Bucket"},
    "Answers": {"Ref": "Answers"},
    "Failures": {"Ref": "Failures"},
    "Function": {"Ref": "Function"},
}


@pytest.fixture(scope="module")
def snapstart(aws: LocalAws) -> dict[str, str]:
    return deploy("snapstart", snapstart_resources(), SNAPSTART_OUTPUTS)


def message(queue: str) -> dict[str, Any]:
    """The next message, which must come within a minute."""
    for _ in range(60):
        answer = boto3.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1)
        for found in answer.get("Messages", []):
            boto3.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=found["ReceiptHandle"])
            body: dict[str, Any] = json.loads(found["Body"])
            return body
    raise AssertionError(f"no message in {queue}")


def test_snapstart_runs_the_hooks_once_around_the_snapshot(snapstart: dict[str, str]) -> None:
    for key in ("first", "second"):
        boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key=key, Body=b"x")
        answer = message(snapstart["Answers"])
        assert answer["key"] == key
        assert answer["said"] == ["snap-start", "before snapshot", "after restore"]


# INIT takes 0.2 s, what follows a restore 0.05 s, the handler 0.1 s.
SLEEPER = """
import time
from snapshot_restore_py import register_after_restore

time.sleep(0.2)
register_after_restore(lambda: time.sleep(0.05))

def handler(event, context):
    print("a line of its own")
    time.sleep(0.1)
"""


def invoked_twice(name: str, **properties: Any) -> tuple[Report, Report, list[str]]:
    """The reports of a new function's first two invocations, one after the other, and all lines of its log."""
    function = {"Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Timeout": 30, **properties}
    resources = {
        "Role": role("lambda", logs_CreateLogStream="*", logs_PutLogEvents="*"),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {**function, "Code": {"ZipFile": SLEEPER}}},
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
    }
    function_name = deploy(name, resources, {"Function": {"Ref": "Function"}})["Function"]
    for _ in range(2):
        boto3.client("lambda").invoke(FunctionName=function_name, Qualifier="1")
    events = boto3.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function_name}")["events"]
    boto3.client("cloudformation").delete_stack(StackName=name)
    lines = [event["message"] for event in events]
    first, second = [report for line in lines if (report := parse(line))]
    return first, second, lines


def test_the_report_of_a_cold_start_has_the_duration_of_init(aws: LocalAws) -> None:
    cold, warm, lines = invoked_twice("plain")
    assert cold.init_ms is not None
    assert cold.init_ms >= 200
    assert cold.duration_ms >= 100
    assert cold.billed_ms - (cold.init_ms + cold.duration_ms) == pytest.approx(0.5, abs=0.51)  # rounded up
    assert (cold.restore_ms, cold.memory_mb) == (None, 128)
    assert cold.max_memory_mb > 0
    assert (warm.init_ms, warm.restore_ms) == (None, None)
    assert 100 <= warm.duration_ms <= warm.billed_ms < warm.duration_ms + 1
    assert lines[:3] == [
        f"START RequestId: {cold.request_id} Version: 1",
        "a line of its own",
        f"END RequestId: {cold.request_id}",
    ]
    assert len(lines) == 8


def test_the_report_of_a_restore_has_its_billed_duration(aws: LocalAws) -> None:
    cold, warm, _ = invoked_twice("restored", SnapStart={"ApplyOn": "PublishedVersions"})
    assert cold.init_ms is None  # it was over when the version was published
    assert cold.restore_ms is not None
    assert cold.billed_restore_ms is not None
    assert 50 <= cold.restore_ms <= cold.billed_restore_ms < cold.restore_ms + 1
    assert cold.duration_ms >= 100
    assert cold.billed_ms - (cold.restore_ms + cold.duration_ms) == pytest.approx(0.5, abs=0.51)
    assert (warm.init_ms, warm.restore_ms, warm.billed_restore_ms) == (None, None, None)


def test_the_functions_context_names_the_alias_that_s3_invoked(snapstart: dict[str, str]) -> None:
    boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key="named", Body=b"x")
    assert message(snapstart["Answers"])["arn"].endswith(f":function:{snapstart['Function']}:live")


def test_failed_events_go_to_the_aliass_destination(snapstart: dict[str, str]) -> None:
    boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key="bad", Body=b"x")
    dead_letter = message(snapstart["Failures"])
    assert dead_letter["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "bad"
    assert dead_letter["responsePayload"]["errorType"] == "ValueError"
    assert dead_letter["responsePayload"]["errorMessage"] == "bad file"


def test_a_rule_of_eventbridge_invokes_the_alias_for_the_keys_that_match(snapstart: dict[str, str]) -> None:
    for key in ("another", "ruled +ü"):
        boto3.client("s3").put_object(Bucket=snapstart["Events"], Key=key, Body=b"x")
    answer = message(snapstart["Answers"])
    assert (answer["key"], answer["arn"].endswith(":live")) == ("ruled +ü", True)


def test_what_eventbridge_may_not_invoke_goes_to_the_targets_queue_with_the_reason(snapstart: dict[str, str]) -> None:
    boto3.client("s3").put_object(Bucket=snapstart["Events"], Key="denied", Body=b"x")
    answer = boto3.client("sqs").receive_message(
        QueueUrl=snapstart["Failures"],
        WaitTimeSeconds=20,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["SentTimestamp"],
    )
    dead_letter = read(answer["Messages"][0])
    boto3.client("sqs").delete_message(
        QueueUrl=snapstart["Failures"], ReceiptHandle=answer["Messages"][0]["ReceiptHandle"]
    )
    assert (dead_letter.keys, dead_letter.error_type) == (["denied"], "NO_PERMISSIONS")
    assert dead_letter.event["detail-type"] == "Object Created"


def test_a_dead_letter_has_the_format_of_aws(snapstart: dict[str, str]) -> None:
    event = {"Records": [{"s3": {"object": {"key": "bad"}}}]}
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{snapstart['Function']}:live"
    answer = boto3.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=json.dumps(event))
    assert answer["StatusCode"] == 202
    dead_letter = message(snapstart["Failures"])
    assert dead_letter["version"] == "1.0"
    assert dead_letter["requestPayload"] == event
    assert dead_letter["requestContext"]["functionArn"] == arn
    assert dead_letter["requestContext"]["condition"] == "RetriesExhausted"
    assert dead_letter["requestContext"]["approximateInvokeCount"] == 1
    assert dead_letter["responseContext"] == {"statusCode": 200, "executedVersion": "1", "functionError": "Unhandled"}


def test_a_killed_function_fails_and_is_started_again(aws: LocalAws, snapstart: dict[str, str]) -> None:
    for key in ("deadly", "after that"):
        boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key=key, Body=b"x")
        if key == "deadly":
            dead_letter = message(snapstart["Failures"])
            assert dead_letter["responsePayload"]["errorType"] == "Runtime.ExitError"
    assert message(snapstart["Answers"])["key"] == "after+that"
    emulator = aws.running()
    wait_until(lambda: emulator.events_in_progress() == 0)


def test_buckets_keep_their_tags(snapstart: dict[str, str]) -> None:
    tags = boto3.client("s3").get_bucket_tagging(Bucket=snapstart["Bucket"])["TagSet"]
    assert {"Key": "aws-cdk:auto-delete-objects", "Value": "true"} in tags


def test_an_init_that_fails_fails_the_deployment_with_its_reason(aws: LocalAws) -> None:
    with pytest.raises(WaiterError):
        deploy("broken", snapstart_resources(broken=True), {})
    events = boto3.client("cloudformation").describe_stack_events(StackName="broken")["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert failed["LogicalResourceId"] == "Version"
    assert "RuntimeError: no model here" in failed["ResourceStatusReason"]


def test_throttled_events_are_not_failures(aws: LocalAws, snapstart: dict[str, str]) -> None:
    """With no concurrency at all, every attempt is throttled; it must be tried until there is some."""
    assert deploy("snapstart", snapstart_resources(reserved={"ReservedConcurrentExecutions": 0}), SNAPSTART_OUTPUTS)
    boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key="patient", Body=b"x")
    emulator = aws.running()
    wait_until(lambda: emulator.events_in_progress() == 1)
    time.sleep(3)  # several attempts
    assert emulator.events_in_progress() == 1
    assert deploy("snapstart", snapstart_resources(), SNAPSTART_OUTPUTS) == snapstart
    assert message(snapstart["Answers"])["key"] == "patient"
    assert "Messages" not in boto3.client("sqs").receive_message(QueueUrl=snapstart["Failures"])


def test_a_deleted_stack_leaves_no_process(aws: LocalAws, snapstart: dict[str, str]) -> None:
    boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key="last", Body=b"x")
    message(snapstart["Answers"])
    assert any("awslambdaric" in command for command in processes_of(aws.workspace))
    boto3.client("s3").delete_objects(
        Bucket=snapstart["Bucket"],
        Delete={
            "Objects": [
                {"Key": key} for key in ("first", "second", "named", "bad", "deadly", "after that", "patient", "last")
            ]
        },
    )
    boto3.client("cloudformation").delete_stack(StackName="snapstart")
    wait_until(lambda: not any("awslambdaric" in command for command in processes_of(aws.workspace)))
