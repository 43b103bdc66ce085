"""The constructs: an inference pipeline on AWS with exchangeable compute.

    storage = PipelineStorage(self, "Storage")
    model = ModelArtifact(self, "Model", path="model/model.onnx")
    compute = SnapStartLambda(self, "Compute", storage=storage, model=model, memory_mb=4096)
    InferencePipeline(self, "Pipeline", storage=storage, compute=compute, publish_outputs=True)

What is listed here is public; names in the modules may change without notice.
"""

import os

# onnxruntime, which reads the model at synth, sends usage data to Microsoft unless this is set before its import.
# https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from crossover.bundling import inference_bundle
from crossover.bundling.recipe import Bundle, BundlingError
from crossover.cdk import rules
from crossover.cdk.backfill import Backfill
from crossover.cdk.compute import (
    DEFAULT_VARIANTS,
    VARIANTS,
    Compute,
    ContainerLambda,
    EfsLambda,
    ProvisionedLambda,
    SageMakerEndpoint,
    SnapStartLambda,
    StandardLambda,
)
from crossover.cdk.compute.inference_function import InferenceFunction, Parts
from crossover.cdk.dashboard_cost import Cost, price
from crossover.cdk.encryption import create_key
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.model_endpoint import Endpoint, ExistingEndpoint, ModelEndpoint
from crossover.cdk.monitoring import PERCENTILES, Monitoring, cost_widget
from crossover.cdk.monitoring_specs import AlarmSpec, GraphSpec, Plottable, file_metric, graph_widget
from crossover.cdk.mount import Mount
from crossover.cdk.network import IsolatedNetwork
from crossover.cdk.pipeline import InferencePipeline
from crossover.cdk.python_function import FunctionOptions, create_log_group, zip_code
from crossover.cdk.rollout import CanaryRollout
from crossover.cdk.rules import InvalidValueError
from crossover.cdk.storage import PipelineStorage
from crossover.model.contract import ModelArtifactError, ModelContract

__all__ = [
    "DEFAULT_VARIANTS",
    "PERCENTILES",
    "VARIANTS",
    "AlarmSpec",
    "Backfill",
    "Bundle",
    "BundlingError",
    "CanaryRollout",
    "Compute",
    "ContainerLambda",
    "Cost",
    "EfsLambda",
    "Endpoint",
    "ExistingEndpoint",
    "FunctionOptions",
    "GraphSpec",
    "InferenceFunction",
    "InferencePipeline",
    "InvalidValueError",
    "IsolatedNetwork",
    "ModelArtifact",
    "ModelArtifactError",
    "ModelContract",
    "ModelEndpoint",
    "Monitoring",
    "Mount",
    "Parts",
    "PipelineStorage",
    "Plottable",
    "ProvisionedLambda",
    "SageMakerEndpoint",
    "SnapStartLambda",
    "StandardLambda",
    "cost_widget",
    "create_key",
    "create_log_group",
    "file_metric",
    "graph_widget",
    "inference_bundle",
    "price",
    "rules",
    "zip_code",
]
