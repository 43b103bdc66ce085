"""From an upload to the compute, and from a failure to the dead-letter queue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from aws_cdk import App, Stack

from app import add_stacks
from crossover.cdk import (
    Compute,
    FunctionOptions,
    InferencePipeline,
    ModelArtifact,
    PipelineStorage,
    ProvisionedLambda,
    SageMakerEndpoint,
    StandardLambda,
    event_sources,
    rules,
)
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app

QUEUE = "Pipeline/UploadQueue/Queue"
UPLOADS = f"<{QUEUE}.Arn>"


def notification(template: StackTemplate) -> dict[str, Any]:
    configuration = template.only("Custom::S3BucketNotifications").properties["NotificationConfiguration"]
    rule: dict[str, Any]
    (rule,) = configuration.get("LambdaFunctionConfigurations") or configuration["QueueConfigurations"]
    return rule


@pytest.mark.parametrize(
    ("stack", "handler"), [("Standard", "<Compute/Function.Arn>"), ("SnapStart", "<Compute/Live>")]
)
def test_every_new_object_invokes_the_handler(templates: dict[str, StackTemplate], stack: str, handler: str):
    assert notification(templates[stack]) == {"Events": ["s3:ObjectCreated:*"], "LambdaFunctionArn": handler}


def test_every_new_object_for_the_endpoint_waits_in_the_queue(templates: dict[str, StackTemplate]):
    assert notification(templates["SageMaker"]) == {"Events": ["s3:ObjectCreated:*"], "QueueArn": UPLOADS}


def test_notifications_are_set_after_the_permission(templates: dict[str, StackTemplate]):
    template = templates["Standard"]
    before = template.created_before(template.only("Custom::S3BucketNotifications").path)

    assert template.only("AWS::Lambda::Permission").path in before


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
    filters = [{"Name": "suffix", "Value": ".wav"}, {"Name": "prefix", "Value": "in/"}]

    assert "EventBridgeConfiguration" in switch.properties["NotificationConfiguration"]
    assert notification(template)["Filter"] == {"Key": {"FilterRules": filters}}
    assert rule["EventPattern"]["detail"]["object"] == {"key": [{"wildcard": "in/*.wav"}]}
    assert [target["Arn"] for target in rule["Targets"]] == [UPLOADS] == [notification(template)["QueueArn"]]
    assert senders(template) == {"s3.amazonaws.com", "events.amazonaws.com"}
    assert f"{QUEUE}/Policy" in template.created_before(switch.path)


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
    queue = any_variant.resources["Pipeline/DeadLetterQueue"].properties

    assert queue == {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": 14 * 24 * 3600}


def test_under_all_settings_messages_are_encrypted(any_synthesis: Synthesis):
    for template in any_synthesis.templates.values():
        for queue in template.of_type("AWS::SQS::Queue"):
            assert queue.properties.get("SqsManagedSseEnabled") or queue.properties["KmsMasterKeyId"] == "<Key.Arn>"


def test_under_all_settings_queues_take_tls_only(any_synthesis: Synthesis):
    for template in any_synthesis.templates.values():
        policies = template.of_type("AWS::SQS::QueuePolicy")
        assert len(policies) == len(template.of_type("AWS::SQS::Queue"))
        for policy in policies:
            statement, *_ = policy.properties["PolicyDocument"]["Statement"]
            assert (statement["Effect"], statement["Action"]) == ("Deny", "sqs:*")
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            assert [f"{queue[:-1]}.Arn>" for queue in policy.properties["Queues"]] == [statement["Resource"]]


# --- through a queue


def senders(template: StackTemplate) -> set[str]:
    """Services that may send to the upload queue."""
    statements = template.resources[f"{QUEUE}/Policy"].properties["PolicyDocument"]["Statement"]
    return {each["Principal"]["Service"] for each in statements if each["Effect"] == "Allow"}


@pytest.fixture(params=["isolated", "everything"])
def with_queue(request: pytest.FixtureRequest, synthesis_of: Callable[[str], Synthesis], stack: str) -> StackTemplate:
    return synthesis_of(request.param).templates[stack]


def test_what_waits_is_taken_one_by_one_and_a_failure_concerns_one_upload(with_queue: StackTemplate, stack: str):
    mapping = with_queue.only("AWS::Lambda::EventSourceMapping").properties

    assert with_queue.outputs["UploadQueueUrl"] == f"<{QUEUE}>"
    assert mapping["EventSourceArn"] == UPLOADS
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    canary = "Compute/Rollout/DeploymentGroup" in with_queue.resources
    is_alias = ":live" in mapping["FunctionName"] and "<Compute/Live>" in mapping["FunctionName"]
    assert is_alias if canary or stack == "SnapStart" else mapping["FunctionName"] == "<Compute/Function>"


def test_lambda_may_poll_before_it_is_told_to(with_queue: StackTemplate):
    mapping = with_queue.only("AWS::Lambda::EventSourceMapping")

    assert "Compute/FunctionRole/DefaultPolicy" in with_queue.created_before(mapping.path)


def test_an_upload_waits_for_a_week_and_is_tried_five_times_six_timeouts_apart(with_queue: StackTemplate):
    queue = with_queue.resources[QUEUE].properties

    assert queue["VisibilityTimeout"] == 6 * with_queue.resources["Compute/Function"].properties["Timeout"]
    assert queue["MessageRetentionPeriod"] == 7 * 24 * 3600
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": "<Pipeline/DeadLetterQueue.Arn>", "maxReceiveCount": 5}


def test_s3_sends_for_the_bucket_of_this_account_only(with_queue: StackTemplate):
    policy = with_queue.resources[f"{QUEUE}/Policy"].properties["PolicyDocument"]["Statement"][1]

    assert (policy["Action"], policy["Resource"]) == ("sqs:SendMessage", UPLOADS)
    assert policy["Principal"] == {"Service": "s3.amazonaws.com"}
    assert policy["Condition"] == {
        "ArnEquals": {"aws:SourceArn": "<Storage/InputBucket.Arn>"},
        "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
    }
    assert f"{QUEUE}/Policy" in with_queue.created_before(with_queue.only("Custom::S3BucketNotifications").path)


def test_nothing_sends_to_the_queue_before_lambda_polls_it(with_queue: StackTemplate):
    mapping = with_queue.only("AWS::Lambda::EventSourceMapping").path  # which waits for the endpoint

    for kind in ("Custom::S3BucketNotifications", "AWS::Events::Rule"):
        for sender in with_queue.of_type(kind):
            assert mapping in with_queue.created_before(sender.path)


def may_invoke(template: StackTemplate) -> dict[tuple[str, str], str]:
    """Functions and aliases, and services that may invoke them, with the resource for which they may."""
    permissions = [each.properties for each in template.of_type("AWS::Lambda::Permission")]
    assert all(each["Action"] == "lambda:InvokeFunction" for each in permissions)
    return {(each["FunctionName"], each["Principal"]): each["SourceArn"] for each in permissions}


def kept_as_dead_letters(template: StackTemplate) -> int:
    """Of how many functions and aliases the failed events are kept."""
    configurations = template.of_type("AWS::Lambda::EventInvokeConfig")
    for each in configurations:
        assert each.properties["FunctionName"] == "<Compute/Function>"
        assert each.properties["DestinationConfig"]["OnFailure"] == {"Destination": "<Pipeline/DeadLetterQueue.Arn>"}
    qualifiers = [str(each.properties["Qualifier"]) for each in configurations]
    assert len(set(qualifiers)) == len(qualifiers)
    return len(qualifiers)


def test_s3_may_go_on_invoking_the_function_for_the_minutes_after_a_queue_took_its_place(
    synthesis_of: Callable[[str], Synthesis], stack: str
):
    template = synthesis_of("isolated").templates[stack]
    function = "<Compute/Live>" if stack == "SnapStart" else "<Compute/Function.Arn>"

    assert may_invoke(template) == {(function, "s3.amazonaws.com"): "<Storage/InputBucket.Arn>"}
    assert template.only("AWS::Lambda::Permission").properties["SourceAccount"] == "<AWS::AccountId>"
    assert kept_as_dead_letters(template) == 1


def test_where_a_setting_has_made_the_alias_its_function_may_be_invoked_as_well(
    synthesis_of: Callable[[str], Synthesis], stack: str
):
    template = synthesis_of("everything").templates[stack]
    functions = ["<Compute/Live>", *(["<Compute/Function.Arn>"] if stack != "SnapStart" else [])]
    senders = {
        "s3.amazonaws.com": "<Storage/InputBucket.Arn>",
        "events.amazonaws.com": f"<{template.only('AWS::Events::Rule').path}.Arn>",
    }

    assert may_invoke(template) == {
        (function, service): arn for function in functions for service, arn in senders.items()
    }
    assert kept_as_dead_letters(template) == len(functions)


def test_without_a_queue_too(tmp_path: Path, model_path: Path):
    template = pipeline(tmp_path, model_path, canary=True)

    assert notification(template)["LambdaFunctionArn"] == "<Compute/Live>"
    assert set(may_invoke(template)) == {
        ("<Compute/Live>", "s3.amazonaws.com"),
        ("<Compute/Function.Arn>", "s3.amazonaws.com"),
    }
    assert kept_as_dead_letters(template) == 2


def test_s3_may_send_until_the_deployment_has_changed_to_eventbridge(tmp_path: Path, model_path: Path):
    template = pipeline(tmp_path, model_path, ingest="queue", event_source="eventbridge")

    assert senders(template) == {"s3.amazonaws.com", "events.amazonaws.com"}


def test_a_queue_is_emptied_while_uploads_invoke_the_function_again(tmp_path: Path, model_path: Path):
    template = pipeline(tmp_path, model_path, ingest="drain", publish_outputs=True)

    assert notification(template)["LambdaFunctionArn"] == "<Compute/Function.Arn>"
    assert template.only("AWS::Lambda::EventSourceMapping").properties["EventSourceArn"] == UPLOADS
    assert senders(template) == {"s3.amazonaws.com"}
    assert set(may_invoke(template)) == {("<Compute/Function.Arn>", "s3.amazonaws.com")}
    assert template.outputs["Ingest"] == "drain"


def test_the_customers_key_lets_s3_and_eventbridge_send(synthesis_of: Callable[[str], Synthesis], stack: str):
    statements = synthesis_of("everything").templates[stack].only("AWS::KMS::Key").properties["KeyPolicy"]["Statement"]
    uses = [each for each in statements if each["Principal"].get("Service", "").startswith(("s3.", "events."))]

    assert {each["Principal"]["Service"] for each in uses} == {"s3.amazonaws.com", "events.amazonaws.com"}
    for use in uses:
        assert set(use["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
        assert set(use["Condition"]["ArnLike"]) == {"kms:EncryptionContext:aws:sqs:arn"}


def test_the_queue_limits_how_many_uploads_are_predicted_at_once(synthesis_of: Callable[[str], Synthesis], stack: str):
    limited, usual = (
        synthesis_of(name).templates[stack].only("AWS::Lambda::EventSourceMapping").properties
        for name in ("isolated", "everything")
    )

    assert limited["ScalingConfig"] == {"MaximumConcurrency": 3}
    assert usual["ScalingConfig"] == {"MaximumConcurrency": 4 if stack == "SageMaker" else 10}  # twice its two vCPUs


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"instance_type": "ml.m5.2xlarge", "instance_count": 3}, 3 * 8 * 2),
        ({"instance_type": "ml.c5.4xlarge"}, 4 * 4 * 2),
        ({"instance_type": "ml.c5.metal"}, 10),  # whose size does not tell its vCPUs
        ({"options": FunctionOptions(reserved_concurrency=100)}, 2 * 2),
        ({"options": FunctionOptions(reserved_concurrency=3)}, 3),
        ({"instance_type": "ml.m5.2xlarge", "instance_count": 100}, 1000),
    ],
)
def test_an_endpoint_predicts_two_uploads_at_once_for_each_vcpu(
    tmp_path: Path, model_path: Path, settings: dict[str, Any], expected: int
):
    stack = Stack(new_app(tmp_path), "Own")
    storage, model = PipelineStorage(stack, "Storage"), ModelArtifact(stack, "Model", path=model_path)
    compute = SageMakerEndpoint(stack, "Compute", storage=storage, model=model, **settings)
    InferencePipeline(stack, "Pipeline", storage=storage, compute=compute)
    mapping = StackTemplate.of(cast(App, stack.node.root), stack).only("AWS::Lambda::EventSourceMapping")

    assert mapping.properties["ScalingConfig"] == {"MaximumConcurrency": expected}


def pipeline(
    folder: Path,
    model: Path,
    *,
    reserved: int | None = None,
    canary: bool = False,
    provisioned: int | None = None,
    most: int | None = None,
    **options: Any,
) -> StackTemplate:
    """A stack of the constructs, as an app of one's own has them."""
    stack = Stack(new_app(folder), "Own")
    storage = PipelineStorage(stack, "Storage")
    common: Any = {
        "storage": storage,
        "model": ModelArtifact(stack, "Model", path=model),
        "canary": canary,
        "options": FunctionOptions(reserved_concurrency=reserved),
    }
    compute: Compute
    if provisioned:
        numbers: Any = {"provisioned_concurrency": provisioned, "max_provisioned_concurrency": most}
        compute = ProvisionedLambda(stack, "Compute", **common, **numbers)
    else:
        compute = StandardLambda(stack, "Compute", **common)
    InferencePipeline(stack, "Pipeline", storage=storage, compute=compute, **options)
    return StackTemplate.of(cast(App, stack.node.root), stack)


def test_reserved_concurrency_limits_the_queue_so_that_it_does_not_throttle(tmp_path: Path, model_path: Path):
    template = pipeline(tmp_path, model_path, ingest="queue", reserved=20)

    limit = template.only("AWS::Lambda::EventSourceMapping").properties["ScalingConfig"]
    assert limit == {"MaximumConcurrency": 20}


@pytest.mark.parametrize(("provisioned", "most", "expected"), [(20, None, 20), (1, 50, 50)])
def test_all_that_can_be_kept_ready_is_used_from_the_queue(
    tmp_path: Path, model_path: Path, provisioned: int, most: int | None, expected: int
):
    template = pipeline(tmp_path, model_path, ingest="queue", provisioned=provisioned, most=most)

    limit = template.only("AWS::Lambda::EventSourceMapping").properties["ScalingConfig"]
    assert limit == {"MaximumConcurrency": expected}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            (
                {"ingest": "queue", "provisioned": provisioned, **given},
                f"{provisioned} execution environments are kept ready, but must be at most max_concurrency, {allowed},",
            )
            for provisioned, given, allowed in [(5, {"max_concurrency": 4}, 4), (1001, {}, 1000)]
        ),
        ({"ingest": "stream"}, "ingest is 'stream', but must be direct or queue or drain"),
        ({"max_concurrency": 4}, "max_concurrency is 4, but must be None where ingest is direct"),
        ({"ingest": "queue", "max_concurrency": 1}, "max_concurrency is 1, but must be a whole number from 2 to 1000"),
        ({"ingest": "queue", "reserved": 1}, "reserved_concurrency is 1, but must be None or at least 2"),
        (
            {"ingest": "queue", "max_concurrency": 21, "reserved": 20},
            "max_concurrency is 21, but must be at most reserved_concurrency, 20",
        ),
    ],
)
def test_what_the_pipeline_does_not_take_is_named(
    tmp_path: Path, model_path: Path, options: dict[str, Any], message: str
):
    with pytest.raises(rules.InvalidValueError, match=message):
        pipeline(tmp_path, model_path, **options)
