"""The deployable variants. A new one is a file in this folder and a line in the registry."""

from crossover.cdk.compute.container_lambda import ContainerLambda
from crossover.cdk.compute.efs_lambda import EfsLambda
from crossover.cdk.compute.interface import Compute
from crossover.cdk.compute.provisioned_lambda import ProvisionedLambda
from crossover.cdk.compute.sagemaker_endpoint import SageMakerEndpoint
from crossover.cdk.compute.snapstart_lambda import SnapStartLambda
from crossover.cdk.compute.standard_lambda import StandardLambda
from crossover.cost.variants import by_default

__all__ = [
    "DEFAULT_VARIANTS",
    "VARIANTS",
    "Compute",
    "ContainerLambda",
    "EfsLambda",
    "ProvisionedLambda",
    "SageMakerEndpoint",
    "SnapStartLambda",
    "StandardLambda",
]

VARIANTS: dict[str, type[Compute]] = {
    variant.predictor: variant
    for variant in (
        StandardLambda,
        SnapStartLambda,
        SageMakerEndpoint,
        ProvisionedLambda,
        EfsLambda,
        ContainerLambda,
    )
}

DEFAULT_VARIANTS = tuple(name for name in by_default() if name in VARIANTS)
"""The variants that are deployed where nobody chooses."""
