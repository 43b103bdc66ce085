"""Variant `container`: a Lambda function from a container image."""

from typing import ClassVar

from crossover.cdk.compute.inference_function import InferenceFunction


class ContainerLambda(InferenceFunction):
    """Predicts in a Lambda function."""

    predictor: ClassVar[str] = "container"
    stack_id: ClassVar[str] = "Container"
    handler: ClassVar[str] = "standard_handler"
