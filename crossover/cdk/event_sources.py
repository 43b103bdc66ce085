"""How the compute learns of an upload: by the bucket's own notification, a rule of EventBridge, or both."""

from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs
from constructs import Construct

NOTIFICATION, EVENTBRIDGE, BOTH = EVENT_SOURCES = ("notification", "eventbridge", "both")
RETRIES = 185  # the most that EventBridge allows; the age of an event ends them earlier


def notify(bucket: s3.IBucket, target: lambda_.IFunction, *, prefix: str, suffix: str) -> None:
    """S3 invokes the target itself. Of two notifications of a bucket, prefixes or suffixes must not overlap."""
    key_filter = s3.NotificationKeyFilter(prefix=prefix or None, suffix=suffix or None)
    bucket.add_event_notification(
        s3.EventType.OBJECT_CREATED,
        notifications.LambdaDestination(target),
        *([key_filter] if prefix or suffix else []),
    )


def add_rule(
    scope: Construct,
    bucket: s3.IBucket,
    target: lambda_.IFunction,
    *,
    prefix: str,
    suffix: str,
    dead_letter_queue: sqs.IQueue,
    max_event_age: Duration,
) -> events.Rule:
    """S3 sends its events to EventBridge, whose rule invokes the target; other notifications of the bucket stay.

    Args:
        dead_letter_queue: gets what EventBridge cannot hand over to Lambda: what the function fails on, Lambda keeps.
    """
    detail: dict[str, Any] = {"bucket": {"name": [bucket.bucket_name]}}
    if prefix or suffix:
        detail["object"] = {"key": [_filter(prefix, suffix)]}
    rule = events.Rule(
        scope,
        "Uploads",
        description="Objects created in the input bucket",
        event_pattern=events.EventPattern(source=["aws.s3"], detail_type=["Object Created"], detail=detail),
        targets=[
            targets.LambdaFunction(
                target, dead_letter_queue=dead_letter_queue, max_event_age=max_event_age, retry_attempts=RETRIES
            )
        ],
    )
    # S3 begins to send about five minutes later (user guide, "Enabling Amazon EventBridge"): until then an upload may
    # have no event, unless the bucket's own notification is there meanwhile.
    bucket.enable_event_bridge_notification()
    bucket.node.find_child("Notifications").node.add_dependency(rule)  # and so on its permission to invoke
    return rule


def _filter(prefix: str, suffix: str) -> dict[str, str]:
    """One pattern for both, as several patterns for a key are alternatives. Neither holds a wildcard or a backslash."""
    if prefix and suffix:
        return {"wildcard": f"{prefix}*{suffix}"}
    return {"prefix": prefix} if prefix else {"suffix": suffix}


def allow_dead_letters(key: kms.IKey) -> None:
    """Allow EventBridge to put messages into the account's queues that the key encrypts.

    It asks for the key in its own name, and SQS names the queue in the encryption context. An imported key's policy
    does not change.
    """
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="EventBridgeKeepsDeadLetters",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:sqs:arn": f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"
                }
            },
        )
    )
