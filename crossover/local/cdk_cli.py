"""The real CDK command line against the emulator, and the app that it deploys."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence

from crossover import project
from crossover.errors import CrossoverError
from crossover.local.account import ACCOUNT, REGION
from crossover.local.commands import Command, Commands
from crossover.local.container_engine import engine_script
from crossover.local.python_environments import LAMBDA_PYTHON
from crossover.local.workspace import Workspace, check_python_packages, node, node_modules, search_path
from crossover.paths import project as project_folder

SYNTH_SECONDS = 900  # the first one downloads the bundles' wheels
BOOTSTRAP_SECONDS = 180
DEPLOY_SECONDS = 600


class Cdk:
    """Starts the CDK's commands; each method returns at once, and the caller waits for the command.

    Args:
        workspace: gets the assembly and the logs.
        commands: starts them, and stops those that still run at the end.

    Raises:
        CrossoverError: there is no project, or the CDK is not installed.
    """

    def __init__(self, workspace: Workspace, commands: Commands) -> None:
        check_python_packages()
        self.workspace = workspace
        self.commands = commands
        self._command_line = [node(), str(node_modules() / "aws-cdk" / "bin" / "cdk")]

    def synthesize(self, context: Mapping[str, str], *, engine: str = "") -> Command:
        """Run the CDK app, as the command line would with `-c` for each item of `context`.

        A function for arm64 keeps that in its template, but its code is that for this machine.

        Args:
            engine: name of the container engine that will build the image.

        Without the command line this needs neither credentials nor the emulator, so it runs in parallel to everything
        else.
        """
        settings = {**project.context(), **context}
        if settings.get("architecture") == "arm64":
            settings.setdefault("local_python", LAMBDA_PYTHON)
        return self.commands.start(
            "cdk synth",
            project.app_command(),
            environment={
                **_without_aws_settings(),
                "PATH": search_path(),
                "CDK_HOME": str(self.workspace.home),
                "CDK_OUTDIR": str(self.workspace.assembly),
                "CDK_VALIDATION": "false",  # AWS's rules for templates take 4 of 10 seconds, and are for AWS
                "CDK_CONTEXT_JSON": json.dumps(settings),
                **({"CDK_DOCKER": engine} if engine else {}),
            },
            folder=project_folder(),
            seconds=SYNTH_SECONDS,
        )

    def bootstrap(self) -> Command:
        """Create the bucket and the roles that every CDK deployment needs."""
        return self._start("cdk bootstrap", ["bootstrap", f"aws://{ACCOUNT}/{REGION}"], seconds=BOOTSTRAP_SECONDS)

    def deploy(self, *, engine: str = "") -> Command:
        """Deploy every stack of the assembly.

        Args:
            engine: name of the container engine that builds the image, for which the workspace has a script.
        """
        options = ["--all", "--concurrency", "3", "--require-approval", "never", "--progress", "events"]
        docker = str(engine_script(self.workspace, engine)) if engine else _docker_substitute()
        return self._start("cdk deploy", ["deploy", *options, *self._app()], seconds=DEPLOY_SECONDS, docker=docker)

    def destroy(self) -> Command:
        """Destroy every stack of the assembly."""
        options = ["--all", "--concurrency", "3", "--force"]
        return self._start("cdk destroy", ["destroy", *options, *self._app()], seconds=DEPLOY_SECONDS)

    def _app(self) -> list[str]:
        return ["--app", str(self.workspace.assembly)]

    def _start(self, name: str, arguments: Sequence[str], *, seconds: float, docker: str | None = None) -> Command:
        environment = {
            **os.environ,
            "PATH": search_path(),
            "CDK_HOME": str(self.workspace.home),
            "CDK_DOCKER": docker or _docker_substitute(),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "NO_COLOR": "1",
        }
        return self.commands.start(
            name,
            [*self._command_line, *arguments, "--no-notices", "--ci"],
            environment=environment,
            folder=self.workspace.home,  # no cdk.json here: the app is the assembly, which is there already
            seconds=seconds,
        )


def _without_aws_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}


def _docker_substitute() -> str:
    """A command that always succeeds: images are neither built nor pushed, processes take their place."""
    found = shutil.which("true")
    if found is None:
        raise CrossoverError("There is no `true` command, which replaces Docker; every Unix has one on its PATH.")
    return found
