"""Bad files: none crashes the process, hangs or exhausts its memory, and each has its error code."""

import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ..conftest import CONTEXT, ROOT, load_handler
from ..events import event
from . import corpus
from .bad_file import CODES

pytestmark = pytest.mark.slow  # making them takes seconds

MAX_ADDED_BYTES = 64 * 1024**2  # of resident memory while one file is decoded
PROCESSES = 2


def run_batch(files: Path, first: int) -> dict[int, dict[str, Any]]:
    """The result of every `PROCESSES`-th file; after one that crashed the process, a new process continues."""
    results: dict[int, dict[str, Any]] = {}
    readable = next(number for number, file in enumerate(corpus.files()) if file.code is None)
    command = [sys.executable, "-m", f"{__package__}.decode_batch", str(files), str(readable)]
    while first < len(corpus.files()):
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


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    if sys.platform != "linux":
        pytest.skip("memory is read from Linux's /proc")
    contents = tmp_path_factory.mktemp("bad_files") / "contents.pickle"  # generating them takes seconds
    contents.write_bytes(pickle.dumps([file.data for file in corpus.files()]))
    with ThreadPoolExecutor(PROCESSES) as pool:
        batches = pool.map(lambda first: run_batch(contents, first), range(PROCESSES))
        by_number = {number: one for batch in batches for number, one in batch.items()}
    return {corpus.files()[number].name: one for number, one in by_number.items()}


def test_there_are_1124_and_all_differ() -> None:
    assert len(corpus.files()) == 1124
    for distinct in ({file.data for file in corpus.files()}, {file.name for file in corpus.files()}):
        assert len(distinct) == len(corpus.files())


def test_each_has_a_known_code_or_a_reason_why_it_is_readable() -> None:
    assert {file.code for file in corpus.files() if file.code} == CODES
    assert all((file.code is None) == bool(file.why) for file in corpus.files())


def test_none_crashes_the_process_or_hangs_and_each_gives_its_code(results: dict[str, dict[str, Any]]) -> None:
    assert {name: one["code"] for name, one in results.items()} == {file.name: file.code for file in corpus.files()}


def test_each_refusal_is_a_sentence(results: dict[str, dict[str, Any]]) -> None:
    wrong = [one for one in results.values() if one["code"] and not one["message"].endswith(".")]
    assert wrong == []


def test_none_takes_more_than_64_mib_of_memory(results: dict[str, dict[str, Any]]) -> None:
    assert {name: one["bytes"] for name, one in results.items() if one["bytes"] > MAX_ADDED_BYTES} == {}


def test_each_code_arrives_in_a_failed_item_and_affects_no_other_file(
    aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREDICTOR", "standard")
    handler = load_handler("standard_handler").handler
    one_of_each = {str(file.code): file for file in reversed(corpus.files())}
    handler(event(*(aws.upload(code, file.data) for code, file in one_of_each.items())), CONTEXT)
    items = {code: aws.item(code) for code in one_of_each}
    assert items.pop("None")["status"]["S"] == "SUCCEEDED"
    assert {item["status"]["S"] for item in items.values()} == {"FAILED"}
    assert {code: item["error_code"]["S"] for code, item in items.items()} == {code: code for code in CODES}
    assert all(item["error_message"]["S"].endswith(".") for item in items.values())
