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
from constructs import Construct, IDependable

from crossover.cdk.upload_queue import QueueDestination, UploadQueue

NOTIFICATION, EVENTBRIDGE, BOTH = EVENT_SOURCES = ("notification", "eventbridge", "both")
RETRIES = 185  # the most that EventBridge allows; the age of an event ends them earlier


def notify(bucket: s3.IBucket, target: lambda_.IFunction | UploadQueue, *, prefix: str, suffix: str) -> None:
    """S3 itself sends to the target. Of two notifications of a bucket, prefixes or suffixes must not overlap."""
    key_filter = s3.NotificationKeyFilter(prefix=prefix or None, suffix=suffix or None)
    bucket.add_event_notification(
        s3.EventType.OBJECT_CREATED,
        QueueDestination(target) if isinstance(target, UploadQueue) else notifications.LambdaDestination(target),
        *([key_filter] if prefix or suffix else []),
    )


def add_rule(
    scope: Construct,
    bucket: s3.IBucket,
    target: lambda_.IFunction | UploadQueue,
    *,
    prefix: str,
    suffix: str,
    dead_letter_queue: sqs.IQueue,
    max_event_age: Duration,
) -> events.Rule:
    """S3 sends its events to EventBridge, whose rule sends them to the target; other notifications of the bucket stay.

    Args:
        dead_letter_queue: gets what EventBridge cannot hand over: what the function fails on, Lambda or SQS keeps.
    """
    detail: dict[str, Any] = {"bucket": {"name": [bucket.bucket_name]}}
    if prefix or suffix:
        detail["object"] = {"key": [_filter(prefix, suffix)]}
    rule = events.Rule(
        scope,
        "Uploads",
        description="Objects created in the input bucket",
        event_pattern=events.EventPattern(source=["aws.s3"], detail_type=["Object Created"], detail=detail),
    )
    delivery: dict[str, Any] = {
        "dead_letter_queue": dead_letter_queue,
        "max_event_age": max_event_age,
        "retry_attempts": RETRIES,
    }
    needed: list[IDependable] = [rule]
    if isinstance(target, UploadQueue):
        # As an imported queue, which CDK gives no permissions: its own would let EventBridge use the key at will.
        arn = sqs.Queue.from_queue_arn(scope, "RuleTarget", target.queue.queue_arn)
        rule.add_target(targets.SqsQueue(arn, **delivery))
        rule.node.add_dependency(target.mapping)
        policy = target.allow("events.amazonaws.com", rule.rule_arn).policy_dependable
        needed += [policy] if policy else []
    else:
        rule.add_target(targets.LambdaFunction(target, **delivery))
    # S3 begins to send about five minutes later (user guide, "Enabling Amazon EventBridge"): until then an upload may
    # have no event, unless the bucket's own notification is there meanwhile.
    bucket.enable_event_bridge_notification()
    bucket.node.find_child("Notifications").node.add_dependency(*needed)  # and so on the rule's permission to send
    return rule


def _filter(prefix: str, suffix: str) -> dict[str, str]:
    """One pattern for both, as several patterns for a key are alternatives. Neither holds a wildcard or a backslash."""
    if prefix and suffix:
        return {"wildcard": f"{prefix}*{suffix}"}
    return {"prefix": prefix} if prefix else {"suffix": suffix}


def allow_sending(key: kms.IKey, service: str, sid: str) -> None:
    """Allow a service, such as EventBridge, to put messages into the account's queues that the key encrypts.

    It asks for the key in its own name, and SQS names the queue in the encryption context. An imported key's policy
    does not change.
    """
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(service)],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:sqs:arn": f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"
                }
            },
        )
    )
