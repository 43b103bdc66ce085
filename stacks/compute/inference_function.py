"""What the standard and the SnapStart variant share: a function that predicts in its own process."""

from typing import TYPE_CHECKING, ClassVar, Self

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.bundling import Bundle
from stacks.model_artifact import ModelArtifact
from stacks.python_function import FunctionOptions, create_python_function
from stacks.storage import PipelineStorage

if TYPE_CHECKING:
    from stacks.settings import Settings


class InferenceFunction(Construct):
    """A function that may read the uploads and the one model object, and put items into the table.

    Its handler is the module `<predictor>_handler`; S3 invokes the function itself unless a variant says otherwise.
    """

    predictor: ClassVar[str]
    stack_id: ClassVar[str]
    snap_start: ClassVar[lambda_.SnapStartConf | None] = None

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
        self.function = create_python_function(
            self,
            "Function",
            bundle=Bundle.INFERENCE,
            handler=f"{self.predictor}_handler.handler",
            memory_mb=memory_mb,
            environment={
                "PREDICTOR": self.predictor,
                "PREDICTIONS_TABLE": storage.predictions_table.table_name,
                "MODEL_S3_URI": model.s3_uri,
            },
            options=options or FunctionOptions(),
            snap_start=self.snap_start,
        )
        model.grant_read(self.function)
        storage.grant_read_files(self.function)
        storage.grant_write_predictions(self.function)
        self.handler = self._create_handler(model)
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

    def _create_handler(self, model: ModelArtifact) -> lambda_.IFunction:
        return self.function
