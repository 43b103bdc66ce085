"""What the standard and the SnapStart variant share: a function that predicts in its own process."""

from typing import TYPE_CHECKING, ClassVar, Self

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from crossover.cdk.bundled_code import Bundle
from crossover.cdk.dashboard_cost import Cost
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.python_function import FunctionOptions, create_python_function
from crossover.cdk.rollout import publish_live
from crossover.cdk.storage import PipelineStorage

if TYPE_CHECKING:
    from crossover.cdk.monitoring import Monitoring
    from stacks.settings import Settings


class InferenceFunction(Construct):
    """A function that may read the uploads and the one model object, and put items into the table.

    Its handler is the module `<predictor>_handler`. S3 invokes the function itself, or the alias `live` of its one
    published version: with SnapStart, which takes snapshots of versions only, and for a canary roll-out.
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
        canary: bool = False,
        options: FunctionOptions | None = None,
    ) -> None:
        """Wire the function.

        Args:
            memory_mb: 128 to 10,240; processor time grows with it, 1,769 MB being one vCPU.
            canary: whether a new version gets a tenth of the traffic first, see crossover/cdk/rollout.py.
        """
        super().__init__(scope, construct_id)
        options = options or FunctionOptions()
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
            options=options,
            snap_start=self.snap_start,
        )
        model.grant_read(self.function)
        storage.grant_read_files(self.function)
        storage.grant_write_predictions(self.function)
        self.handler: lambda_.IFunction = self.function
        if canary or self.snap_start:
            # CDK publishes a new version when code or configuration change. It does not see the model's bytes, which a
            # snapshot holds a copy of. Publishing runs INIT there, so it comes after the function and, with it, its
            # role's policy.
            self.function.invalidate_version_based_on(model.sha256)
            self.handler = publish_live(self, self.function, canary=canary, options=options)
        self.cost: Cost | None = self._cost(memory_mb)
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
        options: FunctionOptions,
    ) -> Self:
        return cls(
            scope,
            construct_id,
            storage=storage,
            model=model,
            memory_mb=settings.memory_mb,
            canary=settings.rollout == "canary",
            options=options,
        )

    def monitor(self, monitoring: "Monitoring") -> None:
        """Nothing beyond what is watched of every function."""

    def _cost(self, memory_mb: int) -> Cost:
        return Cost(memory_mb=memory_mb, leaves_out="INIT")
