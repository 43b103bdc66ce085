"""Variant `provisioned`: a Lambda function of which some execution environments are always kept ready."""

from typing import ClassVar

from crossover.cdk.compute.inference_function import InferenceFunction


class ProvisionedLambda(InferenceFunction):
    """Predicts in a Lambda function."""

    predictor: ClassVar[str] = "provisioned"
    stack_id: ClassVar[str] = "Provisioned"
    handler: ClassVar[str] = "standard_handler"
    is_published: ClassVar[bool] = True
