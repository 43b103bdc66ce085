"""A SageMaker container on this machine: its image in a container engine, or as a process the server command of its
Dockerfile. The image keeps the layout of the folder it is built from, so its entry point starts there as well.
"""

import http.client
import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from crossover.local.commands import last_lines
from crossover.local.ports import HOST, free_port

# SageMaker waits longer for a container to become healthy; what takes longer than this on a local machine is broken.
START_SECONDS = 60
# https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
INVOCATION_SECONDS = 60
# Where SageMaker tells the server to listen, and here on this machine only.
ADDRESS = ("BIND_HOST", "SAGEMAKER_BIND_TO_PORT")
# What SageMaker passes on to the container. https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
FORWARDED = {"content-type", "accept", "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-inference-id"}


class ContainerError(RuntimeError):
    """The container did not become healthy; the sentence ends with its last lines of output."""


class InvocationError(RuntimeError):
    """The container answered with an error, or not at all.

    Attributes:
        status: the container's HTTP status; 0 where there was no answer.
        message: the body of its answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Container:
    """A running server.

    Attributes:
        process: the server, or the engine's client, which passes signals on and ends with it.
        port: where it listens on this machine.
        model_folder: used as /opt/ml/model; removed when the container stops.
    """

    process: subprocess.Popen[bytes]
    port: int
    model_folder: Path

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        model_folder: Path,
        environment: Mapping[str, str],
        log: Path,
        folder: Path | None = None,
    ) -> Self:
        """Start the server and wait until `/ping` answers 200.

        Args:
            command: starts it.
            model_folder: holds the model file.
            environment: all of the command's environment but the address to listen on.
            log: gets what the server prints.
            folder: where the command runs.

        Raises:
            ContainerError: the server ended, or did not become healthy in time.
        """
        port = free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment, **dict(zip(ADDRESS, (HOST, str(port)), strict=True))},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        container = cls(process=process, port=port, model_folder=model_folder)
        try:
            container._wait_until_healthy(log)
        except ContainerError:
            container.stop()
            raise
        return container

    def _wait_until_healthy(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_healthy():
            if self.process.poll() is not None:
                raise ContainerError(f"The container ended with code {self.process.returncode}: {_last_output(log)}")
            if time.monotonic() > deadline:
                raise ContainerError(
                    f"The container did not pass its health check in {START_SECONDS} s: {_last_output(log)}"
                )
            time.sleep(0.05)

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> tuple[str, bytes]:
        """Forward a request to `/invocations`; returns the answer's content type and body.

        Raises:
            InvocationError: the container answered with an error, or not within 60 s.
        """
        connection = http.client.HTTPConnection(HOST, self.port, timeout=INVOCATION_SECONDS)
        forwarded = {name: value for name, value in headers.items() if name.lower() in FORWARDED}
        try:
            connection.request("POST", "/invocations", body, forwarded)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise InvocationError(0, f"There was no answer from the container: {error}") from error
        finally:
            connection.close()
        if response.status >= 400:
            raise InvocationError(response.status, answer.decode(errors="replace"))
        return response.headers.get("Content-Type", "application/octet-stream"), answer

    def stop(self) -> None:
        """Stop the server as SageMaker does: SIGTERM, later SIGKILL."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.model_folder, ignore_errors=True)


def entry_point(dockerfile: Path, python: str) -> list[str]:
    """The command of a Dockerfile's last ENTRYPOINT, with SageMaker's argument `serve`; `python` replaces its python.

    Raises:
        ContainerError: there is no ENTRYPOINT in its JSON form.
    """
    commands = re.findall(r"^ENTRYPOINT\s+(\[.*\])\s*$", dockerfile.read_text(), flags=re.MULTILINE)
    if not commands:
        raise ContainerError(f'{dockerfile} has no line ENTRYPOINT ["...", ...], so the server cannot be started.')
    return [*(python if word == "python" else word for word in json.loads(commands[-1])), "serve"]


def _last_output(log: Path) -> str:
    """The end of a log in one line: it becomes the reason of a failed deployment."""
    return last_lines(log, 5).replace("\n", " | ") or "it printed nothing."
