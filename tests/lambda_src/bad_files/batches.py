"""Decode bad files in processes of their own, which they may crash."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from inference.kinds import InputKind
from inference.limits import Limits

from ..conftest import ROOT
from .bad_file import BadFile

PROCESSES = 2


def decode_all(taker: InputKind, limits: Limits, files: Sequence[BadFile], folder: Path) -> dict[str, dict[str, Any]]:
    """The result of each file by its name: the `code` and `message` of its InputError, and the `bytes` of memory."""
    if sys.platform != "linux":
        pytest.skip("memory is read from Linux's /proc")
    contents = folder / "contents.pickle"  # generating them takes seconds
    contents.write_bytes(pickle.dumps((taker, limits, [file.data for file in files])))
    with ThreadPoolExecutor(PROCESSES) as pool:
        batches = pool.map(lambda first: _run_batch(files, contents, first), range(PROCESSES))
        by_number = {number: one for batch in batches for number, one in batch.items()}
    return {files[number].name: one for number, one in by_number.items()}


def _run_batch(files: Sequence[BadFile], contents: Path, first: int) -> dict[int, dict[str, Any]]:
    """The result of every `PROCESSES`-th file; after one that crashed the process, a new process continues."""
    results: dict[int, dict[str, Any]] = {}
    readable = next(number for number, file in enumerate(files) if file.code is None)
    command = [sys.executable, "-m", f"{__package__}.decode_batch", str(contents), str(readable)]
    while first < len(files):
        child = subprocess.run(
            [*command, str(first), str(PROCESSES)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "lambda_src")},
            capture_output=True,
            text=True,
        )
        noise = [line for line in child.stderr.splitlines() if "Traceback" in line or "Warning: " in line]
        assert [line for line in noise if "Xing" not in line] == []  # the MP3 decoder's own cannot be avoided
        lines = [json.loads(line) for line in child.stdout.splitlines()]
        results.update((begun["number"], ended) for begun, ended in zip(lines[::2], lines[1::2], strict=False))
        if child.returncode == 0:
            break
        assert lines, child.stderr  # it did not start
        culprit = lines[-1 if len(lines) % 2 else -2]["number"]
        results[culprit] = {"code": f"the process ended with {child.returncode}: {child.stderr[-500:]}", "bytes": 0}
        first = culprit + PROCESSES
    return results
