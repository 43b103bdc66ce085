"""Variant `snapstart`: a Lambda function whose cold starts restore a snapshot with the model already loaded."""

from typing import TYPE_CHECKING, ClassVar, Self

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.compute.inference_function import create_inference_function
from stacks.findings import acknowledge
from stacks.model_artifact import ModelArtifact
from stacks.python_function import FunctionOptions
from stacks.storage import PipelineStorage

if TYPE_CHECKING:
    from stacks.settings import Settings


class SnapStartLambda(Construct):
    """Predicts in the one published version of a Lambda function, behind the alias `live`.

    Benefit: a cold start does not load the model, however long that takes.
    Cost: the snapshot is paid by the GB of memory and the hour, traffic or not, and each restore by the GB; publishing
    takes minutes. Lambda allows neither provisioned concurrency nor EFS with it.
    """

    predictor: ClassVar[str] = "snapstart"
    stack_id: ClassVar[str] = "SnapStart"

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        memory_mb: int = 4096,
        options: FunctionOptions | None = None,
    ) -> None:
        """`memory_mb` is 128 to 10,240; processor time and the price of the snapshot grow with it."""
        super().__init__(scope, construct_id)
        self.function = create_inference_function(
            self,
            "Function",
            predictor=self.predictor,
            storage=storage,
            model=model,
            memory_mb=memory_mb,
            options=options or FunctionOptions(),
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS,
        )
        # CDK publishes a new version when code or configuration change. It does not see the model's bytes, of which the
        # snapshot holds a copy. Publishing runs INIT, so it comes after the function and, with it, its role's policy.
        self.function.invalidate_version_based_on(model.sha256)
        self.version = self.function.current_version
        acknowledge(
            self.function, "@aws-cdk/aws-lambda:snapStartRequirePublish", "The version is published right here."
        )
        # Every version that stays published goes on costing its snapshot: an update deletes the one it replaces.
        self.version.apply_removal_policy(RemovalPolicy.DESTROY)
        self.handler = lambda_.Alias(self, "Live", alias_name="live", version=self.version)
        self.outputs: dict[str, str] = {}

    @classmethod
    def from_settings(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        settings: "Settings",
    ) -> Self:
        return cls(
            scope,
            construct_id,
            storage=storage,
            model=model,
            memory_mb=settings.memory_mb,
            options=settings.function_options,
        )
