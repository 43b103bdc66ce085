"""What the fuzz targets share: where their seeds go, and how they are started."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

FOUND = Path(__file__).parents[2] / ".crossover/fuzz"


def run(name: str, check: Callable[[bytes], None], seeds: Iterable[bytes], **setup: Callable[..., bytes]) -> None:
    """Fuzz with libFuzzer's arguments from the command line. Does not return.

    A folder among them collects the seeds and the inputs that reach further; by default one that later runs continue
    with. An input that breaks the target is stored next to it, or where -artifact_prefix says.
    """
    folders = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    folder = folders[0] if folders else FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number:04}").write_bytes(seed)
    arguments = [*sys.argv, *([] if folders else [str(folder)])]
    if not any(argument.startswith("-artifact_prefix=") for argument in arguments):
        arguments.append(f"-artifact_prefix={folder}-")
    atheris.Setup(arguments, check, **setup)
    atheris.Fuzz()
