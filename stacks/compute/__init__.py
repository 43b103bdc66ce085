"""The variants: constructs with one face, so that the pipeline and the stack know none of them by name."""

from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.compute.sagemaker_endpoint import SageMakerEndpoint
from stacks.compute.snapstart_lambda import SnapStartLambda
from stacks.compute.standard_lambda import StandardLambda
from stacks.model_artifact import ModelArtifact
from stacks.storage import PipelineStorage

if TYPE_CHECKING:
    from stacks.settings import Settings


class Compute(Protocol):
    """The face of a variant."""

    predictor: ClassVar[str]  # its name in the settings and in the items
    stack_id: ClassVar[str]

    @property
    def handler(self) -> lambda_.IFunction:
        """What S3 invokes: a function or an alias."""

    @property
    def function(self) -> lambda_.Function:
        """The function behind the handler."""

    @property
    def outputs(self) -> dict[str, str]:
        """What the stack publishes beyond the outputs that all variants have."""

    @classmethod
    def from_settings(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        settings: "Settings",
    ) -> Self: ...


# A new variant is a file beside these and a line here.
VARIANTS: dict[str, type[Compute]] = {
    variant.predictor: variant
    for variant in (
        StandardLambda,
        SnapStartLambda,
        SageMakerEndpoint,
    )
}
