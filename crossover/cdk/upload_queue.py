"""A queue between the bucket and the compute: uploads wait in it until the function is free."""

import jsii
from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from crossover.cdk import rules
from crossover.cdk.compute.interface import Compute
from crossover.cdk.encryption import allow_use

# Lambda's recommendations: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_TIMEOUTS = 6  # of the function; an upload that has failed is tried again after that
MAX_RECEIVES = 5
MAX_CONCURRENCY = 1000  # of a mapping
RETENTION = Duration.days(7)
"""Of an upload that waits. Its time goes on in the dead-letter queue, where it has as much left at least."""


class UploadQueue(Construct):
    """The queue, and the event source mapping that invokes the compute with one upload at a time.

    Benefit: a burst waits, and only `max_concurrency` of it is predicted at once; no quota is reserved for that.
    Cost: SQS's requests, those for an empty queue included.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        compute: Compute,
        dead_letter_queue: sqs.IQueue,
        max_concurrency: int | None,
        encryption_key: kms.IKey | None,
        removal_policy: RemovalPolicy,
    ) -> None:
        """Create both.

        Args:
            max_concurrency: None for the function's reserved concurrency, else the compute's `default_max_concurrency`,
                and at most its `capacity`.

        Raises:
            InvalidValueError: `max_concurrency` is out of range, above the function's reserved concurrency, or below
                what is kept ready; or the reserved concurrency is 1: Lambda invokes it twice at once, and what is
                throttled counts as an attempt.
        """
        super().__init__(scope, construct_id)
        rules.check(rules.MAX_CONCURRENCY, max_concurrency=max_concurrency)
        reserved = _reserved_concurrency(compute.function)
        if reserved == 1:
            raise rules.InvalidValueError(
                "reserved_concurrency is 1, but must be None or at least 2 where ingest is queue: Lambda takes two "
                "uploads at once."
            )
        if max_concurrency and reserved and max_concurrency > reserved:
            raise rules.InvalidValueError(
                f"max_concurrency is {max_concurrency}, but must be at most reserved_concurrency, {reserved}."
            )
        if compute.kept_ready > (allowed := max_concurrency or MAX_CONCURRENCY):
            raise rules.InvalidValueError(
                f"{compute.kept_ready} execution environments are kept ready, but must be at most max_concurrency, "
                f"{allowed}, where ingest is queue: the others would be paid for and never used."
            )
        timeout = compute.function.timeout
        assert timeout  # every function here has one
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS if encryption_key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(VISIBILITY_TIMEOUTS * timeout.to_seconds()),
            retention_period=RETENTION,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letter_queue, max_receive_count=MAX_RECEIVES),
            removal_policy=removal_policy,
        )
        # What Lambda needs to poll in the name of the function's role; CDK's own grant allows more.
        iam.Grant.add_to_principal(
            grantee=compute.function,
            actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            resource_arns=[self.queue.queue_arn],
        )
        if encryption_key:
            allow_use(encryption_key, compute.function, "sqs", "kms:Decrypt")
        # Whatever sends depends on it: it waits for the endpoint, and until it polls nothing would be predicted.
        self.mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=compute.source,
            event_source_arn=self.queue.queue_arn,
            # With more, a batch would end with its slowest file, and a function that runs out of time with none.
            batch_size=1,
            report_batch_item_failures=True,
            max_concurrency=max_concurrency
            or min(reserved or compute.default_max_concurrency, compute.capacity or MAX_CONCURRENCY, MAX_CONCURRENCY),
        )

    def allow(self, service: str, source_arn: str) -> iam.AddToResourcePolicyResult:
        """Let a service send messages for one of its resources of this account."""
        return self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={
                    "ArnEquals": {"aws:SourceArn": source_arn},
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                },
            )
        )


@jsii.implements(s3.IBucketNotificationDestination)
class QueueDestination:
    """The queue as what S3 notifies. CDK's own would let S3 use the key for other queues."""

    def __init__(self, queue: UploadQueue) -> None:
        self._queue = queue

    def bind(self, scope: Construct, bucket: s3.IBucket) -> s3.BucketNotificationDestinationConfig:
        policy = self._queue.allow("s3.amazonaws.com", bucket.bucket_arn).policy_dependable
        return s3.BucketNotificationDestinationConfig(
            arn=self._queue.queue.queue_arn,
            type=s3.BucketNotificationDestinationType.QUEUE,
            dependencies=[*([policy] if policy else []), self._queue.mapping],
        )


def _reserved_concurrency(function: lambda_.IFunction) -> int | None:
    resource = function.node.default_child
    value = resource.reserved_concurrent_executions if isinstance(resource, lambda_.CfnFunction) else None
    return int(value) if value is not None else None
