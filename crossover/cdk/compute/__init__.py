"""The variants: constructs with one face, so that the pipeline and the stack know none of them by name."""

from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from aws_cdk import aws_lambda as lambda_
from constructs import Construct, Node

from crossover.cdk.compute.sagemaker_endpoint import SageMakerEndpoint
from crossover.cdk.compute.snapstart_lambda import SnapStartLambda
from crossover.cdk.compute.standard_lambda import StandardLambda
from crossover.cdk.dashboard_cost import Cost
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.python_function import FunctionOptions
from crossover.cdk.storage import PipelineStorage

if TYPE_CHECKING:
    from crossover.cdk.monitoring import Monitoring
    from stacks.settings import Settings


class Compute(Protocol):
    """The face of a variant."""

    predictor: ClassVar[str]  # its name in the settings and in the items
    stack_id: ClassVar[str]

    @property
    def node(self) -> Node:
        """Its place among the constructs."""

    @property
    def handler(self) -> lambda_.IFunction:
        """What S3 invokes: a function or an alias."""

    @property
    def function(self) -> lambda_.Function:
        """The function behind the handler."""

    @property
    def outputs(self) -> dict[str, str]:
        """What the stack publishes beyond the outputs that all variants have."""

    @property
    def cost(self) -> Cost | None:
        """What it costs; None where a price is not known."""

    def monitor(self, monitoring: "Monitoring") -> None:
        """Add the alarms and graphs that only this variant has."""

    @classmethod
    def from_settings(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        settings: "Settings",
        options: FunctionOptions,
    ) -> Self:
        """`options` are those of the settings, with what only a stack has: its network and its key."""


# A new variant is a file beside these and a line here.
VARIANTS: dict[str, type[Compute]] = {
    variant.predictor: variant
    for variant in (
        StandardLambda,
        SnapStartLambda,
        SageMakerEndpoint,
    )
}
