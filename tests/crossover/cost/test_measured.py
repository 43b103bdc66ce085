"""A benchmark's result as inputs of the model."""

import json
from pathlib import Path
from typing import Any

import pytest

from crossover.cost import measured
from crossover.errors import UsageError


def write(folder: Path, document: Any) -> Path:
    path = folder / "results.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_the_numbers_are_fields_of_a_scenario(tmp_path: Path) -> None:
    path = write(tmp_path, {"schema": 2, "scenario": {"warm_seconds": 0.2, "memory_mb": 2048}, "observations": []})
    found = measured.read(path)
    assert found.values == {"warm_seconds": 0.2, "memory_mb": 2048.0}
    assert not found.is_rehearsal


def test_a_rehearsal_is_recognised(tmp_path: Path) -> None:
    path = write(tmp_path, {"schema": 2, "rehearsal": True, "scenario": {"warm_seconds": 0.2}})
    found = measured.read(path)
    assert found.is_rehearsal
    assert not found.is_one_machine


def test_a_result_of_one_machine_is_recognised(tmp_path: Path) -> None:
    path = write(tmp_path, {"schema": 2, "kind": "crossover bench micro", "scenario": {"cpu_seconds": 0.02}})
    found = measured.read(path)
    assert found.is_one_machine
    assert not found.is_rehearsal
    path = write(tmp_path, {"schema": 2, "kind": "crossover bench run", "scenario": {"warm_seconds": 0.2}})
    assert not measured.read(path).is_one_machine


def test_without_standard_the_first_variant_that_was_measured_has_its_warm_duration(tmp_path: Path) -> None:
    values = {"container_warm_seconds": 0.3, "efs_warm_seconds": 0.2, "proxy_seconds": 0.1}
    found = measured.read(write(tmp_path, {"schema": 2, "scenario": values}))
    assert found.values == {**values, "warm_seconds": 0.2}
    assert found.variants == {"warm_seconds": "efs"}
    found = measured.read(write(tmp_path, {"schema": 2, "scenario": {**values, "warm_seconds": 0.25}}))
    assert found.values["warm_seconds"] == 0.25
    assert not found.variants


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "cannot be read"),
        ([], "is not a benchmark's result of schema 2"),
        ({"schema": 1, "scenario": {}}, "is not a benchmark's result of schema 2"),
        ({"schema": 2}, "has no member 'scenario'"),
        ({"schema": 2, "scenario": {"speed": 3}}, "measures 'speed', which the model does not know; it knows "),
        ({"schema": 2, "scenario": {"instance_type": "ml.c5.large"}}, "measures 'instance_type'"),
        ({"schema": 2, "scenario": {"warm_seconds": "fast"}}, "The value of warm_seconds in .* is 'fast'"),
        ({"schema": 2, "scenario": {"warm_seconds": True}}, "The value of warm_seconds in .* is True"),
    ],
)
def test_refuses_a_file_that_is_not_a_result(tmp_path: Path, document: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        measured.read(write(tmp_path, document))


def test_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.json cannot be read"):
        measured.read(tmp_path / "gone.json")


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        ({}, "audio"),  # from before there were kinds
        ({"plan": {"files": []}}, "audio"),
        ({"plan": {"input_kind": "image"}}, "image"),
        ({"settings": {"input_kind": "image"}}, "image"),
    ],
)
def test_a_result_says_what_kind_of_input_it_is_of(tmp_path: Path, described: dict[str, Any], kind: str) -> None:
    path = write(tmp_path, {"schema": 2, "scenario": {"warm_seconds": 0.2}, **described})
    assert measured.read(path).input_kind == kind
