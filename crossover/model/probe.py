"""Loads a model and runs it on awkward inputs, in a process of its own: `python -m crossover.model.probe MODEL`.

So its memory is the model's and the runtime's, and a model that ends its process ends only this one.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from crossover.handler_sources import inference
from crossover.model.awkward_files import awkward_files
from crossover.model.contract import ModelArtifactError, load_model

RUNS = 5
RUN_SECONDS = 1.0
"""Repeating an input ends after so many runs, or so long."""

LONGEST_SECONDS = 60.0
"""A file that would probably take longer is not run."""


def measure(path: Path) -> dict[str, Any]:
    """What `check.Measured` holds.

    Raises:
        ModelArtifactError: the model cannot be loaded.
    """
    started = time.perf_counter()
    import onnxruntime  # noqa: F401

    imported = time.perf_counter()
    model = load_model(path)
    loaded = time.perf_counter()
    contract = model.contract
    decodes = all(find_spec(name) for name in contract.input.packages)
    loaded_mb = peak_mb()
    runs = [
        {**_run(trial.what, trial.usual, partial(getattr, trial, "decoded"), model), "decode_ms": None}
        for trial in contract.input.trials()
    ]
    usual_mb = peak_mb()
    slowest_ms = max((run["ms"] for run in runs if run["ms"]), default=0.0)
    files = list(_files(model, slowest_ms)) if decodes else []
    return {
        "name": contract.name,
        "version": contract.version,
        "license": contract.license,
        "input_kind": contract.input.kind,
        "output_kind": contract.output.kind,
        "size_bytes": path.stat().st_size,
        "sha256": model.sha256,
        "threads": inference("environment").available_cpus(),
        "import_ms": round((imported - started) * 1000, 1),
        "load_ms": round((loaded - imported) * 1000, 1),
        "loaded_mb": loaded_mb,
        "usual_mb": usual_mb,
        "peak_mb": peak_mb(),
        "decoded": decodes,
        "runs": runs + files,
    }


def _files(model: Any, usual_ms: float) -> Iterator[dict[str, Any]]:
    limits = model.contract.input.limits()
    model.contract.input.prepare()

    for file in awkward_files(model.contract.input, limits):
        if usual_ms * file.times > LONGEST_SECONDS * 1000:
            seconds = usual_ms * file.times / 1000
            note = f"not run: it would take about {seconds:,.0f} s"
            yield _found(file.what, file.usual, note=note)
            continue
        decode = partial(model.contract.input.decode, file.content(), limits)
        yield _run(file.what, file.usual, decode, model, runs=1)


def _run(what: str, usual: bool, decode: Callable[[], Any], model: Any, runs: int = RUNS) -> dict[str, Any]:
    """Predict for an input, a few times; the first time is no part of the median where there are more."""
    durations: list[float] = []
    decode_ms = None
    began = time.perf_counter()
    fault = ""
    try:
        decoded = decode()
        decode_ms = round((time.perf_counter() - began) * 1000, 2)
        while len(durations) < runs and (not durations or time.perf_counter() - began < RUN_SECONDS):
            started = time.perf_counter()
            model.predict(decoded)
            durations.append((time.perf_counter() - started) * 1000)
    except inference("input_error").InputError as error:
        fault = error.message
    except Exception as error:  # a handler would retry it, and end with a dead letter
        fault, usual = f"{type(error).__name__}: {' '.join(str(error).split())}", True
    later = durations[1:] or durations
    ms = round(median(later), 2) if later else None
    return _found(what, usual, ms=ms, decode_ms=decode_ms, fault=fault)


def _found(
    what: str, usual: bool, *, ms: float | None = None, decode_ms: float | None = None, fault: str = "", note: str = ""
) -> dict[str, Any]:
    return {"what": what, "usual": usual, "ms": ms, "decode_ms": decode_ms, "fault": fault, "note": note}


def peak_mb() -> float:
    """The largest resident set of this process so far, MB of 1,048,576 bytes, as Lambda counts."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage starts at the size of the process that spawned this one
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
        return round(int(kilobytes) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 1)  # macOS counts bytes


if __name__ == "__main__":
    try:
        print(json.dumps(measure(Path(sys.argv[1]))))
    except ModelArtifactError as error:
        print(json.dumps({"error": str(error), "faults": error.faults}))
