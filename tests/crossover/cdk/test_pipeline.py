"""From an upload to the compute, and from a failure to the dead-letter queue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import add_stacks
from crossover.cdk import event_sources
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app


def notification(template: StackTemplate) -> dict[str, Any]:
    configuration = template.only("Custom::S3BucketNotifications").properties["NotificationConfiguration"]
    rule: dict[str, Any]
    (rule,) = configuration["LambdaFunctionConfigurations"]
    return rule


@pytest.mark.parametrize(
    ("stack", "handler"),
    [
        ("Standard", "<Compute/Function.Arn>"),
        ("SnapStart", "<Compute/Live>"),
        ("SageMaker", "<Compute/Function.Arn>"),
    ],
)
def test_every_new_object_invokes_the_handler(templates: dict[str, StackTemplate], stack: str, handler: str):
    assert notification(templates[stack]) == {"Events": ["s3:ObjectCreated:*"], "LambdaFunctionArn": handler}


def test_notifications_are_set_after_the_permission(any_variant: StackTemplate):
    before = any_variant.created_before(any_variant.only("Custom::S3BucketNotifications").path)

    assert any_variant.only("AWS::Lambda::Permission").path in before


@pytest.mark.parametrize(
    ("settings", "rules"),
    [
        ({"key_prefix": "in/"}, [{"Name": "prefix", "Value": "in/"}]),
        ({"key_suffix": ".wav"}, [{"Name": "suffix", "Value": ".wav"}]),
        (
            {"key_prefix": "in/", "key_suffix": ".wav"},
            [{"Name": "suffix", "Value": ".wav"}, {"Name": "prefix", "Value": "in/"}],
        ),
    ],
)
def test_notifications_can_be_limited_to_a_prefix_and_suffix(
    model_path: Path, tmp_path: Path, settings: dict[str, str], rules: list[dict[str, str]]
):
    app = new_app(tmp_path, model_path=str(model_path), variants="standard", **settings)
    add_stacks(app)
    (stack,) = app.synth().stacks

    assert notification(StackTemplate(stack.template))["Filter"] == {"Key": {"FilterRules": rules}}


# --- through EventBridge


@pytest.fixture(params=["Standard", "SnapStart", "SageMaker"])
def stack(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_a_rule_invokes_the_handler_with_the_prefix_and_the_suffix_in_one_pattern(
    synthesis_of: Callable[[str], Synthesis], stack: str
):
    rule = synthesis_of("narrowed").templates[stack].only("AWS::Events::Rule").properties

    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["<Storage/InputBucket>"]}, "object": {"key": [{"wildcard": "in/*.wav"}]}},
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == ("<Compute/Live>" if stack == "SnapStart" else "<Compute/Function.Arn>")
    assert "Input" not in target and "InputPath" not in target  # the whole event


def test_while_the_source_of_events_changes_the_notification_and_the_rule_tell_of_the_same_uploads(
    synthesis_of: Callable[[str], Synthesis], stack: str
):
    template = synthesis_of("everything").templates[stack]
    switch = template.only("Custom::S3BucketNotifications")
    rule = template.only("AWS::Events::Rule").properties
    permissions = template.of_type("AWS::Lambda::Permission")
    filters = [{"Name": "suffix", "Value": ".wav"}, {"Name": "prefix", "Value": "in/"}]

    assert "EventBridgeConfiguration" in switch.properties["NotificationConfiguration"]
    assert notification(template)["Filter"] == {"Key": {"FilterRules": filters}}
    assert rule["EventPattern"]["detail"]["object"] == {"key": [{"wildcard": "in/*.wav"}]}
    assert [target["Arn"] for target in rule["Targets"]] == [notification(template)["LambdaFunctionArn"]]
    assert {each.properties["Principal"] for each in permissions} >= {"s3.amazonaws.com", "events.amazonaws.com"}
    assert {each.path for each in permissions} <= set(template.created_before(switch.path))


@pytest.mark.parametrize(
    ("prefix", "suffix", "pattern"),
    [("in/", "", {"prefix": "in/"}), ("", ".wav", {"suffix": ".wav"}), ("a", "b", {"wildcard": "a*b"})],
)
def test_a_prefix_or_a_suffix_alone_is_a_pattern_too(prefix: str, suffix: str, pattern: dict[str, str]):
    assert event_sources._filter(prefix, suffix) == pattern


def test_without_a_filter_every_key_matches(synthesis_of: Callable[[str], Synthesis], stack: str):
    rule = synthesis_of("customer key").templates[stack].only("AWS::Events::Rule").properties

    assert rule["EventPattern"]["detail"] == {"bucket": {"name": ["<Storage/InputBucket>"]}}


def test_what_eventbridge_cannot_hand_over_becomes_a_dead_letter(synthesis_of: Callable[[str], Synthesis], stack: str):
    template = synthesis_of("customer key").templates[stack]
    (rule,) = template.of_type("AWS::Events::Rule")
    (target,) = rule.properties["Targets"]
    permission = template.only("AWS::SQS::QueuePolicy").properties["PolicyDocument"]["Statement"][1]
    (use,) = [
        statement
        for statement in template.only("AWS::KMS::Key").properties["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"}
    ]

    assert target["DeadLetterConfig"] == {"Arn": "<Pipeline/DeadLetterQueue.Arn>"}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 6 * 3600, "MaximumRetryAttempts": 185}
    assert (permission["Effect"], permission["Action"]) == ("Allow", "sqs:SendMessage")
    assert permission["Principal"] == {"Service": "events.amazonaws.com"}
    assert permission["Condition"] == {"ArnEquals": {"aws:SourceArn": f"<{rule.path}.Arn>"}}
    assert set(use["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert set(use["Condition"]["ArnLike"]) == {"kms:EncryptionContext:aws:sqs:arn"}


def test_the_bucket_sends_events_once_the_rule_may_invoke_the_handler(
    synthesis_of: Callable[[str], Synthesis], stack: str
):
    template = synthesis_of("narrowed").templates[stack]
    switch = template.only("Custom::S3BucketNotifications")
    permission = template.only("AWS::Lambda::Permission")

    assert switch.properties["NotificationConfiguration"] == {"EventBridgeConfiguration": {}}
    assert permission.properties["Principal"] == "events.amazonaws.com"
    assert permission.properties["SourceArn"] == f"<{template.only('AWS::Events::Rule').path}.Arn>"
    assert permission.path in template.created_before(switch.path)


@pytest.mark.parametrize(
    ("stack", "is_qualifier"),
    [
        ("Standard", lambda qualifier: qualifier == "$LATEST"),
        ("SnapStart", lambda qualifier: "<Compute/Live>" in qualifier),  # cut from the alias's ARN
        ("SageMaker", lambda qualifier: qualifier == "$LATEST"),
    ],
)
def test_retries_and_dead_letters_are_set_on_what_s3_invokes(
    templates: dict[str, StackTemplate], stack: str, is_qualifier: Any
):
    settings = templates[stack].only("AWS::Lambda::EventInvokeConfig").properties

    assert settings["FunctionName"] == "<Compute/Function>"
    assert is_qualifier(settings["Qualifier"])
    assert settings["MaximumRetryAttempts"] == 2
    assert settings["MaximumEventAgeInSeconds"] == 6 * 3600
    assert settings["DestinationConfig"] == {"OnFailure": {"Destination": "<Pipeline/DeadLetterQueue.Arn>"}}


def test_dead_letters_are_kept_for_the_longest_time_that_sqs_allows(any_variant: StackTemplate):
    queue = any_variant.only("AWS::SQS::Queue").properties

    assert queue == {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": 14 * 24 * 3600}


def test_under_all_settings_dead_letters_are_encrypted(any_synthesis: Synthesis):
    for template in any_synthesis.templates.values():
        queue = template.only("AWS::SQS::Queue").properties
        assert queue.get("SqsManagedSseEnabled") or queue["KmsMasterKeyId"] == "<Key.Arn>"


def test_under_all_settings_the_dead_letter_queue_takes_tls_only(any_synthesis: Synthesis):
    for template in any_synthesis.templates.values():
        statement, *_ = template.only("AWS::SQS::QueuePolicy").properties["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Deny", "sqs:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert statement["Resource"] == "<Pipeline/DeadLetterQueue.Arn>"
