"""What the standard and the SnapStart variant share: a function that predicts in its own process."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from crossover.bundling import inference_bundle
from crossover.bundling.recipe import Bundle
from crossover.cdk import rules
from crossover.cdk.dashboard_cost import Cost
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.monitoring_specs import AlarmSpec, GraphSpec
from crossover.cdk.python_function import FunctionOptions, create_python_function
from crossover.cdk.rollout import publish_live
from crossover.cdk.storage import PipelineStorage


class InferenceFunction(Construct):
    """A function that may read the uploads and the models (every .onnx file of CDK's bucket of assets), and put items.

    S3 invokes the function itself, or the alias `live` of its one published version: with SnapStart, which takes
    snapshots of versions only, and for a canary rollout.

    Benefit: a variant whose model runs in Lambda is a subclass with three class attributes.
    Cost: the bundle holds what the model needs at run time, so it counts towards Lambda's limit of 250 MB.

    Attributes:
        handler: the module with the entry point `handler`, at the top of lambda_src.
        bundle: the code package; a handler that it lacks is added for this function. None for the one that decodes the
            model's kind of input.
        snap_start: whether Lambda takes a snapshot.
    """

    predictor: ClassVar[str]
    stack_id: ClassVar[str]
    handler: ClassVar[str]
    bundle: ClassVar[Bundle | None] = None
    snap_start: ClassVar[lambda_.SnapStartConf | None] = None
    settings: ClassVar[Sequence[str]] = ("memory_mb", "canary")
    roles: ClassVar[Mapping[str, str]] = {}

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
        """Create the function with its grants.

        Args:
            memory_mb: 128 to 10,240; CPU time grows with it, 1,769 MB being one vCPU.
            canary: whether a new version gets a tenth of the traffic first, see crossover/cdk/rollout.py.

        Raises:
            InvalidValueError: `memory_mb` is out of range.
        """
        super().__init__(scope, construct_id)
        rules.check(rules.MEMORY_MB, memory_mb=memory_mb)
        options = options or FunctionOptions()
        self.function = create_python_function(
            self,
            "Function",
            bundle=(self.bundle or inference_bundle(model.contract.input.kind)),
            handler=self.handler,
            memory_mb=memory_mb,
            environment={
                "PREDICTOR": self.predictor,
                "PREDICTIONS_TABLE": storage.predictions_table.table_name,
                "MODEL_S3_URI": model.s3_uri,
                "INPUT_KIND": model.contract.input.kind,
                **options.limits(model),
                **storage.results_environment,
            },
            options=options,
            snap_start=self.snap_start,
        )
        model.grant_read(self.function)
        storage.grant_read_files(self.function)
        storage.grant_write_results(self.function, model)
        storage.grant_write_predictions(self.function)
        self.source: lambda_.IFunction = self.function
        if canary or self.snap_start:
            # CDK publishes a new version when code or configuration change. It does not see the model's bytes, of which
            # a snapshot holds a copy. Publishing runs INIT, so it comes after the function and, with it, its role's
            # policy.
            self.function.invalidate_version_based_on(model.sha256)
            self.source = publish_live(self, self.function, canary=canary, options=options)
        self.cost: Cost | None = self._cost(memory_mb)
        self.outputs: Mapping[str, str] = {}
        self.alarms: Sequence[AlarmSpec] = ()
        self.graphs: Sequence[GraphSpec] = ()

    def _cost(self, memory_mb: int) -> Cost:
        return Cost(memory_mb=memory_mb, leaves_out="INIT")
