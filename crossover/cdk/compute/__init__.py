"""The deployable variants. A new one is a file in this folder and a line in the registry."""

from crossover.cdk.compute.interface import Compute
from crossover.cdk.compute.sagemaker_endpoint import SageMakerEndpoint
from crossover.cdk.compute.snapstart_lambda import SnapStartLambda
from crossover.cdk.compute.standard_lambda import StandardLambda

__all__ = ["VARIANTS", "Compute", "SageMakerEndpoint", "SnapStartLambda", "StandardLambda"]

VARIANTS: dict[str, type[Compute]] = {
    variant.predictor: variant
    for variant in (
        StandardLambda,
        SnapStartLambda,
        SageMakerEndpoint,
    )
}
