"""AWS::SageMaker::{Model,EndpointConfig,Endpoint}: an endpoint runs the image that was pushed in the container engine;
where none was, the container's own server command as a process.

It is restarted when it ends.
"""

import hashlib
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region

from crossover.local.container import ADDRESS, Container, InvocationError, entry_point
from crossover.local.container_engine import run_arguments
from crossover.local.emulator.connection import aws_client, aws_environment
from crossover.local.emulator.instance_memory import memory_mb
from crossover.local.emulator.ministack_internals import (
    RESOURCE_HANDLERS,
    Created,
    Properties,
    physical_name,
    run_on_a_thread,
)
from crossover.local.emulator.permissions import assume_role, check_role
from crossover.local.emulator.registry import image_source, pushed_image

# The only kind of manifest that SageMaker takes: docs/decisions/0015-image-manifests.md.
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
RESTART_SECONDS = 1
"""Between two attempts to start a container again."""


class SageMaker:
    """Endpoints, each a container or a process.

    Args:
        workspace: whose containers they are.
        engine: the script that calls the container engine; None where processes take its place.
        assembly: the cloud assembly, where an image's tag names the folder it would be built from.
        logs: gets each container's output as `endpoint-NAME.log`.
        python: the interpreter that takes the place of the image's; it has what the server imports.
    """

    def __init__(self, *, workspace: Path, engine: Path | None, assembly: Path, logs: Path, python: str) -> None:
        self.workspace = workspace
        self.engine = engine
        self.assembly = assembly
        self.logs = logs
        self.python = python
        self.models: dict[str, Properties] = {}
        self.configs: dict[str, Properties] = {}
        self.endpoints: dict[str, tuple[str, Container]] = {}  # name: (variant, its container)
        self.changing = threading.Lock()  # of the endpoints

    def install(self) -> None:
        """Add the three resource types to CloudFormation."""
        endpoint: dict[str, Callable[..., Any]] = {
            "create": self.create_endpoint,
            "update": self.update_endpoint,
            "delete": self.delete_endpoint,
        }
        RESOURCE_HANDLERS.update(
            {
                "AWS::SageMaker::Model": {
                    "create": self.create_model,
                    "delete": lambda arn, _: self.models.pop(named(arn, self.models)),
                },
                "AWS::SageMaker::EndpointConfig": {
                    "create": self.create_config,
                    "delete": lambda arn, _: self.configs.pop(named(arn, self.configs)),
                },
                "AWS::SageMaker::Endpoint": endpoint,
            }
        )
        run_on_a_thread("AWS::SageMaker::Endpoint")

    def create_model(self, logical_id: str, properties: Properties, stack: str) -> Created:
        name = properties.get("ModelName") or name_by_content(logical_id, properties, stack)
        check_manifest(properties["PrimaryContainer"]["Image"])
        self.models[name] = properties
        return created("model", name, "Model")

    def create_config(self, logical_id: str, properties: Properties, stack: str) -> Created:
        name = properties.get("EndpointConfigName") or name_by_content(logical_id, properties, stack)
        self.configs[name] = properties
        return created("endpoint-config", name, "EndpointConfig")

    def create_endpoint(self, logical_id: str, properties: Properties, stack: str) -> Created:
        name = properties.get("EndpointName") or physical_name(stack, logical_id, max_len=63)
        self._serve(name, properties)
        return created("endpoint", name, "Endpoint")

    def update_endpoint(self, arn: str, old: Properties, new: Properties, stack: str) -> Created:
        name = named(arn, self.endpoints)
        self._serve(name, new)
        return created("endpoint", name, "Endpoint")

    def delete_endpoint(self, arn: str, properties: Properties) -> None:
        with self.changing:
            _, container = self.endpoints.pop(named(arn, self.endpoints))
        container.stop()

    def _serve(self, name: str, properties: Properties) -> None:
        """Start the endpoint's container, and only then stop the one it replaces: the endpoint always responds."""
        variant = self.configs[properties["EndpointConfigName"]]["ProductionVariants"][0]
        properties_of_model = self.models[variant["ModelName"]]
        model = properties_of_model["PrimaryContainer"]
        role = properties_of_model["ExecutionRoleArn"]

        def start() -> Container:
            """As on a new instance: all that it needs is fetched again, with what the role may do by then."""
            credentials = assume_role(role, "sagemaker.amazonaws.com", "SageMaker")
            check_pull(role, model["Image"])
            return self._start(
                image=model["Image"],
                instance_type=variant["InstanceType"],
                model_folder=download_model(model["ModelDataSource"]["S3DataSource"]["S3Uri"], credentials),
                environment={**aws_environment(credentials), **(model.get("Environment") or {})},
                log=self.logs / f"endpoint-{name}.log",
            )

        container = start()
        with self.changing:
            replaced = self.endpoints.get(name)
            self.endpoints[name] = (variant["VariantName"], container)
        if replaced:
            replaced[1].stop()
        threading.Thread(target=self._keep_running, args=(name, container, start), daemon=True).start()

    def _start(
        self, *, image: str, instance_type: str, model_folder: Path, environment: Mapping[str, str], log: Path
    ) -> Container:
        """Start the image as it was pushed, or what it would be built from."""
        pushed = pushed_image(image)
        if self.engine is None or pushed is None:
            source, dockerfile = image_source(self.assembly, image)
            return Container.start(
                entry_point(dockerfile, self.python),
                folder=source,
                model_folder=model_folder,
                environment={**environment, "MODEL_DIR": str(model_folder)},
                log=log,
            )
        arguments = run_arguments(
            self.engine.name,
            pushed.reference,
            workspace=self.workspace,
            model_folder=model_folder,
            memory_mb=memory_mb(instance_type),
            environment={*environment, *ADDRESS},
        )
        command = [str(self.engine), *arguments, "serve"]
        return Container.start(command, model_folder=model_folder, environment=environment, log=log)

    def _keep_running(self, name: str, container: Container, start: Callable[[], Container]) -> None:
        """Restart a container whenever it ends unexpectedly, as SageMaker does, until a start succeeds."""
        while True:
            container.process.wait()
            if not self._is_of(name, container):
                return  # it was deleted, or replaced by an update
            print(f"The container of {name} ended with code {container.process.returncode}; starting it again.")
            try:
                successor = start()
            except Exception as failure:  # of whatever the start needs: a permission, the model, the container itself
                print(f"The container of {name} could not be started: {failure}")
                time.sleep(RESTART_SECONDS)
                continue
            container.stop()
            with self.changing:
                if current := self._is_of(name, container):
                    self.endpoints[name] = (self.endpoints[name][0], successor)
            if not current:
                successor.stop()
                return
            container = successor

    def _is_of(self, name: str, container: Container) -> bool:
        """Whether the endpoint still has this container."""
        return name in self.endpoints and self.endpoints[name][1] is container

    def invoke(self, name: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Answer InvokeEndpoint: status, headers and body.

        A container that responds with an error, or ends before it responds, gives a ModelError.
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
        """
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            message = f"Endpoint {name} of account {get_account_id()} not found."
            return error(400, "ValidationError", {"message": message})
        variant, container = endpoint
        if container.process.poll() is not None and self._is_of(name, container):  # it is being started again
            message = "A transient exception occurred while retrieving variant instances. Please try again later."
            return error(503, "ServiceUnavailable", {"Message": message})
        try:
            content_type, answer = container.invoke(body, headers)
        except InvocationError as failure:
            if failure.status == 0 and not self._is_of(name, container):  # an update stopped it in the meantime
                return self.invoke(name, body, headers)
            group = f"/aws/sagemaker/Endpoints/{name}"
            blame = "client" if 400 <= failure.status < 500 else "server"
            quoted = f'Received {blame} error ({failure.status}) from primary with message "{failure.message}".'
            return error(
                424,
                "ModelError",
                {
                    "Message": f"{quoted} See {group} in account {get_account_id()} for more information.",
                    "OriginalStatusCode": failure.status,
                    "OriginalMessage": failure.message,
                    "LogStreamArn": f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}",
                },
            )
        return 200, {"Content-Type": content_type, "x-Amzn-Invoked-Production-Variant": variant}, answer


def check_manifest(image: str) -> None:
    """Refuse an image that SageMaker would refuse; where nothing was pushed, there is nothing to refuse.

    Raises:
        ValueError: its manifest has another media type than Docker's.
    """
    pushed = pushed_image(image)
    if pushed and pushed.media_type != MANIFEST:
        raise ValueError(
            f"Unsupported manifest media type {pushed.media_type} for image {image}. "
            "Ensure that valid manifest media type is used for specified image."
        )


def name_by_content(logical_id: str, properties: Properties, stack: str) -> str:
    """A name that changes with the properties: models and endpoint configurations are replaced, never updated."""
    digest = hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:8]
    return f"{physical_name(stack, logical_id, max_len=54)}-{digest}"


def arn_of(kind: str, name: str) -> str:
    """The ARN of a SageMaker resource, which is its Ref in a template."""
    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:{kind}/{name.lower()}"


def named(arn: str, resources: Iterable[str]) -> str:
    """Which of these names has an ARN, where it is in lower case."""
    [name] = [name for name in resources if name.lower() == arn.rpartition("/")[2]]
    return name


def created(kind: str, name: str, resource_type: str) -> Created:
    """The physical id and the attributes of a resource."""
    arn = arn_of(kind, name)
    return arn, {f"{resource_type}Name": name, f"{resource_type}Arn": arn}


def check_pull(role: str, image: str) -> None:
    """Check whether a role may pull an image of this account.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html

    Raises:
        DeniedError: it may not.
    """
    repository = image.partition("/")[2].rpartition(":")[0]
    check_role(role, ["ecr:GetAuthorizationToken"], "*")
    arn = f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{repository}"
    check_role(role, ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"], arn)


def download_model(uri: str, credentials: Mapping[str, str]) -> Path:
    """The model file of a ModelDataSource in its own folder, as SageMaker mounts it in /opt/ml/model."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3 = aws_client("s3", credentials)
    s3.list_objects_v2(Bucket=bucket, Prefix=key)  # SageMaker asks for this permission with that of reading
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    s3.download_file(bucket, key, str(folder / Path(key).name))
    return folder


def error(status: int, kind: str, content: dict[str, str | int]) -> tuple[int, dict[str, str], bytes]:
    """An AWS service's error response."""
    return status, {"Content-Type": "application/json", "x-amzn-ErrorType": kind}, json.dumps(content).encode()
