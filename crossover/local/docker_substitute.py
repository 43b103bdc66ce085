"""What the CDK and the emulator call in place of `docker`: an engine, with its images pushed to the emulator.

Images that are pushed to ECR go to the emulator's own registry. podman, which is also used where no registry can be
reached, then builds on a base made here (`standin_base.py`). With --may-fail an image that cannot be built or run is
not pushed, and nothing fails: a process then takes its place. Either way the workspace gets a sentence about it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from crossover.errors import CrossoverError
from crossover.local import standin_base
from crossover.local.container_engine import LABEL, engine_command, engine_environment, run_arguments
from crossover.local.ports import HOST
from crossover.local.workspace import Workspace

# What the local AWS waits for the CDK's whole deployment is longer, so that a process can still take the image's place.
BUILD_SECONDS = 360
PULL_SECONDS = 120
RUN_SECONDS = 60
REMOVE_ATTEMPTS = 5


class Substitute:
    """One call.

    Args:
        engine: docker or podman.
        workspace: of the local AWS; its containers have a label with it.
        registry: the emulator's, HOST:PORT.
        may_fail: whether a failure is only noted.
    """

    def __init__(self, *, engine: str, workspace: Workspace, registry: str, may_fail: bool) -> None:
        self.engine = engine
        self.workspace = workspace
        self.registry = registry
        self.may_fail = may_fail
        self.command = engine_command(engine)
        self.environment = {**os.environ, **engine_environment(engine)}

    def call(self, arguments: Sequence[str]) -> int:
        """Do what Docker would with these arguments; returns the exit code.

        Raises:
            CrossoverError: the image could not be built, run or pushed.
        """
        match list(arguments):
            case ["login", *_]:
                sys.stdin.read()  # the password; the emulator's registry asks for none
                return 0
            case ["build", *options]:
                self._or_process(partial(self._build, options))
            case ["tag", image, _] if self.may_fail and not self._has(image):
                return 0
            case ["push", image] if self.may_fail and not self._has(image):
                return 0
            case ["push", image]:
                self._or_process(partial(self._push, image))
            case ["clean-up"]:
                self._clean_up()
            case _:
                os.execvpe(self.command[0], [*self.command, *arguments], self.environment)
        return 0

    def _or_process(self, work: Callable[[], None]) -> None:
        try:
            work()
        except CrossoverError as error:
            if not self.may_fail:
                raise
            print(error)
            self.workspace.containers_note.write_text(f"A process takes an image's place: {error}.")

    def _build(self, options: list[str]) -> None:
        if self.engine == "podman":
            base = base_of(Path(options[options.index("--file") + 1]))
            # Without the engine's own runtime and network: RUN needs neither.
            options = ["--isolation", "chroot", *self._base_options(base), *options]
        self._run(["build", *options], seconds=BUILD_SECONDS)

    def _base_options(self, base: str) -> list[str]:
        """Nothing if the Dockerfile's base is there or can be had, else what puts another one in its place."""
        if self._has(base):
            return []
        try:
            self._run(["pull", "--quiet", base], seconds=PULL_SECONDS)
        except CrossoverError as error:
            image = standin_base.find(base, self.command, self.environment)
            if image is None and self.may_fail:
                raise CrossoverError(f"its base cannot be pulled ({error})") from error
            image = image or standin_base.create(base, self.command, self.environment)
            return ["--build-context", f"{base}=container-image://{image}"]
        return []

    def _push(self, image: str) -> None:
        """Push an image of ECR's name to the emulator, once it is certain that it runs here and can read a model."""
        with tempfile.TemporaryDirectory() as model:
            Path(model, "probe").touch()
            arguments = run_arguments(
                self.engine,
                image,
                workspace=self.workspace.folder,
                model_folder=Path(model),
                memory_mb=1024,
                environment=[],
            )
            self._run([*arguments[:-1], "--entrypoint", "cat", image, "/opt/ml/model/probe"], seconds=RUN_SECONDS)
        target = f"{self.registry}/{image.partition('/')[2]}"
        self._run(["tag", image, target], seconds=RUN_SECONDS)
        quiet = ["--quiet", "--tls-verify=false"] if self.engine == "podman" else ["--quiet"]
        self._run(["push", *quiet, target], seconds=BUILD_SECONDS)
        self._run(["rmi", target], seconds=RUN_SECONDS)  # only the name, so that it is pulled when it is run
        if not self.workspace.containers_note.exists():  # else another image failed
            self.workspace.containers_note.write_text(f"Images run in containers, as {self.engine} built them.")

    def _clean_up(self) -> None:
        """Remove what still runs of this workspace, and the images that were pulled from its registry."""
        now = ["--time", "0"] if self.engine == "podman" else []
        for attempt in range(1, REMOVE_ATTEMPTS + 1):  # podman fails if a container ends by itself meanwhile
            try:
                while running := self._run(
                    ["ps", "--all", "--quiet", "--filter", f"label={LABEL}={self.workspace.folder}"],
                    seconds=RUN_SECONDS,
                ).split():
                    self._run(["rm", "--force", *now, *running], seconds=RUN_SECONDS)
                images = self._run(["images", "--format", "{{.Repository}}@{{.Digest}}"], seconds=RUN_SECONDS).split()
                if pulled := [image for image in images if image.startswith(f"{self.registry}/")]:
                    self._run(["rmi", *pulled], seconds=RUN_SECONDS)
                return
            except CrossoverError:
                if attempt == REMOVE_ATTEMPTS:
                    raise

    def _has(self, image: str) -> bool:
        command = [*self.command, "image", "inspect", image]
        return subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode == 0

    def _run(self, arguments: Sequence[str], *, seconds: float) -> str:
        """Run the engine; returns what it printed, which is printed too if it fails, for the CDK's log.

        Raises:
            CrossoverError: it failed or took too long; the message ends with the reason that it printed.
        """
        what = f"{self.engine} {arguments[0]}"
        try:
            answer = subprocess.run(
                [*self.command, *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CrossoverError(f"{what} did not end within {seconds:g} s") from error
        if answer.returncode != 0:
            print(answer.stdout)
            lines = answer.stdout.strip().splitlines() or ["it printed nothing"]
            reason = next(
                (line for line in reversed(lines) if re.search("error|unknown", line, re.IGNORECASE)), lines[-1]
            )
            raise CrossoverError(f"{what} failed: {reason}")
        printed: str = answer.stdout
        return printed


def base_of(dockerfile: Path) -> str:
    """The image that a Dockerfile begins with; further stages are built on it."""
    bases: list[str] = re.findall(r"^FROM\s+(\S+)", dockerfile.read_text(), flags=re.MULTILINE)
    return bases[0]


def main() -> int:
    """Called by the script in the workspace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", required=True, choices=("docker", "podman"))
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="of the emulator")
    parser.add_argument("--may-fail", action="store_true")
    parser.add_argument("arguments", nargs="*", help="docker's")
    options = parser.parse_args()
    substitute = Substitute(
        engine=options.engine,
        workspace=Workspace(options.workspace),
        registry=f"{HOST}:{options.port}",
        may_fail=options.may_fail,
    )
    try:
        return substitute.call(options.arguments)
    except CrossoverError as error:
        print(f"{error}.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
