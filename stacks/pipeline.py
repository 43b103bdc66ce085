"""The way of an upload: the bucket notifies the compute, and what fails in the end goes to the dead-letter queue."""

from aws_cdk import Duration
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.compute import Compute
from stacks.deploy_time_functions import keep_logs_in_stack
from stacks.findings import acknowledge
from stacks.storage import PipelineStorage


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
        key_prefix: str = "",
        key_suffix: str = "",
        retry_attempts: int = 2,
        max_event_age: Duration | None = None,
    ) -> None:
        """Wire both ends.

        Args:
            key_prefix, key_suffix: only objects whose key begins and ends so; S3 takes them literally.
            retry_attempts: after an error of the function, 0 to 2.
            max_event_age: how long throttled events are retried, 60 s to 6 h; by default 6 h.
        """
        super().__init__(scope, construct_id)
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(self.dead_letter_queue, "AwsSolutions-SQS3", "This queue is itself the dead-letter queue.")
        # These settings belong to what is invoked. On the function they would not apply to its alias.
        compute.handler.configure_async_invoke(
            retry_attempts=retry_attempts,
            max_event_age=max_event_age or Duration.hours(6),
            on_failure=destinations.SqsDestination(self.dead_letter_queue),
        )
        key_filter = s3.NotificationKeyFilter(prefix=key_prefix or None, suffix=key_suffix or None)
        storage.input_bucket.add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.LambdaDestination(compute.handler),
            *([key_filter] if key_prefix or key_suffix else []),
        )
        keep_logs_in_stack(self)
