"""What the commands read from a project's cdk.json."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from crossover import paths, project
from crossover.cdk.compute import DEFAULT_VARIANTS, VARIANTS
from crossover.errors import CrossoverError, UsageError


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, content: Any) -> None:
    (folder / "cdk.json").write_text(json.dumps(content))


def test_the_settings_are_the_context_of_the_nearest_cdk_json(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, {"app": "python3 app.py", "context": {"stack_prefix": "Mine", "variants": "standard, snapstart"}})
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert project.stack_prefix() == "Mine"
    assert project.known_variants() == ["standard", "snapstart"]


def test_settings_missing_in_cdk_json_have_defaults(folder: Path) -> None:
    write(folder, {"app": "python3 app.py"})
    assert project.stack_prefix() == "Crossover"
    assert project.known_variants() == list(DEFAULT_VARIANTS)
    write(folder, {"app": "python3 app.py", "context": {"variants": "all"}})
    assert project.known_variants() == list(VARIANTS)


def test_the_prefix_needs_no_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "site-packages/crossover/sources").mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", folder / "site-packages/crossover")
    assert project.stack_prefix() == "Crossover"


@pytest.mark.parametrize(
    ("app", "command"),
    [
        ("python3 app.py", [sys.executable, "app.py"]),
        ("python -m 'my app'", [sys.executable, "-m", "my app"]),
        ("uv run app.py", ["uv", "run", "app.py"]),
    ],
)
def test_the_app_runs_in_this_interpreter_unless_it_names_another(folder: Path, app: str, command: list[str]) -> None:
    write(folder, {"app": app})
    assert project.app_command() == command


@pytest.mark.parametrize("content", [{}, {"app": ""}, {"app": 5}])
def test_a_cdk_json_without_an_app_is_named(folder: Path, content: Any) -> None:
    write(folder, content)
    with pytest.raises(UsageError, match=rf"^{folder}/cdk\.json names no app"):
        project.app_command()


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"variants": 5}, "The variants in {} are 5; they must be a list of names, or names separated by commas."),
        ({"variants": ["standard", 3]}, "The variants in {} are ['standard', 3]; they must be a list of names, or "),
        ({"stack_prefix": ""}, "The stack_prefix in {} is ''; it must be a text that is not empty."),
        ({"stack_prefix": ["a"]}, "The stack_prefix in {} is ['a']; it must be a text that is not empty."),
    ],
)
def test_a_setting_of_the_wrong_type_is_named(folder: Path, context: Any, sentence: str) -> None:
    write(folder, {"context": context})
    with pytest.raises(UsageError) as error:
        project.known_variants()
    assert str(error.value).startswith(sentence.format(folder / "cdk.json"))


def test_an_app_that_is_no_command_is_named(folder: Path) -> None:
    write(folder, {"app": "python3 'app.py"})
    with pytest.raises(UsageError, match=r"; it must be a command: No closing quotation\.$"):
        project.app_command()


@pytest.mark.parametrize("text", ["{", "[]", '{"context": null}'])
def test_a_cdk_json_that_cannot_be_read_is_named(folder: Path, text: str) -> None:
    (folder / "cdk.json").write_text(text)
    with pytest.raises(UsageError, match=rf"{folder}/cdk\.json (cannot be read|must hold a JSON object|is None)"):
        project.context()


def test_a_variant_that_cdk_json_does_not_list_may_be_in_the_registry(folder: Path) -> None:
    first, second, *_ = VARIANTS
    write(folder, {"context": {"variants": [first]}})
    assert project.choose_variants("") == [first]
    assert project.choose_variants(f"{second},{first}") == [second, first]
    with pytest.raises(UsageError, match=rf"^There is no variant 'gone'; there are {first}, {second}"):
        project.choose_variants("gone")


def test_without_a_project_the_message_names_crossover_new(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "site-packages/crossover/sources").mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", folder / "site-packages/crossover")
    with pytest.raises(CrossoverError, match=r"this command needs a project; `crossover new` makes one\.$"):
        project.context()
