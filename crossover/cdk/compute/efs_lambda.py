"""Variant `efs`: a Lambda function that mounts its model from EFS."""

from typing import ClassVar

from crossover.cdk.compute.inference_function import InferenceFunction


class EfsLambda(InferenceFunction):
    """Predicts in a Lambda function."""

    predictor: ClassVar[str] = "efs"
    stack_id: ClassVar[str] = "Efs"
    handler: ClassVar[str] = "standard_handler"
    is_published: ClassVar[bool] = True
