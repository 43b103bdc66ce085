"""`crossover demo`: everything in one go, on a machine that has nothing but Python."""

from pathlib import Path

import typer
from rich.console import Console

from crossover.inputs import audio_files, variant_names
from crossover.local.environment import find_interpreter
from crossover.local.ports import free_port, is_free
from crossover.local.process import DEFAULT_PORT
from crossover.local.work import emulator_that_stays, known_variants, open_local_aws, python_sentence
from crossover.local.workspace import Workspace
from crossover.paths import sources

CLIPS = [
    sources() / "model/samples" / name
    for name in ("sense_and_sensibility_01_austen_64kb-0870.wav", "misc_crow.flac", "guit_em9.flac")
]


def run(*, variants: str, audio: Path | None, port: int | None, workspace: Workspace | None = None) -> None:
    """Start a local AWS, deploy the variants, upload the audio, print the predictions, stop it again.

    An emulator that `crossover local up` started is used and left running.

    Raises:
        CrossoverError: something failed, or was asked for that does not exist.
        typer.Exit: an upload has no item.
    """
    workspace = workspace or Workspace()
    names = variant_names(variants, allowed=known_variants())
    files = audio_files([audio] if audio else CLIPS)
    console = Console(stderr=True)
    with open_local_aws(workspace, console) as aws:
        emulator = emulator_that_stays(workspace)
        if emulator is None:
            interpreter = find_interpreter()
            synth = aws.begin_synth(names, python=interpreter.version)
            emulator = aws.bring_up(interpreter, port=port or _demo_port())
            aws.bootstrap()
        else:
            console.print(f"The local AWS at {emulator.endpoint} is running already, and will go on running.")
            synth = aws.begin_synth(names, python=emulator.python)
            emulator.point_aws_at_it()
        aws.deploy(*synth)
        rows = aws.predict(names, files)
        seconds = aws.steps.seconds
    from crossover.predicting import print_table

    print_table(rows)
    console.print(
        f"{python_sentence(emulator.python)} The milliseconds, from upload to item, are this machine's: they are no "
        f"figures of AWS. All of it took {seconds:.0f} s.",
        highlight=False,
        soft_wrap=True,
    )
    if any(row.result is None for row in rows):
        raise typer.Exit(1)


def _demo_port() -> int:
    return DEFAULT_PORT if is_free(DEFAULT_PORT) else free_port()
