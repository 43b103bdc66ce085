"""Event wiring: the bucket notifies the compute or its queue, and what fails for good goes to the dead-letter queue."""

from collections.abc import Mapping

import jsii
from aws_cdk import Aws, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from crossover.cdk import rules
from crossover.cdk.compute.interface import Compute
from crossover.cdk.encryption import allow_use
from crossover.cdk.event_sources import (
    EVENT_SOURCES,
    EVENTBRIDGE,
    NOTIFICATION,
    add_rule,
    allow_sending,
    notify,
)
from crossover.cdk.findings import acknowledge
from crossover.cdk.provider_logs import SETS_NOTIFICATIONS, keep_logs_in_stack
from crossover.cdk.storage import PipelineStorage
from crossover.cdk.upload_queue import UploadQueue


class InferencePipeline(Construct):
    """Every object created in the input bucket invokes the compute.

    Benefit: no upload is lost silently: an event whose invocations all fail is kept, whole, for 14 days.
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
        event_source: str = NOTIFICATION,
        ingest: str | None = None,
        max_concurrency: int | None = None,
        encryption_key: kms.IKey | None = None,
        retry_attempts: int = 2,
        max_event_age: Duration | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
        publish_outputs: bool = False,
    ) -> None:
        """Connect storage and compute.

        Args:
            key_suffix: of the keys that are predicted, which also begin with the storage's prefix; S3 takes both
                literally.
            event_source: notification, or eventbridge: for a bucket that has notifications already, with which S3
                accepts no second one. An existing bucket begins to send its events to EventBridge, about five minutes
                later, and goes on to after the stack is gone. With both, each upload is predicted twice, with one
                result: for the deployment between one and the other, as long as neither alone is sure to send.
            ingest: direct: an upload invokes the compute. queue: it waits in an SQS queue, from which Lambda takes no
                more uploads than the compute may predict at once; one that fails is tried five times, six of the
                function's timeouts apart. drain: direct, but the queue of an earlier deployment stays and is emptied:
                between queue and direct, since a deployment deletes a queue with what waits in it. None: as the compute
                has it by default.
            max_concurrency: with a queue, how many uploads are predicted at the same time, 2 to 1,000 and no more than
                the function's reserved concurrency; None: as many as that, or as the compute has by default: 10, for an
                endpoint that is made with it at most two for each vCPU, for `provisioned` all that can be kept ready
                where these are more. What is kept ready at any time must not exceed it.
            encryption_key: of the uploads that wait, and of the dead letters; None leaves them to a key of SQS.
            retry_attempts: after an error of the function, 0 to 2; not of uploads that wait in a queue.
            max_event_age: how long throttled events are retried, 60 s to 6 h; by default 6 h. Not of uploads that wait
                in a queue.
            removal_policy: of the uploads that wait, and of the dead letters.
            publish_outputs: whether the stack gets the outputs by which `crossover predict`, `bench run` and
                `deadletters` find it, given that its name begins with the prefix that they take, by default
                `stack_prefix` of cdk.json's context, else `Crossover`. At most one pipeline of a stack can have them.

        Raises:
            InvalidValueError: `key_suffix`, `event_source`, `ingest`, `max_concurrency` or `retry_attempts` is not
                allowed, `max_concurrency` is given without a queue, or the compute keeps more environments ready.
        """
        super().__init__(scope, construct_id)
        rules.check(rules.KEY_FILTER, key_suffix=key_suffix)
        rules.check(rules.one_of(*EVENT_SOURCES), event_source=event_source)
        rules.check(rules.RETRY_ATTEMPTS, retry_attempts=retry_attempts)
        ingest = ingest or compute.ingest
        rules.check(rules.one_of(*rules.INGESTS), ingest=ingest)
        if max_concurrency and ingest == "direct":
            raise rules.InvalidValueError(
                f"max_concurrency is {max_concurrency}, but must be None where ingest is {ingest}: only a queue has it."
            )
        self._ingest = ingest
        max_event_age = max_event_age or Duration.hours(6)
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
        sources = (compute.source, *compute.earlier_sources)
        # These options belong to what is invoked: on the function they would not apply to its alias. Where that is not
        # the target, they are for what S3 goes on sending for minutes, and Lambda tries again for hours.
        for source in sources:
            source.configure_async_invoke(
                retry_attempts=retry_attempts,
                max_event_age=max_event_age,
                on_failure=DeadLetters(self.dead_letter_queue, encryption_key),
            )
        uploads = None
        if ingest != "direct":
            uploads = UploadQueue(
                self,
                "UploadQueue",
                compute=compute,
                dead_letter_queue=self.dead_letter_queue,
                max_concurrency=max_concurrency,
                encryption_key=encryption_key,
                removal_policy=removal_policy,
            )
        self.upload_queue: sqs.IQueue | None = uploads.queue if uploads else None
        target = uploads if uploads and ingest == "queue" else compute.source
        bucket, prefix = storage.input_bucket, storage.key_prefix
        senders = {}  # services, with the resource for which each of them sends
        if event_source != EVENTBRIDGE:
            notify(bucket, target, prefix=prefix, suffix=key_suffix)
            senders["s3.amazonaws.com"] = bucket.bucket_arn
        if uploads:  # also with EventBridge alone: S3 still sends while the deployment changes from one to the other
            uploads.allow("s3.amazonaws.com", bucket.bucket_arn)
            if encryption_key:
                allow_sending(encryption_key, "s3.amazonaws.com", "S3SendsUploads")
        self.rule: events.IRule | None = None
        if event_source != NOTIFICATION:
            if encryption_key:
                allow_sending(encryption_key, "events.amazonaws.com", "EventBridgeKeepsDeadLetters")
            self.rule = add_rule(
                self,
                bucket,
                target,
                prefix=prefix,
                suffix=key_suffix,
                dead_letter_queue=self.dead_letter_queue,
                max_event_age=max_event_age,
            )
            senders["events.amazonaws.com"] = self.rule.rule_arn
        all_targets: list[lambda_.IFunction | UploadQueue] = [*([uploads] if uploads else []), *sources]
        for earlier in all_targets:
            if earlier is not target:
                _allow_late_events(self, earlier, senders)
        keep_logs_in_stack(SETS_NOTIFICATIONS, bucket, encryption_key)
        if publish_outputs:
            self._publish_outputs(storage, compute)

    def _publish_outputs(self, storage: PipelineStorage, compute: Compute) -> None:
        results = storage.results_bucket
        outputs = {
            "InputBucketName": storage.input_bucket.bucket_name,
            "PredictionsTableName": storage.predictions_table.table_name,
            **({"ResultsBucketName": results.bucket_name} if results else {}),
            "FunctionName": compute.function.function_name,
            "HandlerArn": compute.source.function_arn,
            "DeadLetterQueueUrl": self.dead_letter_queue.queue_url,
            **({"UploadQueueUrl": self.upload_queue.queue_url, "Ingest": self._ingest} if self.upload_queue else {}),
            "Predictor": compute.predictor,
            **compute.outputs,
        }
        for name, value in outputs.items():  # in the stack itself, where they keep these names
            CfnOutput(Stack.of(self), name, value=value)


def _allow_late_events(scope: Construct, earlier: lambda_.IFunction | UploadQueue, senders: Mapping[str, str]) -> None:
    """Let services send to what may have been the target: after a setting has changed it, they go on for minutes."""
    for service, arn in senders.items():
        if isinstance(earlier, UploadQueue):
            earlier.allow(service, arn)
            continue
        lambda_.CfnPermission(
            scope,
            f"LateEvents-{earlier.node.id}-{service}",
            action="lambda:InvokeFunction",
            function_name=earlier.function_arn,
            principal=service,
            source_arn=arn,
            source_account=Aws.ACCOUNT_ID,
        )


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
