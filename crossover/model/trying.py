"""Predicts files on this machine with the code and the packages that a function has."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from crossover.bundling import inference_bundle
from crossover.bundling.cache import build_bundle
from crossover.bundling.find_python import find_python
from crossover.bundling.recipe import BundlingError
from crossover.errors import CrossoverError, UsageError, reason_of
from crossover.inputs import input_files
from crossover.model.contract import ModelArtifactError, load_model
from crossover.prediction_text import prediction_text
from crossover.terminal import print_table, printable

LAMBDA_PYTHON = "3.12"
PROBE = Path(__file__).with_name("probe_files.py")


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What files are predicted with.

    Attributes:
        command: that starts Python.
        code: the folder of the handlers and their packages.
    """

    command: tuple[str, ...]
    code: Path


def try_files(model: Path, files: Sequence[Path], *, output: Path | None) -> Iterator[dict[str, Any]]:
    """Predict files, one after the other.

    Args:
        files: or folders, of which those with a suffix of the model's kind count.
        output: folder for results that do not fit an item; None drops them.

    Yields:
        For each file `file`, `status`, `load_ms`, and either `values`, `timings_ms` and `result`, or `error_code` and
        `error_message`, as the item would have them.

    Raises:
        UsageError: the model cannot be deployed, or a file cannot be read.
        CrossoverError: the packages cannot be installed, or the model ended the process.
    """
    try:
        kind = load_model(model).contract.input
    except ModelArtifactError as error:
        raise UsageError(str(error)) from None
    paths = input_files(files, kind.kind)
    if output:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"The folder {output} cannot be made: {reason_of(error)}.") from None
    runtime = find_runtime(kind.kind)
    arguments = [str(PROBE), str(runtime.code), str(model), str(output or ""), *map(str, paths)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with subprocess.Popen(
        [*runtime.command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout and process.stderr
        for line in process.stdout:
            yield json.loads(line)
        errors = process.stderr.read()
    if process.returncode < 0:
        raise CrossoverError(f"The model ended the process that ran it, with signal {-process.returncode}.")
    if process.returncode:
        last = errors.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        raise CrossoverError(f"A prediction failed, as it would in the function, and again at each retry: {last[0]}")


def print_outcomes(outcomes: Sequence[Mapping[str, Any]], *, kept: bool) -> None:
    """A table: file, what was found, status, ms of decoding and of the model; and what loading took.

    Args:
        kept: whether results that do not fit an item were stored.
    """
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    table.add_column("file", overflow="fold", max_width=30)
    table.add_column("prediction", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("decode ms", justify="right")
    table.add_column("model ms", justify="right")
    for outcome in outcomes:
        file = Text(printable(Path(outcome["file"]).name))
        if outcome["status"] == "FAILED":
            answer = f"{outcome['error_code']}: {outcome['error_message']}"
            table.add_row(file, Text(printable(answer)), Text("FAILED", style="yellow"), "", "")
        else:
            stored = {"result_uri": outcome["result"]} if outcome["result"] else {}
            answer = prediction_text({**outcome["values"], **stored})
            timings = [f"{outcome['timings_ms'][name]:,.1f}" for name in ("decode", "inference")]
            table.add_row(file, Text(printable(answer)), Text("SUCCEEDED", style="green"), *timings)
    print_table(table)
    if not kept and any(outcome.get("result") for outcome in outcomes):
        print("Results that do not fit an item were not kept: --output FOLDER keeps them.")
    if outcomes:
        print(f"Loading took {outcomes[0]['load_ms']:,.0f} ms; the first file also takes what runs only once.")


def find_runtime(input_kind: str) -> Runtime:
    """The functions' own bundle for this machine, and an interpreter without any other packages.

    Raises:
        CrossoverError: the packages cannot be installed.
    """
    python, version = find_python(LAMBDA_PYTHON), LAMBDA_PYTHON
    if python is None:
        python, version = Path(sys.executable), f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        code = build_bundle(inference_bundle(input_kind), python_version=version, for_host=True)
    except BundlingError as error:
        raise CrossoverError(str(error)) from None
    return Runtime(command=(str(python), "-I", "-S"), code=code)
