"""One whole variant: storage, model, compute and pipeline, with the outputs that the command line reads."""

import dataclasses

import jsii
from aws_cdk import Annotations, CfnOutput, Fn, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from crossover.cdk import (
    Backfill,
    Compute,
    InferencePipeline,
    IsolatedNetwork,
    ModelArtifact,
    Monitoring,
    PipelineStorage,
    create_key,
    create_log_group,
)
from stacks.existing import existing_bucket, existing_key, existing_keys, existing_table, existing_vpc
from stacks.protection import protection
from stacks.settings import Settings


class InferenceStack(Stack):
    """One stack per variant, with its own bucket and table, to be deployed, measured and deleted independently."""

    def __init__(self, scope: Construct, construct_id: str, *, variant: type[Compute], settings: Settings) -> None:
        """Create the stack.

        Raises:
            ModelArtifactError: the model file cannot be deployed.
            BundlingError: the functions' code cannot be bundled.
        """
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{settings.stack_prefix}-{construct_id}",
            description=f"Predictions for files in S3, variant {variant.predictor}",
            env=settings.environment,
            tags=dict(settings.tags),
            termination_protection=settings.termination_protection,
            permissions_boundary=settings.boundary,
        )
        # CDK writes each DependsOn out, even if a reference implies it; cfn-lint need not warn of that.
        self.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
        key = self._encryption_key(settings)
        asset_key = existing_key(self, "AssetKey", settings.asset_key_arn)
        model = ModelArtifact(self, "Model", path=settings.model_file, asset_key=asset_key)
        storage = PipelineStorage(
            self,
            "Storage",
            input_bucket=existing_bucket(self, "InputBucket", settings.input_bucket),
            results_bucket=model.stores_files,
            predictions_table=existing_table(self, "PredictionsTable", settings.predictions_table),
            key_prefix=settings.key_prefix,
            decryption_keys=existing_keys(self, "DecryptionKey", settings.decryption_key_arns),
            encryption_key=key,
            versioned=settings.bucket_versioning,
            input_lifetime_days=settings.input_lifetime_days,
            results_lifetime_days=settings.item_lifetime_days,
            point_in_time_recovery=settings.point_in_time_recovery,
            removal_policy=settings.removal,
        )
        vpc = existing_vpc(self, "Vpc", settings.vpc_id, settings.subnet_ids)
        options = dataclasses.replace(settings.function_options, vpc=vpc, encryption_key=key)
        for name in options.limits_without_effect(model):
            Annotations.of(self).add_warning_v2(
                f"crossover:{name}", f"The setting {name} has no effect: the model takes {model.contract.input.kind}."
            )
        if settings.network == "isolated":
            flow_logs = create_log_group(self, "FlowLogs", options=options)
            network = IsolatedNetwork(self, "Network", storage=storage, model=model, log_group=flow_logs)
            options = dataclasses.replace(options, vpc=network.vpc, private_endpoints=True)
        arguments = {name: getattr(settings, name) for name in variant.settings}
        self.compute = compute = variant(self, "Compute", storage=storage, model=model, options=options, **arguments)
        if settings.backfill:
            Backfill(
                self,
                "Backfill",
                storage=storage,
                model=model,
                compute=compute,
                key_suffix=settings.key_suffix,
                logs_key=key,
                removal_policy=settings.removal,
                publish_outputs=True,
            )
        ingest = settings.ingest or variant.ingest
        if settings.max_concurrency and ingest == "direct":
            text = f"The setting max_concurrency has no effect: the variant {variant.predictor} has no queue."
            Annotations.of(self).add_warning_v2("crossover:max_concurrency", text)
        if settings.encryption_key_arn and ingest != "direct":
            self._warn_of_key_policy(settings)
        self.pipeline = pipeline = InferencePipeline(
            self,
            "Pipeline",
            storage=storage,
            compute=compute,
            key_suffix=settings.key_suffix,
            event_source=settings.event_source,
            ingest=ingest,
            max_concurrency=settings.max_concurrency if ingest != "direct" else None,
            encryption_key=key,
            removal_policy=settings.removal,
            publish_outputs=True,
        )
        if settings.monitoring:
            topic = settings.alarm_topic_arn
            monitoring = Monitoring(
                self,
                "Monitoring",
                compute=compute,
                dead_letter_queue=pipeline.dead_letter_queue,
                upload_queue=pipeline.upload_queue,
                rule=pipeline.rule,
                alarm_topic=sns.Topic.from_topic_arn(self, "AlarmTopic", topic) if topic else None,
                alarm_email=settings.alarm_email,
                p99_alarm_seconds=settings.p99_alarm_seconds,
            )
            CfnOutput(self, "DashboardName", value=monitoring.dashboard.dashboard_name)
        CfnOutput(self, "InputKind", value=model.contract.input.kind)
        CfnOutput(self, "Protection", value=protection(settings))

    @property
    @jsii.member(jsii_name="availabilityZones")
    def availability_zones(self) -> list[str]:
        """The first two of the region: with `env`, CDK would ask AWS at synth which these are."""
        return [Fn.select(number, Fn.get_azs()) for number in range(2)]

    def _warn_of_key_policy(self, settings: Settings) -> None:
        """Synth does not know the policy of a key that exists already, and what S3 says does not name the key."""
        senders = {"notification": "s3", "eventbridge": "events"}
        chosen = [name for source, name in senders.items() if settings.event_source in (source, "both")]
        Annotations.of(self).add_warning_v2(
            "crossover:encryption_key_arn",
            "The stack cannot change the policy of encryption_key_arn, which must let "
            f"{' and '.join(f'{name}.amazonaws.com' for name in chosen)} use kms:Decrypt and kms:GenerateDataKey: "
            "otherwise S3 refuses the deployment, and EventBridge loses the uploads.",
        )

    def _encryption_key(self, settings: Settings) -> kms.IKey | None:
        """The customer's key, new or existing. Its ARN is an output, as what it encrypts cannot be read without it."""
        if settings.encryption != "customer":
            return None
        key = existing_key(self, "Key", settings.encryption_key_arn) or create_key(self, "Key")
        CfnOutput(self, "KeyArn", value=key.key_arn)
        return key
