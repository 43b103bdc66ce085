"""The container engine of this machine that builds and runs the images: Docker or podman, if one works.

The CDK and the emulator call it by a script in the workspace, which runs `docker_substitute.py` with the user's
settings: the emulator itself has none of them.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from crossover.errors import CrossoverError
from crossover.local.ports import HOST
from crossover.local.workspace import Workspace
from crossover.paths import cache

# A half-working engine may hang; the fastest answer of a working one takes less than a second.
ANSWER_SECONDS = 5
# What an engine or the building of an image may need of the user's environment.
SETTINGS = ("HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PATH", "PIP_INDEX_URL", "SSL_CERT_FILE")
PREFIXES = ("BUILDAH_", "CONTAINER", "CROSSOVER_CACHE", "DOCKER_", "REGISTRY_", "XDG_")
LABEL = "crossover.workspace"
LAMBDA_USER = "993:990"  # any but root; the image has no user of this number, as on AWS
CONTAINERS_VARIABLE = "CROSSOVER_CONTAINERS"
CONTAINERS_HELP = "What runs images: an engine, processes in their place, or an engine only if that works."


class Containers(StrEnum):
    """What a user can ask for."""

    AUTO = "auto"
    PROCESS = "process"
    DOCKER = "docker"
    PODMAN = "podman"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that answers.

    Attributes:
        name: docker or podman.
        may_fail: whether a process takes the place of an image that the engine cannot build or run.
    """

    name: str
    may_fail: bool

    def write_script(self, workspace: Workspace, port: int) -> Path:
        """Write the script that takes the place of `docker` in a workspace whose emulator listens on a port.

        Its name is the engine's, because the constructs look at CDK_DOCKER.
        """
        settings = {name: value for name, value in os.environ.items() if _is_setting(name)}
        exports = [f"export {name}={shlex.quote(value)}" for name, value in sorted(settings.items())]
        module = [sys.executable, "-P", "-m", "crossover.local.docker_substitute"]
        options = [
            *("--engine", self.name),
            *("--workspace", str(workspace.folder)),
            *("--port", str(port)),
            *(["--may-fail"] if self.may_fail else []),
        ]
        command = f'exec {shlex.join([*module, *options])} -- "$@"'
        script = engine_script(workspace, self.name)
        script.parent.mkdir(exist_ok=True)
        script.unlink(missing_ok=True)
        # Nobody else's from the start: a proxy's URL may hold a password.
        with os.fdopen(os.open(script, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o700), "w") as file:
            file.write("\n".join(["#!/bin/sh", *exports, command, ""]))
        return script


def _is_setting(name: str) -> bool:
    return name.upper() in SETTINGS or name.startswith(PREFIXES)


def engine_script(workspace: Workspace, name: str) -> Path:
    """Where the script of an engine is."""
    return workspace.folder / "bin" / name


def find_engine(asked: Containers) -> tuple[Engine | None, str]:
    """The engine to use, or None for processes; and why, in a few words.

    Raises:
        CrossoverError: one was asked for by name and does not answer.
    """
    if asked is Containers.PROCESS:
        return None, "as was asked for"
    if asked is not Containers.AUTO:
        problem = _problem(asked.value)
        if problem:
            raise CrossoverError(f"The container engine {asked.value} does not work: {problem}.")
        return Engine(name=asked.value, may_fail=False), "as was asked for"
    for name in ("docker", "podman"):
        if not _problem(name):
            return Engine(name=name, may_fail=True), f"{name} works here"
    return None, "no container engine works here"


def _problem(name: str) -> str:
    """Why an engine is of no use here; empty if it answers. A client alone, without its engine, does not."""
    question = ["version", "--format", "{{.Server.Version}}"] if name == "docker" else ["info", "--format", "json"]
    try:
        answer = subprocess.run(
            [*engine_command(name), *question],
            env={**os.environ, **engine_environment(name)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return "it is not installed"
    except OSError as error:
        return str(error.strerror)
    except subprocess.TimeoutExpired:
        return f"it did not answer within {ANSWER_SECONDS} s"
    return "" if answer.returncode == 0 else (answer.stderr.strip().splitlines() or ["it failed"])[-1].rstrip(".")


def engine_command(name: str) -> list[str]:
    """An engine with its global options: podman keeps what is built here in the cache folder, apart from the user's."""
    if name == "docker":
        return ["docker"]
    storage = cache() / "containers"
    folder = Path("/run") if os.geteuid() == 0 else Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    # What podman must forget when the machine restarts; one for each storage.
    run = folder / f"crossover-{hashlib.sha256(bytes(storage)).hexdigest()[:16]}"
    # crun, podman's own choice, refuses some machines' control groups.
    runc = shutil.which("runc", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    runtime = ["--runtime", runc] if runc else []
    return ["podman", "--root", str(storage), "--runroot", str(run), "--tmpdir", str(run / "libpod"), *runtime]


def engine_environment(name: str) -> dict[str, str]:
    """The environment variables that an engine needs in addition to the user's."""
    if name == "docker":
        return {}
    # BUILDAH_FORMAT: docs/decisions/0015-image-manifests.md
    return {"BUILDAH_FORMAT": "docker", "CONTAINERS_CONF": str(Path(__file__).with_name("containers.conf"))}


def run_arguments(
    engine: str, image: str, *, workspace: Path, model_folder: Path, memory_mb: int | None, environment: Iterable[str]
) -> list[str]:
    """The arguments with which an engine runs the endpoint's image as narrowly as it can be.

    Args:
        engine: its name.
        image: a reference.
        workspace: by which the container is found again.
        model_folder: becomes /opt/ml/model, read-only; made readable for root without the rights of root.
        memory_mb: limit, MB.
        environment: names of variables to pass on; their values are in no command line.
    """
    if os.geteuid() != 0:
        model_folder.chmod(0o755)  # root of the container may then not be the folder's owner
    return [
        *_run_narrowly(engine, workspace, memory_mb, environment),
        *("--volume", f"{model_folder}:/opt/ml/model:ro"),
        # The server starts as root and becomes another user, which takes these two; root's other rights, such as
        # reading the files of others, it never needs. What it becomes has none.
        *("--cap-add", "SETUID", "--cap-add", "SETGID"),
        image,
    ]


def function_arguments(
    engine: str, image: str, *, workspace: Path, memory_mb: int, tmp_mb: int, environment: Iterable[str]
) -> list[str]:
    """The arguments with which an engine runs a function's image as Lambda does: without rights, with a writable /tmp.

    Args:
        tmp_mb: size of /tmp, MB; the others are those of `run_arguments`.
    """
    return [
        *_run_narrowly(engine, workspace, memory_mb, environment),
        *("--quiet", "--user", LAMBDA_USER, "--tmpfs", f"/tmp:rw,exec,mode=1777,size={tmp_mb}m"),
        image,
    ]


def _run_narrowly(engine: str, workspace: Path, memory_mb: int | None, environment: Iterable[str]) -> list[str]:
    return [
        *("run", "--rm", "--network", "host", "--label", f"{LABEL}={workspace}"),
        *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *(["--memory", f"{memory_mb}m"] if memory_mb else []),
        *(argument for name in sorted(environment) for argument in ("--env", name)),
        # Engines hand on a proxy, which the emulator must not be asked through.
        *("--env", f"NO_PROXY={HOST}", "--env", f"no_proxy={HOST}"),
        *(["--tls-verify=false"] if engine == "podman" else []),  # Docker trusts registries of this machine anyway
    ]
