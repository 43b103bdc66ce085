"""The way of an upload: the bucket notifies the compute, and what fails in the end goes to the dead-letter queue."""

import jsii
from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from crossover.cdk.compute import Compute
from crossover.cdk.deploy_time_functions import keep_logs_in_stack
from crossover.cdk.encryption import allow_use
from crossover.cdk.findings import acknowledge
from crossover.cdk.storage import PipelineStorage


class InferencePipeline(Construct):
    """Every object created in the input bucket invokes the compute's handler.

    Benefit: no upload ends in silence: an event whose invocations all fail is kept, whole, for 14 days.
    Cost: delivery is at least once and not in order, which the handlers allow for.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        compute: Compute,
        key_suffix: str = "",
        encryption_key: kms.IKey | None = None,
        retry_attempts: int = 2,
        max_event_age: Duration | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
    ) -> None:
        """Wire both ends.

        Args:
            key_suffix: only objects whose key ends so, and begins with the storage's prefix; S3 takes both literally.
            encryption_key: of the dead letters; None leaves them to a key of SQS.
            retry_attempts: after an error of the function, 0 to 2.
            max_event_age: how long throttled events are retried, 60 s to 6 h; by default 6 h.
            removal_policy: of the dead letters.
        """
        super().__init__(scope, construct_id)
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            encryption=sqs.QueueEncryption.KMS if encryption_key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=removal_policy,
        )
        acknowledge(self.dead_letter_queue, "AwsSolutions-SQS3", "This queue is itself the dead-letter queue.")
        # These settings belong to what is invoked. On the function they would not apply to its alias.
        compute.handler.configure_async_invoke(
            retry_attempts=retry_attempts,
            max_event_age=max_event_age or Duration.hours(6),
            on_failure=DeadLetters(self.dead_letter_queue, encryption_key),
        )
        key_filter = s3.NotificationKeyFilter(prefix=storage.key_prefix or None, suffix=key_suffix or None)
        storage.input_bucket.add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.LambdaDestination(compute.handler),
            *([key_filter] if storage.key_prefix or key_suffix else []),
        )
        keep_logs_in_stack(self, encryption_key)


@jsii.implements(lambda_.IDestination)
class DeadLetters:
    """The queue as a destination. CDK's own would allow the function more than to send: wildcards on the key too."""

    def __init__(self, queue: sqs.IQueue, key: kms.IKey | None) -> None:
        self._queue = queue
        self._key = key

    def bind(
        self,
        scope: Construct,
        fn: lambda_.IFunction,
        *,
        type: lambda_.DestinationType,  # noqa: A002, CDK's name
    ) -> lambda_.DestinationConfig:
        iam.Grant.add_to_principal(grantee=fn, actions=["sqs:SendMessage"], resource_arns=[self._queue.queue_arn])
        if self._key:  # SQS makes a data key, and checks the one that it reuses
            allow_use(self._key, fn, "sqs", "kms:GenerateDataKey", "kms:Decrypt")
        return lambda_.DestinationConfig(destination=self._queue.queue_arn)
