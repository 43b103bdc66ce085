"""What the commands share: starting a local AWS, deploying to it, predicting on it."""

import contextlib
import json
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from crossover import interrupts, project
from crossover.errors import CrossoverError
from crossover.local import python_environments
from crossover.local.cdk_cli import Cdk
from crossover.local.chosen_model import ChosenModel
from crossover.local.commands import Command, Commands
from crossover.local.container_engine import Containers, Engine, find_engine
from crossover.local.process import Emulator
from crossover.local.python_environments import LAMBDA_PYTHON, Interpreter
from crossover.local.steps import Step, Steps
from crossover.local.workspace import Workspace

if TYPE_CHECKING:
    from crossover.predicting import Row

# Longest wait for an item. Two retries take three seconds here, and a first start a few.
PREDICTION_SECONDS = 90


# Settings that name what exists in an account of AWS, and not here. An app of the user's own may not know them.
OF_AN_ACCOUNT = (
    *("env", "input_bucket", "predictions_table", "encryption_key_arn", "decryption_key_arns", "asset_key_arn"),
    *("vpc_id", "subnet_ids", "alarm_topic_arn", "permissions_boundary"),
)


class LocalAws:
    """One command's work on the local AWS; `open_local_aws` makes it.

    Args:
        workspace: its files.
        commands: what it starts.
        steps: what it shows.
    """

    def __init__(self, workspace: Workspace, commands: Commands, steps: Steps) -> None:
        self.workspace = workspace
        self.commands = commands
        self.steps = steps
        self.cdk = Cdk(workspace, commands)
        self.started: Emulator | None = None  # stopped at the end
        self.used: Emulator | None = None  # one that keeps running at the end
        self.engine: Engine | None = None  # of the emulator that is started
        self.engine_name = ""  # that of the emulator, started or used

    def running(self) -> Emulator:
        """The emulator that `crossover local up` started; AWS clients use it from now on.

        Raises:
            CrossoverError: there is none.
        """
        emulator = Emulator.find(self.workspace)
        if emulator is None:
            raise CrossoverError("The local AWS is not running; `crossover local up` starts it.")
        self.use(emulator)
        return emulator

    def use(self, emulator: Emulator) -> None:
        """Point AWS clients at an emulator that keeps running at the end."""
        self.used = emulator
        self.engine_name = emulator.engine
        emulator.configure_aws_clients()

    def choose_containers(self, asked: Containers) -> None:
        """Choose what runs images, before anything is synthesized or started; processes unless called.

        Raises:
            CrossoverError: an engine was asked for by name and does not work.
        """
        self.engine, why = find_engine(asked)
        self.engine_name = self.engine.name if self.engine else ""
        self.workspace.containers_note.unlink(missing_ok=True)  # what builds an image writes it
        if self.engine is None:
            self.workspace.containers_note.write_text(f"Processes take the images' place: {why}.")

    def start_emulator(
        self, interpreter: Interpreter, *, port: int, settings: Mapping[str, str] | None = None
    ) -> Emulator:
        """Start an emulator that runs as long as this command; AWS clients use it from now on.

        Args:
            interpreter: runs the emulator, the functions and the containers.
            port: to listen on.
            settings: further environment variables of the emulator.

        Raises:
            CrossoverError: something could not be installed or started.
        """
        with self.steps.step("environment of the emulator"):
            environments = python_environments.create(interpreter, self.commands)
        with self.steps.step("emulator"):
            with interrupts.delayed():  # else a signal could arrive before it is known what to stop
                emulator = self.started = Emulator.start(
                    self.workspace, port=port, environments=environments, engine=self.engine, settings=settings
                )
            emulator.wait_until_ready(self.workspace)
        emulator.configure_aws_clients()
        return emulator

    def keep_running(self) -> None:
        """Leave the emulator running at the end."""
        if self.started:
            self.started.stay(self.workspace)
            self.used, self.started = self.started, None

    def bootstrap(self) -> None:
        """Run `cdk bootstrap`, once for each emulator."""
        with self.steps.step("cdk bootstrap") as step:
            self.cdk.bootstrap().wait(step.show)

    def begin_synth(
        self,
        variants: Sequence[str],
        *,
        python: str,
        model: ChosenModel | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> tuple[Command, Step]:
        """Begin to synthesize, for functions that run on this version of Python.

        Args:
            model: in place of the project's.
            settings: in place of those in cdk.json.
        """
        context = {"variants": ",".join(variants), **(model.context if model else {})}
        if python != LAMBDA_PYTHON:
            context["local_python"] = python
        context |= {name: "none" for name in OF_AN_ACCOUNT if name in project.context()}
        context |= settings or {}
        return self.cdk.synthesize(context, engine=self.engine_name), self.steps.step("cdk synth")

    def deploy(self, synth: Command, synth_step: Step) -> None:
        """Wait for the assembly and deploy it.

        Raises:
            CrossoverError: one of the two failed.
        """
        with synth_step as step:
            synth.wait(step.show)
        with self.steps.step("cdk deploy") as step:
            self.cdk.deploy(engine=self.engine_name).wait(step.show)
        self._remove_old_assets()

    def _remove_old_assets(self) -> None:
        """Delete the assets that no stack uses any more: a bundle is large, and every change of the code makes one."""
        manifests = [json.loads(path.read_text()) for path in self.workspace.assembly.glob("*.assets.json")]
        used = {name for manifest in manifests for kind in ("files", "dockerImages") for name in manifest[kind]}
        for path in [*self.workspace.assembly.glob("asset.*"), *self.workspace.assembly.glob(".cache/*")]:
            if not any(name in path.name for name in used):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def predict(self, variants: Sequence[str], files: Sequence[Path]) -> "list[Row]":
        """Upload every file to every variant and wait for the items.

        Raises:
            CrossoverError: a variant is not deployed, or a file cannot be read or is of another kind.
        """
        # Imported here, because boto3 takes half a second and the other steps need not wait for it.
        from crossover.aws import aws_errors, open_clients
        from crossover.deployed import find_variants
        from crossover.predicting import predict_all

        clients = open_clients()
        with self.steps.step("upload and predict") as step, aws_errors():
            prefix, deployed_by = project.stack_prefix(), "crossover local deploy"
            found = find_variants(clients, prefix=prefix, names=variants, deployed_by=deployed_by)
            return predict_all(clients, found, files, timeout_seconds=PREDICTION_SECONDS, announce=step.show)

    def stacks(self) -> dict[str, str]:
        """Name and status of every stack."""
        from crossover.aws import aws_errors, open_clients

        with aws_errors():
            pages = open_clients()("cloudformation").get_paginator("describe_stacks").paginate()
            return {stack["StackName"]: stack["StackStatus"] for page in pages for stack in page["Stacks"]}


@contextlib.contextmanager
def open_local_aws(workspace: Workspace, console: Console) -> Iterator[LocalAws]:
    """The local AWS for one command; what the command started is stopped at the end, unless it is to stay.

    Raises:
        CrossoverError: there is no project, or the CDK is not installed.
    """
    workspace.create()
    aws = None
    try:
        with Commands(workspace.logs) as commands, Steps(console) as steps:
            aws = LocalAws(workspace, commands, steps)
            yield aws
    except interrupts.InterruptedBySignalError as interrupted:
        if aws and aws.started:
            interrupted.stopped.append("the local AWS")
        if aws and aws.used:
            what = f"the local AWS at {aws.used.endpoint} with what is deployed there"
            interrupted.running.append(f"{what}, which `crossover local down` stops")
        raise
    finally:  # the commands have been stopped by now, so none of them needs the emulator any more
        if aws and aws.started:
            aws.started.stop(workspace)


def persistent_emulator(workspace: Workspace) -> Emulator | None:
    """The emulator that `crossover local up` started, or None.

    Raises:
        CrossoverError: it is that of a demo, and will be gone in a moment.
    """
    emulator = Emulator.find(workspace)
    if emulator is not None and not emulator.is_persistent:
        raise CrossoverError("A demo is running here; wait for its end, or stop it with `crossover local down`.")
    return emulator


def describe_containers(workspace: Workspace) -> str:
    """A sentence on whether images run in containers or as processes; empty where no stack has an image."""
    manifests = [json.loads(path.read_text()) for path in workspace.assembly.glob("*.assets.json")]
    note = workspace.containers_note
    return note.read_text() if note.exists() and any(manifest["dockerImages"] for manifest in manifests) else ""


def describe_python(version: str) -> str:
    """A sentence about the Python and the processor that the functions run on."""
    processor = platform.machine()
    if project.architecture() == "arm64" and processor != "aarch64":
        return f"The functions run on Python {version} and {processor}; on AWS they run on arm64."
    if version == LAMBDA_PYTHON:
        return f"The functions run on Python {version}, as on AWS."
    return f"The functions run on Python {version}, because no Python {LAMBDA_PYTHON} was found; AWS runs that version."
