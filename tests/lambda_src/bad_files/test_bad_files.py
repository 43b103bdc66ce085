"""Bad files: none crashes the process, hangs or exhausts its memory, and each has its error code."""

from types import SimpleNamespace
from typing import Any

import pytest

from inference.inputs.audio import AudioInput, AudioLimits

from ..conftest import CONTEXT, load_handler
from ..events import event
from . import corpus
from .bad_file import CODES
from .batches import decode_all

pytestmark = pytest.mark.slow  # making them takes seconds

# Of resident memory while one file is decoded: the waveform of the longest that is allowed is 37 MiB, and the C library
# may hold as much again, depending on what it kept of earlier files (a process's first such file took 75 MiB).
MAX_ADDED_BYTES = 80 * 1024**2
WAVEFORM = SimpleNamespace(name="waveform", type="tensor(float)", shape=["samples"])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    taker = AudioInput.read({"sample_rate": "16000"}, [WAVEFORM], [])
    assert taker is not None
    return decode_all(taker, AudioLimits(), corpus.files(), tmp_path_factory.mktemp("bad_files"))


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


def test_none_takes_more_than_80_mib_of_memory(results: dict[str, dict[str, Any]]) -> None:
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
