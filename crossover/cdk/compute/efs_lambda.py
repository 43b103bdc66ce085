"""Variant `efs`: a Lambda function that mounts its model from EFS."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar

from constructs import Construct

from crossover.bundling import inference_bundle
from crossover.cdk import rules
from crossover.cdk.compute.inference_function import InferenceFunction, Parts
from crossover.cdk.dashboard_cost import Cost, price
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.model_file_system import ModelFileSystem
from crossover.cdk.monitoring_specs import GraphSpec
from crossover.cdk.network import IsolatedNetwork
from crossover.cdk.python_function import FunctionOptions, create_log_group, zip_code
from crossover.cdk.storage import PipelineStorage
from crossover.cost.scenario import HOURS_PER_MONTH


class EfsLambda(InferenceFunction):
    """Predicts in a Lambda function that mounts a file system with the model, in a VPC without internet access.

    Benefit: a large model is in place before the first cold start, which reads it from the file system, while functions
    whose model is in S3 hold it in memory once more as they download it. Without options.vpc it makes an
    IsolatedNetwork, so the function can connect to nothing but the pipeline's bucket and table.
    Cost: storage and each cold start's reading are billed by the GB, besides what `standard` costs; a VPC, of which an
    account has five in a region unless AWS raises that; deploying and deleting take minutes more. Lambda does not
    allow SnapStart with EFS.
    """

    predictor: ClassVar[str] = "efs"
    stack_id: ClassVar[str] = "Efs"
    handler: ClassVar[str] = "efs_handler"
    is_published: ClassVar[bool] = True
    settings: ClassVar[Sequence[str]] = (*InferenceFunction.settings, "model_loading")
    roles: ClassVar[Mapping[str, str]] = {
        "Files/LoaderRole": "model loader",
        "Files/ProviderRole": "model loader's caller",
        "Network/FlowLogRole": "flow logs",
    }

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        memory_mb: int = 4096,
        canary: bool = False,
        model_loading: str = "eager",
        options: FunctionOptions | None = None,
    ) -> None:
        """Create the function, the file system, and a network where `options` has none.

        Args:
            memory_mb: 128 to 10,240; CPU time grows with it, 1,769 MB being one vCPU. Loading takes about twice the
                model's size.
            canary: whether a new version gets a tenth of the traffic first, see crossover/cdk/rollout.py.
            model_loading: eager loads the model at INIT; lazy with the first event, for a model that takes longer than
                the 10 s that Lambda gives INIT.

        Raises:
            InvalidValueError: `memory_mb` or `model_loading` is none of the allowed values.
        """
        rules.check(rules.MODEL_LOADING, model_loading=model_loading)
        self._model_loading = model_loading
        self._model_gb = model.size_bytes / 1024**3
        super().__init__(
            scope, construct_id, storage=storage, model=model, memory_mb=memory_mb, canary=canary, options=options
        )
        files = self.files
        self.graphs = (
            GraphSpec(
                title="File system: throughput", metrics={"of what is permitted": files.metric_throughput()}, unit="%"
            ),
            GraphSpec(
                title="File system: read and written",
                metrics={
                    "read": files.metric("DataReadIOBytes", "Sum"),
                    "written": files.metric("DataWriteIOBytes", "Sum"),
                },
                unit="bytes in 5 min",
            ),
            GraphSpec(title="File system: clients", metrics={"mounted": files.metric("ClientConnections", "Sum")}),
        )

    def _parts(self, storage: PipelineStorage, model: ModelArtifact, options: FunctionOptions) -> Parts:
        if options.vpc is None:
            flow_logs = create_log_group(self, "FlowLogs", options=options)
            network = IsolatedNetwork(self, "Network", storage=storage, model=model, log_group=flow_logs)
            options = dataclasses.replace(options, vpc=network.vpc)
        self.files = ModelFileSystem(self, "Files", model=model, options=options)
        return Parts(
            code=zip_code(self, inference_bundle(model.contract.input.kind), options=options),
            handler=f"{self.handler}.handler",
            options=options,
            model_location=self.files.path,
            environment={"MODEL_SHA256": model.sha256, "MODEL_LOADING": self._model_loading},
            mount=self.files.reader,
            snap_start=self.snap_start,
            before=(self.files.model_file,),
        )

    def _cost(self, memory_mb: int) -> Cost:
        return Cost(
            memory_mb=memory_mb,
            per_cold_start=((self._model_gb, price("efs.read_gb")),),
            per_hour=((self._model_gb / HOURS_PER_MONTH, price("efs.storage_gb_month")),),
            leaves_out="INIT, writing the model, flow logs",
        )
