"""Bad pictures: none crashes the process, hangs or exhausts its memory, and each has its error code."""

from typing import Any

import pytest

from inference.inputs.image import ImageLimits

from ..bad_files.batches import decode_all
from ..pictures import model
from . import corpus

pytestmark = pytest.mark.slow  # making them takes seconds

MAX_ADDED_BYTES = 400 * 1024**2
"""Of resident memory while one file is decoded: the largest declare 64 million pixels, for which there is room."""
MAX_USUAL_BYTES = 64 * 1024**2


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return decode_all(model(), ImageLimits(), corpus.files(), tmp_path_factory.mktemp("bad_pictures"))


def test_there_are_616_and_all_differ() -> None:
    assert len(corpus.files()) == 616
    for distinct in ({file.data for file in corpus.files()}, {file.name for file in corpus.files()}):
        assert len(distinct) == len(corpus.files())


def test_each_has_a_known_code_or_a_reason_why_it_is_readable() -> None:
    assert {file.code for file in corpus.files() if file.code} == corpus.CODES
    assert all((file.code is None) == bool(file.why) for file in corpus.files())


def test_none_crashes_the_process_or_hangs_and_each_gives_its_code(results: dict[str, dict[str, Any]]) -> None:
    assert {name: one["code"] for name, one in results.items()} == {file.name: file.code for file in corpus.files()}


def test_each_refusal_is_a_sentence(results: dict[str, dict[str, Any]]) -> None:
    assert [one for one in results.values() if one["code"] and not one["message"].endswith(".")] == []


def test_memory_is_that_of_the_declared_size(results: dict[str, dict[str, Any]]) -> None:
    large = {name: one["bytes"] for name, one in results.items() if one["bytes"] > MAX_USUAL_BYTES}
    assert {name: size for name, size in large.items() if size > MAX_ADDED_BYTES} == {}
    assert [name for name in large if not any(size in name for size in ("8000", "65500", "65535", "million"))] == []
