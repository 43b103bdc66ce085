"""Variant `snapstart`: a Lambda function whose cold starts restore a snapshot with the model already loaded."""

from typing import ClassVar

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_

from stacks.compute.inference_function import InferenceFunction
from stacks.findings import acknowledge
from stacks.model_artifact import ModelArtifact


class SnapStartLambda(InferenceFunction):
    """Predicts in the one published version of a Lambda function, behind the alias `live`.

    Benefit: a cold start does not load the model, however long that takes.
    Cost: the snapshot is paid by the GB of memory and the hour, traffic or not, and each restore by the GB, so
    `memory_mb` is dearer here; publishing takes minutes. Lambda allows neither provisioned concurrency nor EFS with it.
    """

    predictor: ClassVar[str] = "snapstart"
    stack_id: ClassVar[str] = "SnapStart"
    snap_start: ClassVar[lambda_.SnapStartConf | None] = lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS

    def _create_handler(self, model: ModelArtifact) -> lambda_.IFunction:
        # CDK publishes a new version when code or configuration change. It does not see the model's bytes, of which the
        # snapshot holds a copy. Publishing runs INIT, so it comes after the function and, with it, its role's policy.
        self.function.invalidate_version_based_on(model.sha256)
        version = self.function.current_version
        acknowledge(
            self.function, "@aws-cdk/aws-lambda:snapStartRequirePublish", "The version is published right here."
        )
        # Every version that stays published goes on costing its snapshot: an update deletes the one it replaces.
        version.apply_removal_policy(RemovalPolicy.DESTROY)
        return lambda_.Alias(self, "Live", alias_name="live", version=version)
