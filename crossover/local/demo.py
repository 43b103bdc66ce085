"""`crossover demo`: all steps in one command, on a machine that has only Python."""

from pathlib import Path

import typer
from rich.console import Console

from crossover.local.chosen_model import choose_model
from crossover.local.container_engine import Containers
from crossover.local.ports import free_port, is_free
from crossover.local.process import DEFAULT_PORT
from crossover.local.python_environments import find_interpreter
from crossover.local.work import describe_containers, describe_python, open_local_aws, persistent_emulator
from crossover.local.workspace import Workspace
from crossover.project import choose_variants


def run(
    *,
    variants: str,
    model: str,
    file: Path | None,
    port: int | None,
    containers: Containers = Containers.PROCESS,
    workspace: Workspace | None = None,
) -> None:
    """Start a local AWS, deploy the variants, upload files, print the predictions, stop it again.

    An emulator that `crossover local up` started is used and left running.

    Raises:
        CrossoverError: there is no project, something failed, or was asked for that does not exist.
        typer.Exit: a prediction did not succeed.
    """
    names = choose_variants(variants)
    chosen = choose_model(model)
    files = chosen.files(file)
    workspace = workspace or Workspace()
    console = Console(stderr=True)
    with open_local_aws(workspace, console) as aws:
        emulator = persistent_emulator(workspace)
        if emulator is None:
            interpreter = find_interpreter()
            aws.choose_containers(containers)
            synth = aws.begin_synth(names, python=interpreter.version, model=chosen)
            emulator = aws.start_emulator(interpreter, port=port or _demo_port())
            aws.bootstrap()
        else:
            console.print(f"The local AWS at {emulator.endpoint} is running already, and keeps running.")
            aws.use(emulator)
            synth = aws.begin_synth(names, python=emulator.python, model=chosen)
        aws.deploy(*synth)
        rows = aws.predict(names, files)
        seconds = aws.steps.seconds
    from crossover.predicting import print_table

    print_table(rows)
    ran_by = " ".join(filter(None, [describe_python(emulator.python), describe_containers(workspace)]))
    console.print(
        f"{ran_by} The milliseconds, from upload to item, are this machine's: they are no "
        f"figures of AWS. All of it took {seconds:.0f} s.",
        highlight=False,
        soft_wrap=True,
    )
    if not all(row.succeeded for row in rows):
        raise typer.Exit(1)


def _demo_port() -> int:
    return DEFAULT_PORT if is_free(DEFAULT_PORT) else free_port()
