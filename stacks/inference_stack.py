"""One variant, whole: storage, model, compute and pipeline, with the outputs that the command line reads."""

import dataclasses

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from crossover.cdk.compute import Compute
from crossover.cdk.encryption import create_key
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.monitoring import Monitoring
from crossover.cdk.network import IsolatedNetwork
from crossover.cdk.pipeline import InferencePipeline
from crossover.cdk.python_function import create_log_group
from crossover.cdk.storage import PipelineStorage
from stacks.settings import Settings


class InferenceStack(Stack):
    """One stack a variant, each with its own bucket and table, to be deployed, measured and deleted independently."""

    def __init__(self, scope: Construct, construct_id: str, *, variant: type[Compute], settings: Settings) -> None:
        """Raises ModelArtifactError for a model file that cannot be deployed."""
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{settings.stack_prefix}-{construct_id}",
            description=f"Predictions for files in S3, variant {variant.predictor}",
            permissions_boundary=settings.boundary,
        )
        # CDK writes each DependsOn out, also where a reference implies it already; cfn-lint need not warn of that.
        self.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
        key = create_key(self, "Key", removal_policy=settings.removal) if settings.encryption == "customer" else None
        storage = PipelineStorage(
            self,
            "Storage",
            key_prefix=settings.key_prefix,
            encryption_key=key,
            versioned=settings.bucket_versioning,
            input_lifetime_days=settings.input_lifetime_days,
            point_in_time_recovery=settings.point_in_time_recovery,
            removal_policy=settings.removal,
        )
        model = ModelArtifact(self, "Model", path=settings.model_file)
        options = dataclasses.replace(settings.function_options, encryption_key=key)
        network = None
        if settings.network == "isolated":
            flow_logs = create_log_group(self, "FlowLogs", options=options)
            network = IsolatedNetwork(self, "Network", storage=storage, model=model, log_group=flow_logs)
            options = dataclasses.replace(options, vpc=network.vpc, private_endpoints=True)
        self.compute = compute = variant.from_settings(
            self, "Compute", storage=storage, model=model, settings=settings, options=options
        )
        if network:  # SnapStart loads the model while its version is published, the endpoint before it is in service
            compute.node.add_dependency(network.vpc)
        self.pipeline = pipeline = InferencePipeline(
            self,
            "Pipeline",
            storage=storage,
            compute=compute,
            key_suffix=settings.key_suffix,
            encryption_key=key,
            removal_policy=settings.removal,
        )
        outputs = {
            "InputBucketName": storage.input_bucket.bucket_name,
            "PredictionsTableName": storage.predictions_table.table_name,
            "FunctionName": compute.function.function_name,
            "HandlerArn": compute.handler.function_arn,
            "DeadLetterQueueUrl": pipeline.dead_letter_queue.queue_url,
            "Predictor": compute.predictor,
            **compute.outputs,
        }
        if settings.monitoring:
            topic = settings.alarm_topic_arn
            monitoring = Monitoring(
                self,
                "Monitoring",
                compute=compute,
                dead_letter_queue=pipeline.dead_letter_queue,
                alarm_topic=sns.Topic.from_topic_arn(self, "AlarmTopic", topic) if topic else None,
                p99_alarm_seconds=settings.p99_alarm_seconds,
            )
            outputs["DashboardName"] = monitoring.dashboard.dashboard_name
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
