"""Variant `container`: a Lambda function from a container image."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from crossover.bundling import inference_bundle
from crossover.bundling.image_context import DOCKERFILE, MODEL, TASK_ROOT, write_image_context
from crossover.cdk.architectures import ARCHITECTURES
from crossover.cdk.compute.inference_function import InferenceFunction, Parts
from crossover.cdk.compute.snapstart_lambda import snapshot_cost
from crossover.cdk.dashboard_cost import Cost
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.python_function import FunctionOptions
from crossover.cdk.storage import PipelineStorage


class ContainerLambda(InferenceFunction):
    """Predicts in a Lambda function from a container image, which holds what the zip holds, and the model.

    Benefit: up to 10 GB of code and model instead of 250 MB, and the image that a team's own tools build, scan and run;
    with the model inside, a version is complete and its role reads no model.
    Cost: deploying takes Docker and a push; ECR stores every image for 0.10 USD a GB and month; AWS patches the runtime
    of a zip, but an image stays as it was built until it is deployed again.
    """

    predictor: ClassVar[str] = "container"
    stack_id: ClassVar[str] = "Container"
    handler: ClassVar[str] = "standard_handler"
    settings: ClassVar[Sequence[str]] = ("memory_mb", "canary", "model_in_image", "image_snap_start")

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PipelineStorage,
        model: ModelArtifact,
        memory_mb: int = 4096,
        canary: bool = False,
        model_in_image: bool = True,
        image_snap_start: bool = False,
        options: FunctionOptions | None = None,
    ) -> None:
        """Create the function with its grants; `cdk deploy` builds and pushes its image.

        Args:
            memory_mb: 128 to 10,240; CPU time grows with it, 1,769 MB being one vCPU.
            canary: whether a new version gets a tenth of the traffic first, see crossover/cdk/rollout.py.
            model_in_image: whether the model is in the image; else the function reads it from S3 at INIT, and a new
                model needs no new image.
            image_snap_start: whether Lambda takes a snapshot of the published version, as in the variant `snapstart`.
            options: the image is built for their architecture.

        Raises:
            InvalidValueError: `memory_mb` is out of range.
        """
        self._model_in_image = model_in_image
        self._image_snap_start = image_snap_start
        super().__init__(
            scope, construct_id, storage=storage, model=model, memory_mb=memory_mb, canary=canary, options=options
        )

    def _parts(self, storage: PipelineStorage, model: ModelArtifact, options: FunctionOptions) -> Parts:
        handler = "snapstart_handler" if self._image_snap_start else self.handler
        image = self._image(model, options)
        return Parts(
            code=lambda_.Code.from_ecr_image(
                image.repository, tag_or_digest=image.image_tag, cmd=[f"{handler}.handler"]
            ),
            handler="",
            options=options,
            model_location=f"{TASK_ROOT}/{MODEL}" if self._model_in_image else model.s3_uri,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if self._image_snap_start else None,
        )

    def _image(self, model: ModelArtifact, options: FunctionOptions) -> ecr_assets.DockerImageAsset:
        with TemporaryDirectory(prefix="crossover-image-") as folder:  # which the CDK copies at once
            write_image_context(
                Path(folder),
                inference_bundle(model.contract.input.kind),
                model=model.path if self._model_in_image else None,
            )
            return ecr_assets.DockerImageAsset(
                self,
                "Image",
                directory=folder,
                file=DOCKERFILE,
                ignore_mode=IgnoreMode.DOCKER,
                # Lambda takes no image for another processor than the function's.
                platform=ecr_assets.Platform.custom(ARCHITECTURES[options.architecture].docker_platform),
            )

    def _cost(self, memory_mb: int) -> Cost:
        if self._image_snap_start:
            return snapshot_cost(memory_mb, leaves_out="the time of restoring, ECR")
        return Cost(memory_mb=memory_mb, leaves_out="INIT, ECR")
