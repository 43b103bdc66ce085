"""One variant, whole: storage, model, compute and pipeline, with the outputs that the command line reads."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.compute import Compute
from stacks.model_artifact import ModelArtifact
from stacks.pipeline import InferencePipeline
from stacks.settings import Settings
from stacks.storage import PipelineStorage


class InferenceStack(Stack):
    """One stack a variant, each with its own bucket and table, to be deployed, measured and deleted independently."""

    def __init__(self, scope: Construct, construct_id: str, *, variant: type[Compute], settings: Settings) -> None:
        """Raises ModelArtifactError for a model file that cannot be deployed."""
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{settings.stack_prefix}-{construct_id}",
            description=f"Predictions for files in S3, variant {variant.predictor}",
        )
        # CDK writes each DependsOn out, also where a reference implies it already; cfn-lint need not warn of that.
        self.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
        storage = PipelineStorage(self, "Storage", removal_policy=settings.removal)
        model = ModelArtifact(self, "Model", path=settings.model_file)
        compute = variant.from_settings(self, "Compute", storage=storage, model=model, settings=settings)
        pipeline = InferencePipeline(
            self,
            "Pipeline",
            storage=storage,
            compute=compute,
            key_prefix=settings.key_prefix,
            key_suffix=settings.key_suffix,
        )
        outputs = {
            "InputBucketName": storage.input_bucket.bucket_name,
            "PredictionsTableName": storage.predictions_table.table_name,
            "FunctionName": compute.function.function_name,
            "DeadLetterQueueUrl": pipeline.dead_letter_queue.queue_url,
            "Predictor": compute.predictor,
            **compute.outputs,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
