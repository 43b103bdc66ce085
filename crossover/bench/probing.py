"""Runs a probe: a script in a fresh interpreter, with the deployed bundle and an environment like a function's."""

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Timer
from typing import Any
from urllib.parse import quote_plus

from crossover.bundling import PROXY
from crossover.bundling import inference_bundle as bundle_for
from crossover.bundling.cache import build_bundle
from crossover.bundling.find_python import find_python
from crossover.errors import CrossoverError, UsageError
from crossover.handler_sources import inference
from crossover.inputs import input_files
from crossover.model.contract import ModelArtifactError, check_model
from crossover.paths import sources
from crossover.published_models import MODELS

BUNDLE_PYTHON = "3.12"
MODEL = MODELS["audio"].path
SPEECH = sources() / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav"  # 7.1 s
PROBES = Path(__file__).parent / "probes"
PROBE_SECONDS = 300
NO_ENDPOINT = "http://127.0.0.1:9"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is measured: a model and one file for it.

    Attributes:
        kind: of input.
        model: its file.
        file: what it predicts.
    """

    kind: str
    model: Path
    file: Path

    @property
    def decoders(self) -> tuple[str, ...]:
        """The packages that decode, which only this kind of input imports."""
        packages: tuple[str, ...] = inference("inputs").KINDS[self.kind].packages
        return packages


SUBJECTS: Mapping[str, Subject] = {
    "audio": Subject(kind="audio", model=MODEL, file=SPEECH),
    "image": Subject(
        kind="image",
        model=MODELS["image"].path,
        file=sources() / "model/image/samples/coffee.jpg",  # 600 x 400
    ),
}
"""The models that the package brings, by their kind of input."""


def subject(model: str, file: Path | None) -> Subject:
    """The model of this name, or at this path, and the file or the one that it is usually measured with.

    Raises:
        UsageError: the model cannot be served, the file cannot be read, or none is named for a kind without one.
    """
    if model in SUBJECTS:
        found = SUBJECTS[model]
    else:
        try:
            kind = check_model(Path(model)).contract.input.kind
        except ModelArtifactError as error:
            raise UsageError(str(error)) from None
        if file is None and kind not in SUBJECTS:
            raise UsageError(f"There is no file here for a model that takes {kind}; --file must name one.")
        found = Subject(kind=kind, model=Path(model), file=file or SUBJECTS[kind].file)
    if file is None:
        return found
    [path] = input_files([file], found.kind) if not file.is_dir() else [file]
    if path.is_dir():
        raise UsageError(f"--file is {file}, a folder; it must be one file.")
    return replace(found, file=path)


def bundle_python() -> Path:
    """An interpreter of the version that Lambda runs.

    Raises:
        CrossoverError: this machine has none.
    """
    python = find_python(BUNDLE_PYTHON)
    if python is None:
        raise CrossoverError(f"The benchmark needs Python {BUNDLE_PYTHON}, the handlers' version; none was found here.")
    return python


def inference_bundle(kind: str = "audio") -> Path:
    """The Lambda variants' unpacked bundle, for a kind of input."""
    return build_bundle(bundle_for(kind), python_version=BUNDLE_PYTHON)


def proxy_bundle() -> Path:
    """The SageMaker proxy's unpacked bundle."""
    return build_bundle(PROXY, python_version=BUNDLE_PYTHON)


def probe(
    python: Path,
    script: Path,
    *arguments: object,
    endpoint: str = NO_ENDPOINT,
    settings: Mapping[str, str] | None = None,
    started_by: Callable[[list[str]], list[str]] = list,
) -> Any:
    """Run a script and return the JSON object on its last line, which the caller knows the type of.

    The interpreter starts without site-packages, so that it sees only the folders that the script is given.

    Args:
        endpoint: URL that answers all AWS requests; by default none does.
        settings: environment variables that replace or add to those of a function.
        started_by: wraps the command, for instance to enter a control group first.

    Raises:
        CrossoverError: the script failed, or did not end within 300 s.
    """
    try:
        answer = subprocess.run(
            started_by(_command(python, script, arguments)),
            env=_environment(endpoint, settings),
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise CrossoverError(f"The probe {script.name} did not end within {PROBE_SECONDS} s.") from None
    if answer.returncode:
        raise _failed(script, answer.stderr)
    return json.loads(answer.stdout.splitlines()[-1])


@contextmanager
def interactive_probe(
    python: Path,
    script: Path,
    *arguments: object,
    endpoint: str = NO_ENDPOINT,
    settings: Mapping[str, str] | None = None,
) -> Iterator[tuple[Any, Callable[[], Any]]]:
    """Start a script that prints one JSON object, and another for each line that it reads; otherwise like `probe`.

    Yields:
        The first object, and the function that asks for the next.

    Raises:
        CrossoverError: the script failed, or did not answer within 300 s; the function raises it too.
    """
    with TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            _command(python, script, arguments),
            env=_environment(endpoint, settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )

        late = Event()

        def end() -> None:
            late.set()
            process.kill()

        def answer() -> Any:
            assert process.stdout
            deadline = Timer(PROBE_SECONDS, end)
            deadline.start()
            line = process.stdout.readline()
            deadline.cancel()
            if line:
                return json.loads(line)
            process.wait()
            if late.is_set():
                raise CrossoverError(f"The probe {script.name} did not answer within {PROBE_SECONDS} s.")
            errors.seek(0)
            raise _failed(script, errors.read())

        def ask() -> Any:
            assert process.stdin
            with suppress(BrokenPipeError):  # it has ended: there is no answer
                process.stdin.write("\n")
                process.stdin.flush()
            return answer()

        try:
            yield answer(), ask
        finally:
            process.kill()
            process.communicate()


def _command(python: Path, script: Path, arguments: Iterable[object]) -> list[str]:
    return [str(python), "-I", "-S", str(script), *map(str, arguments)]


def _environment(endpoint: str, settings: Mapping[str, str] | None) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PREDICTIONS_TABLE": "predictions",
        "PREDICTOR": "standard",
        "METRICS_STACK": "Crossover-Standard",  # so that log lines hold their metrics, as deployed
        "MODEL_S3_URI": str(MODEL),
        "RESULTS_BUCKET": "results",
        "ENDPOINT_NAME": "endpoint",
        **(settings or {}),
    }


def _failed(script: Path, errors: str) -> CrossoverError:
    last = errors.strip().splitlines()[-1:] or ["it printed nothing"]
    return CrossoverError(f"The probe {script.name} failed: {last[0]}")


def s3_event(file: Path = SPEECH, size: int | None = None) -> str:
    """S3's event for an upload of this file, or of one with its name and another size in bytes, as JSON."""
    s3_object = {"key": quote_plus(file.name), "size": size or file.stat().st_size, "eTag": "0", "sequencer": "00"}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "s3": {"bucket": {"name": "uploads"}, "object": s3_object},
    }
    return json.dumps({"Records": [record]})
