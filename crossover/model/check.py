"""Checks a model before it is deployed: its contract, how it runs on awkward inputs, and where it fits."""

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crossover.errors import UsageError
from crossover.model.contract import fault_of, warnings_of

PROBE_SECONDS = 900

MEMORY_MARGIN = 1.1
"""Of the memory that was measured: the next run may take some more."""

RUNTIME_MB = 64
"""What a function needs beside numpy, onnxruntime and the model, rounded up: botocore with its two clients took 33 MB
here, and Lambda's runtime client shares the memory."""

LAMBDA_MEMORY_MB = (128, 256, 512, 1024, 1769, 2048, 3008, 4096, 5120, 6144, 7168, 8192, 9216, 10240)
"""Sizes of a function, from the least to the most, with that of one vCPU and that of new accounts.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

ZIP_BYTES = 250 * 1024**2
"""Of a zip package with its layers, unzipped. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

BUNDLE_BYTES = {"audio": 195 * 10**6, "image": 105 * 10**6, "tensor": 85 * 10**6}
"""Of the handlers' own package by kind of input, unzipped, rounded up; audio's has FFmpeg. A test compares."""

FREE_TMP_MB, MAX_TMP_MB = 512, 10_240
"""Of a function's /tmp. https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html"""

IMAGE_BYTES = 10 * 1024**3
"""Of a container image, uncompressed. https://docs.aws.amazon.com/lambda/latest/dg/images-create.html"""

IMAGE_BASE_BYTES = 700 * 10**6
"""Of a Lambda base image for Python with the handlers' packages, rounded up."""

ENDPOINT_MB = 4096
"""Of an ml.t2.medium. https://aws.amazon.com/sagemaker/pricing/"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A prediction for one input.

    Attributes:
        what: it is.
        ms: the median duration without decoding; None where it failed.
        decode_ms: of decoding; None where it was no file.
        fault: why it failed; empty where it did not.
        note: why it was not made; empty where it was.
    """

    what: str
    ms: float | None
    decode_ms: float | None
    fault: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """Somewhere that a model can be deployed to.

    Attributes:
        fits: whether it can.
        detail: what it needs there, or what it exceeds.
    """

    name: str
    fits: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """What is known of a model.

    Attributes:
        path: of the file.
        faults: why it cannot be deployed; a list of clauses.
        warnings: files that it fails on, in sentences.
        facts: of the contract and the measurement; empty where it cannot be loaded.
        runs, places: empty where it cannot be loaded.
    """

    path: Path
    faults: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    places: tuple[Place, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "model": str(self.path),
            "faults": list(self.faults),
            "warnings": list(self.warnings),
            **self.facts,
            "runs": [vars(run) for run in self.runs],
            "fits": [vars(place) for place in self.places],
        }


def check(path: Path) -> Check:
    """Load and run the model in a process of its own, and compare what it needs with what the variants offer.

    Raises:
        ModuleNotFoundError: onnxruntime is not installed.
        UsageError: there is no such file.
    """
    if not path.is_file():
        problem = (
            f"The model {path} is a folder, but must be a file." if path.is_dir() else f"There is no model file {path}."
        )
        raise UsageError(problem)
    if find_spec("onnxruntime") is None:
        raise ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime")
    found = _probe(path)
    if "runs" not in found:
        return Check(path=path, faults=tuple(found["faults"] or [found["error"]]))
    failed = [run for run in found["runs"] if run["fault"]]
    usual = {run["what"]: run["fault"] for run in failed if run["usual"]}
    need_mb = math.ceil(found["peak_mb"] + RUNTIME_MB)
    runs = tuple(Run(**{each.name: run[each.name] for each in fields(Run)}) for run in found.pop("runs"))
    return Check(
        path=path,
        faults=(fault_of(usual),) if usual else (),
        warnings=warnings_of([(run["what"], run["fault"]) for run in failed if not run["usual"]]),
        facts={**found, "need_mb": need_mb, "lambda_mb": lambda_memory(need_mb)},
        runs=runs,
        places=places(found["size_bytes"], need_mb, BUNDLE_BYTES.get(found["input_kind"], max(BUNDLE_BYTES.values()))),
    )


def _probe(path: Path) -> dict[str, Any]:
    importable = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([importable, os.environ.get("PYTHONPATH", "")])}
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "crossover.model.probe", str(path)],
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return {"faults": [f"it did not finish within {PROBE_SECONDS} s"]}
    if answer.returncode == 0:
        found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
        return found
    if answer.returncode < 0:
        return {"faults": [f"it ended the process that ran it, with signal {-answer.returncode}"]}
    last = answer.stderr.strip().splitlines()[-1:] or [f"exit code {answer.returncode}"]
    return {"faults": [f"the process that ran it failed: {last[0]}"]}


def lambda_memory(need_mb: int) -> int | None:
    """The smallest memory size of LAMBDA_MEMORY_MB that is enough with MEMORY_MARGIN; None where none is."""
    return next((size for size in LAMBDA_MEMORY_MB if size >= need_mb * MEMORY_MARGIN), None)


def places(size_bytes: int, need_mb: int, bundle_bytes: int) -> tuple[Place, ...]:
    """Where a model fits.

    Args:
        size_bytes: of its file.
        need_mb: memory of a process that runs it.
        bundle_bytes: of the handlers' package for its kind, unzipped.
    """
    memory = lambda_memory(need_mb)
    of_memory = (
        f"{memory:,} MB of memory or more"
        if memory
        else f"about {need_mb:,} MB of memory and 10 % more, over than 10,240 MB"
    )
    file_mb = size_bytes / 1024**2
    tmp = f"{file_mb:,.0f} MB of /tmp, " + ("within the free 512 MB" if file_mb <= FREE_TMP_MB else "up to 10,240 MB")
    zipped = bundle_bytes + size_bytes
    return (
        Place(name="Lambda, model from S3 (standard, snapstart)", fits=bool(memory), detail=of_memory),
        Place(
            name="Lambda, model in the zip package",
            fits=bool(memory) and zipped <= ZIP_BYTES,
            detail=f"about {zipped / 1e6:,.0f} MB unzipped of {ZIP_BYTES / 1e6:,.0f} MB",
        ),
        Place(name="Lambda, model in /tmp", fits=bool(memory) and file_mb <= MAX_TMP_MB, detail=tmp),
        Place(name="Lambda, model on EFS", fits=bool(memory), detail="a file of any size, in a VPC, without SnapStart"),
        Place(
            name="Lambda, container image",
            fits=bool(memory) and IMAGE_BASE_BYTES + size_bytes <= IMAGE_BYTES,
            detail=f"about {(IMAGE_BASE_BYTES + size_bytes) / 1e9:,.1f} GB of 10.7 GB",
        ),
        Place(
            name="SageMaker, ml.t2.medium (sagemaker)",
            fits=need_mb * MEMORY_MARGIN <= ENDPOINT_MB,
            detail=f"about {need_mb:,} MB of its {ENDPOINT_MB:,} MB",
        ),
    )
