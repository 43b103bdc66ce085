"""Functions from a container image: the image that was pushed runs in the container engine, under the Runtime API.

Where none was pushed, awslambdaric runs what the image would hold as a process.
"""

import contextvars
import io
import json
import shlex
import subprocess
import sys
import tempfile
import threading
import uuid
import zipfile
from functools import cache, partial
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from crossover.bundling.image_context import MODEL, TASK_ROOT
from crossover.local.container_engine import function_arguments
from crossover.local.emulator.functions import PythonEnvironment, is_snapshot, peak_memory_mb
from crossover.local.emulator.ministack_internals import Properties, on_change
from crossover.local.emulator.registry import image_source, pushed_image

# Several manifests in one, such as those of an image with attestations.
# https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
NO_ZIP = b"an image"  # what ministack asks for of a function that can run
# The container's first process does not get the signals that it does not handle, so the engine kills it; its client,
# where it has not started the container yet.
CONTAINER = """#!/bin/sh
{run} &
trap 'kill $!; {engine} kill "$(cat {id})"' TERM
wait $!
code=$?
wait $!
rm -f {id}
exit $code
"""
PROCESS = """#!/bin/sh
PYTHONPATH={packages} exec {python} -m awslambdaric {handler}
"""


def is_image(config: Properties) -> bool:
    """Whether a function's configuration names a container image."""
    return bool(config.get("PackageType") == "Image")


class ImageFunctions:
    """Makes the execution environments of image functions.

    Args:
        workspace: whose containers they are.
        engine: the script that calls the container engine; None where processes take its place.
        assembly: the cloud assembly, where an image's tag names the folder it would be built from.
        python: an interpreter, whose environment has the packages of the images.
    """

    def __init__(self, *, workspace: Path, engine: Path | None, assembly: Path, python: str) -> None:
        self.workspace = workspace
        self.engine = engine
        self.assembly = assembly
        [self.packages] = (Path(python).parents[1] / "lib").glob("python3*/site-packages")
        self.files = cache(self._files)

    def install(self) -> None:
        """Run image functions, in which ministack leaves everything to Docker."""
        on_change("AWS::Lambda::Function", before=lambda _, function: self.check(function["Code"].get("ImageUri")))
        execute, worker_class = lambda_svc._execute_function_docker, lambda_runtime._worker_class_for
        publish, environment_of = lambda_svc._snapstart_provision_version_async, lambda_svc._provided_worker_env

        def execute_image(function: Properties, event: Any, request_id: str) -> Any:
            if not is_image(function.get("config") or function):
                return execute(function, event, request_id)
            function = {**function, "code_zip": NO_ZIP}
            # Whose logs have the lines START, END and REPORT already.
            return {**lambda_svc._execute_function_provided_warm(function, event, request_id), "log_source": "rie"}

        def publish_image(name: str, version: Properties) -> None:
            if not is_image(version["config"]):
                publish(name, version)
                return
            snapshot = partial(contextvars.copy_context().run, take_snapshot, version["config"])
            threading.Thread(target=snapshot, daemon=True).start()

        def image_environment(config: Properties, folder: str, port: int) -> dict[str, str]:
            values: dict[str, str] = environment_of(config, folder, port)
            if is_image(config):
                values["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start" if is_snapshot(config) else "on-demand"
                if self.container_of(config) is None and values.get("MODEL_S3_URI") == f"{TASK_ROOT}/{MODEL}":
                    values["MODEL_S3_URI"] = str(Path(folder, MODEL))  # on this machine there is no /var/task
            return values

        lambda_svc._execute_function_docker = execute_image
        lambda_svc._snapstart_provision_version_async = publish_image
        lambda_svc._provided_worker_env = image_environment
        lambda_runtime._worker_class_for = lambda config: (
            partial(ImageEnvironment, self) if is_image(config) else worker_class(config)
        )

    def check(self, image: str | None) -> None:
        """Refuse an image that Lambda would refuse.

        Raises:
            ValueError: there is no such image, or it is an index.
        """
        pushed = pushed_image(image) if image else None
        if pushed and pushed.media_type in INDEXES:
            raise ValueError(
                f"The image manifest, config or layer media type for the source image {image} is not supported."
            )
        if image and not pushed:
            self.files(image)  # kept, as a registry keeps an image when the next synthesis writes another one

    def container_of(self, config: Properties) -> str | None:
        """The reference of a function's image, if it runs in the engine."""
        pushed = pushed_image(config["ImageUri"]) if self.engine else None
        return pushed.reference if pushed else None

    def container_script(self, config: Properties, image: str, id_file: Path) -> str:
        """What takes the place of the bootstrap; it ends with the container, and the container with it.

        Args:
            image: its reference.
            id_file: gets the container's id.
        """
        assert self.engine
        variables = config.get("Environment", {}).get("Variables", {})
        own = lambda_svc._provided_worker_env(config, TASK_ROOT, 0)
        arguments = function_arguments(
            self.engine.name,
            image,
            workspace=self.workspace,
            memory_mb=config["MemorySize"],
            tmp_mb=config["EphemeralStorage"]["Size"],
            environment={*variables, *(name for name in own if name.startswith("AWS_"))},
        )
        run = [str(self.engine), arguments[0], "--cidfile", str(id_file), *arguments[1:], *command_of(config)]
        return CONTAINER.format(run=shlex.join(run), engine=shlex.quote(str(self.engine)), id=shlex.quote(str(id_file)))

    def process_package(self, config: Properties) -> bytes:
        """A zip of what the image would hold in /var/task but for the packages, and a bootstrap."""
        handler = (command_of(config) or [""])[0]
        script = PROCESS.format(
            packages=shlex.quote(str(self.packages)),
            python=shlex.quote(sys.executable),
            handler=shlex.quote(handler),
        )
        return zipped({**self.files(config["ImageUri"]), "bootstrap": script.encode()})

    def _files(self, image: str) -> dict[str, bytes]:
        folder, _ = image_source(self.assembly, image)
        code = folder / "lambda_src"
        paths = {path.relative_to(code): path for path in code.rglob("*")} | {Path(MODEL): folder / MODEL}
        return {str(name): path.read_bytes() for name, path in paths.items() if path.is_file()}


class ImageEnvironment(PythonEnvironment):
    """An execution environment that is a container, or a process in its place."""

    def __init__(self, images: ImageFunctions, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._images = images
        self._id_file: Path | None = None  # of a container

    def _spawn(self, init_timeout: float | None = None) -> None:
        image = self._images.container_of(self.config)
        if image:
            self._id_file = Path(tempfile.gettempdir(), f"container-{uuid.uuid4().hex}")
            script = self._images.container_script(self.config, image, self._id_file)
            self.code_zip = zipped({"bootstrap": script.encode()})
        else:
            self.code_zip = self._images.process_package(self.config)
        super()._spawn(init_timeout)

    def _peak_memory_mb(self) -> int:
        if self._id_file is None:
            return super()._peak_memory_mb()
        try:
            command = [str(self._images.engine), "inspect", self._id_file.read_text().strip()]
            answer = subprocess.run(command, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):  # it has ended
            return 0
        return peak_memory_mb(json.loads(answer.stdout)[0]["State"]["Pid"])


def take_snapshot(config: Properties) -> None:
    """Run INIT of a version, as publishing does with SnapStart, and set the version's state."""
    environment, _ = lambda_runtime.acquire_worker(config["FunctionName"], config, NO_ZIP, qualifier=config["Version"])
    try:
        lambda_runtime.ensure_spawned(environment)
    except Exception as error:  # of whatever INIT does
        config |= {"State": "Failed", "StateReason": str(error), "StateReasonCode": "FunctionError"}
    else:
        config |= {"State": "Active", "StateReason": "", "StateReasonCode": "", "LastUpdateStatus": "Successful"}
    finally:
        lambda_runtime.release_worker(environment)


def command_of(config: Properties) -> list[str]:
    """A function's own command, which takes the place of its image's."""
    command: list[str] = config.get("ImageConfigResponse", {}).get("ImageConfig", {}).get("Command") or []
    return command


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip of files by their paths."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, content in sorted(files.items()):
            writer.writestr(name, content)
    return archive.getvalue()
