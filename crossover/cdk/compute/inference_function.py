"""What the Lambda variants share: a function that predicts in its own process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from aws_cdk import Names, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from crossover.bundling import inference_bundle
from crossover.bundling.recipe import Bundle
from crossover.cdk import rules
from crossover.cdk.compute.interface import NEW_ACCOUNT_CONCURRENCY
from crossover.cdk.dashboard_cost import Cost
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.monitoring_specs import AlarmSpec, GraphSpec
from crossover.cdk.mount import Mount
from crossover.cdk.python_function import FunctionOptions, create_function, zip_code
from crossover.cdk.rollout import publish_live
from crossover.cdk.storage import PipelineStorage


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the function of a variant is made of.

    Attributes:
        code: a zip file or an image.
        handler: as `module.function`; empty for an image, which names its own.
        options: for the function.
        model_location: where the handler finds the model, `s3://bucket/key` or a path.
        environment: variables in addition to those of every variant.
        mount: a file system that it sees.
        snap_start: whether Lambda takes a snapshot.
        before: what must exist before the function is published.
    """

    code: lambda_.Code
    handler: str
    options: FunctionOptions
    model_location: str
    environment: Mapping[str, str] = field(default_factory=dict)
    mount: Mount | None = None
    snap_start: lambda_.SnapStartConf | None = None
    before: Sequence[IDependable] = ()


class InferenceFunction(Construct):
    """A function that may read the uploads, put items and, where the model is in S3, read models: every .onnx file of
    CDK's bucket of assets.

    S3 invokes the function itself, or the alias `live` of its one published version: with SnapStart, which takes
    snapshots of versions only, for a canary rollout, and where the variant says so.

    Benefit: a variant whose model runs in Lambda is a subclass with three class attributes. One that is made of other
    parts overrides `_parts`, one that is billed otherwise `_cost`; settings of its own it keeps in attributes before
    `super().__init__`.
    Cost: the bundle holds what the model needs at run time, so it counts towards Lambda's limit of 250 MB.

    Attributes:
        handler: the module with the entry point `handler`, at the top of lambda_src.
        bundle: the code package; a handler that it lacks is added for this function. None for the one that decodes the
            model's kind of input.
        snap_start: whether Lambda takes a snapshot.
        is_published: whether there is an alias in any case.
    """

    predictor: ClassVar[str]
    stack_id: ClassVar[str]
    handler: ClassVar[str]
    bundle: ClassVar[Bundle | None] = None
    snap_start: ClassVar[lambda_.SnapStartConf | None] = None
    is_published: ClassVar[bool] = False
    ingest: ClassVar[str] = "direct"
    default_max_concurrency: int = NEW_ACCOUNT_CONCURRENCY
    capacity: int | None = None
    kept_ready: int = 0
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
        parts = self._parts(storage, model, options or FunctionOptions())
        self.function = create_function(
            self,
            "Function",
            code=parts.code,
            handler=parts.handler,
            memory_mb=memory_mb,
            environment={
                "PREDICTOR": self.predictor,
                "PREDICTIONS_TABLE": storage.predictions_table.table_name,
                "MODEL_S3_URI": parts.model_location,
                "INPUT_KIND": model.contract.input.kind,
                **parts.options.limits(model),
                **storage.results_environment,
                **parts.environment,
            },
            options=parts.options,
            snap_start=parts.snap_start,
            mount=parts.mount,
        )
        if parts.model_location == model.s3_uri:
            model.grant_read(self.function)
        storage.grant_read_files(self.function)
        storage.grant_write_results(self.function, model)
        storage.grant_write_predictions(self.function)
        self.source: lambda_.IFunction = self.function
        self.earlier_sources: Sequence[lambda_.IFunction] = ()
        if canary or parts.snap_start or self.is_published:
            # CDK publishes a new version when code or configuration change. It does not see the model's bytes, of which
            # a snapshot holds a copy. Publishing runs INIT, so it comes after the function and, with it, its role's
            # policy.
            self.function.invalidate_version_based_on(model.sha256)
            self.source = publish_live(self, self.function, canary=canary, options=parts.options, mount=parts.mount)
            for dependency in parts.before:
                self.function.current_version.node.add_dependency(dependency)
            if not (self.snap_start or self.is_published):  # without the setting, there was no alias
                self.earlier_sources = (self.function,)
        self.cost: Cost | None = replace(self._cost(memory_mb), architecture=parts.options.architecture)
        self.outputs: Mapping[str, str] = {}
        self.alarms: Sequence[AlarmSpec] = self._init_alarms() if parts.options.architecture == "arm64" else ()
        self.graphs: Sequence[GraphSpec] = ()

    def _init_alarms(self) -> Sequence[AlarmSpec]:
        """On arm64, where packages have ended the process while they were imported.

        Lambda writes the line with a status where INIT failed or timed out:
        https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
        """
        failures = logs.MetricFilter(
            self,
            "InitFailures",
            log_group=self.function.log_group,
            filter_pattern=logs.FilterPattern.all_terms("INIT_REPORT", "Status:"),
            metric_namespace=f"Crossover/{Stack.of(self).stack_name}",
            metric_name=f"InitFailures-{Names.unique_id(self)}",  # a stack may have several functions
        )
        return (
            AlarmSpec(
                id="InitFailures",
                metric=failures.metric(statistic="Sum"),
                description=(
                    "INIT of the function has failed or timed out; the lines before INIT_REPORT in its log say why. If "
                    "a package ends the process on arm64, deploy with `architecture=x86_64`."
                ),
            ),
        )

    def _parts(self, storage: PipelineStorage, model: ModelArtifact, options: FunctionOptions) -> Parts:
        """What the function is made of; constructs that it needs are made in `self`."""
        bundle = self.bundle or inference_bundle(model.contract.input.kind)
        return Parts(
            code=zip_code(self, bundle.including(self.handler), options=options),
            handler=f"{self.handler}.handler",
            options=options,
            model_location=model.s3_uri,
            snap_start=self.snap_start,
        )

    def _cost(self, memory_mb: int) -> Cost:
        return Cost(memory_mb=memory_mb, leaves_out="INIT")
