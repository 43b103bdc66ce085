"""Variant `standard`: a Lambda function that loads the model at every cold start."""

from typing import ClassVar

from crossover.cdk.compute.inference_function import InferenceFunction


class StandardLambda(InferenceFunction):
    """Predicts in a Lambda function.

    Benefit: no cost while nothing is uploaded, and a thousand concurrent files without preparation.
    Cost: the highest price per prediction once traffic is steady; a cold start loads the model, and that time is
    billed.
    """

    predictor: ClassVar[str] = "standard"
    stack_id: ClassVar[str] = "Standard"
    handler: ClassVar[str] = "standard_handler"
