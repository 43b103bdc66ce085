"""Bad tensor files: none crashes the process, hangs or exhausts its memory, and each has its error code."""

from typing import Any

import pytest

from inference.inputs.tensor import TensorLimits

from ..bad_files.bad_file import BadFile
from ..bad_files.batches import decode_all
from . import corpus

pytestmark = pytest.mark.slow  # making them takes seconds

MAX_ADDED_BYTES = 192 * 1024**2  # of resident memory while one file is decoded: 12 MiB of text are 500,000 objects


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folders = (tmp_path_factory.mktemp(name) for name in ("rows", "frames"))
    every = ((corpus.ROWS, corpus.of_rows()), (corpus.FRAME, corpus.of_frames()))
    batches = [
        decode_all(kind, TensorLimits(), files, folder) for (kind, files), folder in zip(every, folders, strict=True)
    ]
    return {**batches[0], **batches[1]}


def all_files() -> tuple[BadFile, ...]:
    return corpus.of_rows() + corpus.of_frames()


def test_there_are_754_and_all_differ() -> None:
    assert len(all_files()) == 754
    assert len({file.name for file in all_files()}) == len(all_files())
    for files in (corpus.of_rows(), corpus.of_frames()):
        assert len({file.data for file in files}) == len(files)


def test_each_has_a_known_code_or_a_reason_why_it_is_readable() -> None:
    assert {file.code for file in all_files() if file.code} == corpus.CODES
    assert all((file.code is None) == bool(file.why) for file in all_files())


def test_none_crashes_the_process_or_hangs_and_each_gives_its_code(results: dict[str, dict[str, Any]]) -> None:
    assert {name: one["code"] for name, one in results.items()} == {file.name: file.code for file in all_files()}


def test_each_refusal_is_a_sentence(results: dict[str, dict[str, Any]]) -> None:
    assert [one for one in results.values() if one["code"] and not one["message"].endswith(".")] == []


def test_none_takes_more_than_192_mib_of_memory(results: dict[str, dict[str, Any]]) -> None:
    assert {name: one["bytes"] for name, one in results.items() if one["bytes"] > MAX_ADDED_BYTES} == {}
