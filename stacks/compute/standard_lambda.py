"""Variant `standard`: a Lambda function that loads the model at every cold start."""

from typing import TYPE_CHECKING, ClassVar, Self

from constructs import Construct

from stacks.compute.inference_function import create_inference_function
from stacks.model_artifact import ModelArtifact
from stacks.python_function import FunctionOptions
from stacks.storage import PipelineStorage

if TYPE_CHECKING:
    from stacks.settings import Settings


class StandardLambda(Construct):
    """Predicts in a Lambda function.

    Benefit: nothing to pay while nothing comes in, and a thousand files at once without preparation.
    Cost: the dearest per prediction once traffic is steady; a cold start loads the model, and that time is billed.
    """

    predictor: ClassVar[str] = "standard"
    stack_id: ClassVar[str] = "Standard"

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
        """`memory_mb` is 128 to 10,240; processor time grows with it, 1,769 MB being one vCPU."""
        super().__init__(scope, construct_id)
        self.function = create_inference_function(
            self,
            "Function",
            predictor=self.predictor,
            storage=storage,
            model=model,
            memory_mb=memory_mb,
            options=options or FunctionOptions(),
        )
        self.handler = self.function
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
