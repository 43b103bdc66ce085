"""Every command is documented, and every command that is shown exists and takes the arguments that are shown."""

import gzip
import importlib
import inspect
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import typer
from botocore import xform_name
from packaging.requirements import Requirement

from benchmarks.__main__ import app as benchmarks_app
from crossover import cli, command_line
from crossover.local.workspace import node_modules
from tests.docs.pages import ROOT
from tests.docs.shown import CLASSIFIED, SHOWN, SHOWN_PAGES, TEMPLATE, Shown, lines_of_code, shown, spans, split

TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKED = set(re.findall(r"^([\w-]+)==", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE))


def commands() -> dict[tuple[str, ...], Any]:
    """Every command by its words, the sub-commands too."""
    root: Any = typer.main.get_command(cli.app)
    found: dict[tuple[str, ...], Any] = {}
    for info in cli.app.registered_commands:
        assert info.callback
        name = info.name or info.callback.__name__.replace("_", "-")
        module = inspect.getclosurevars(info.callback).nonlocals.get("module")
        command = typer.main.get_command(importlib.import_module(module).app) if module else root.commands[name]
        found[(name,)] = command
        for sub_name, sub_command in getattr(command, "commands", {}).items():
            found[(name, sub_name)] = sub_command
    return found


COMMANDS = commands()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results and the trace that the shown commands read."""
    folder = tmp_path_factory.mktemp("commands")
    shutil.copyfile(ROOT / "tests/crossover/report/data/poisson.json", folder / "results.json")
    with gzip.open(ROOT / "benchmarks/results/micro.json.gz") as micro:
        (folder / "micro.json").write_bytes(micro.read())
    (folder / "times.txt").write_text("".join(f"{10 * number}\n" for number in range(100)))
    return folder


@pytest.fixture(autouse=True)
def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def each(*programs: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("command", shown(*programs), ids=str)


def test_every_command_is_of_a_kind_that_is_tested() -> None:
    unknown = [str(command) for command in SHOWN if command.program not in CLASSIFIED]
    assert not unknown, f"say in tests/docs how these are tested: {unknown}"


def test_commands_are_found_in_blocks_and_within_lines() -> None:
    page = TEMPLATE / "README.md"
    block = "```\n$ cd a && docker build .  # `npx cdk gc`\n```\n\n    pip list\n\n```text\nno\n```\n"
    text = f"Run `make demo\nA=b` or `x`.\n\n{block}"
    assert list(lines_of_code(text)) == ["$ cd a && docker build .  # `npx cdk gc`", "    pip list"]
    assert list(spans(text)) == ["make demo A=b", "npx cdk gc"]
    assert [command.words for command in split("$ cd a && docker build . # b", page, is_line=True)] == [
        ("cd", "a"),
        ("docker", "build", "."),
    ]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_documented(words: tuple[str, ...]) -> None:
    pages = {
        command.page
        for command in SHOWN
        if command.program == "crossover" and command.words[1 : 1 + len(words)] == words
    }
    assert pages & set(SHOWN_PAGES), f"no page shows `crossover {' '.join(words)}`"


def check_arguments(command: Any, name: str, arguments: list[str]) -> None:
    """Read the arguments as the command does, without running it."""
    with command.make_context(name, arguments) as context:
        rest = [*getattr(context, "_protected_args", []), *context.args]
        if rest:
            command.resolve_command(context, rest)


@each("crossover")
def test_a_command_takes_the_arguments_that_are_shown(command: Shown) -> None:
    words = command.words[1:]
    name = words[:2] if words[:2] in COMMANDS else words[:1]
    assert name in COMMANDS, f"{command}: there is no such command"
    arguments = [word for word in words[len(name) :] if word != "--help"]
    if arguments or command.is_line:
        check_arguments(COMMANDS[name], " ".join(name), arguments)


OFFLINE: list[tuple[str, ...]] = [("cost",), ("prices", "show"), ("report", "--cost")]


@pytest.mark.parametrize(
    "command",
    [
        command
        for command in shown("crossover")
        if command.page in SHOWN_PAGES and any(command.words[1:][: len(words)] == words for words in OFFLINE)
    ],
    ids=str,
)
def test_a_command_that_needs_nothing_else_runs(command: Shown) -> None:
    assert command_line.run(cli.app, command.words[1:], program="crossover") == 0


@pytest.fixture(scope="module")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As far as make looks at it."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copyfile(TEMPLATE / "Makefile", folder / "Makefile")
    for name in ("requirements.txt", "package.json", "package-lock.json"):
        (folder / name).touch()
    return folder


@each("make")
def test_a_make_target_and_its_variables_exist(command: Shown, new_project: Path) -> None:
    folder = new_project if command.is_of_a_new_project else ROOT
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    made = subprocess.run(
        ["make", "--dry-run", *command.words[1:]], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    for variable in (word.partition("=")[0] for word in command.words if "=" in word):
        assert f"$({variable})" in (folder / "Makefile").read_text(), f"{command}: nothing reads {variable}"


def test_every_make_target_is_documented() -> None:
    assert len(TARGETS) > 10
    found = {
        word
        for command in SHOWN
        if command.program == "make" and command.page in SHOWN_PAGES and not command.is_of_a_new_project
        for word in command.words[1:]
        if "=" not in word
    }
    assert found == TARGETS - {"help"}  # `make` alone


@each("python", "python3")
def test_a_module_or_a_script_exists(command: Shown) -> None:
    first, *rest = command.words[1:]
    if first == "-m":
        module, *arguments = rest
        assert find_spec(module), f"{command}: there is no module {module}"
        if module == "benchmarks":
            name, *options = arguments
            check_arguments(typer.main.get_command(benchmarks_app).commands[name], name, options)  # type: ignore[attr-defined]
    else:
        for path in [first, *(word for word in rest if "/" in word)]:
            assert (ROOT / path).is_file() or (command.page.parent / path).is_file(), f"{command}: no {path}"


@each("cdk")
def test_a_command_of_the_cdk_that_is_named_exists(command: Shown) -> None:
    registry = json.loads((node_modules() / "aws-cdk/lib/cli/cli-type-registry.json").read_text())
    known = registry["globalOptions"] | registry["commands"][command.words[1]].get("options", {})
    options = {f"--{name}" for name in known} | {
        f"-{option['alias']}" for option in known.values() if "alias" in option
    }
    assert {word for word in command.words[2:] if word.startswith("-")} <= options


@each("aws")
def test_an_operation_of_aws_exists_with_its_options(command: Shown) -> None:
    service, operation, *rest = command.words[1:]
    model = botocore.session.get_session().get_service_model(service)
    [found] = [name for name in model.operation_names if xform_name(name, "-") == operation]
    members = model.operation_model(found).input_shape.members
    options = {f"--{xform_name(name, '-')}" for name in members}
    options |= {f"--no-{xform_name(name, '-')}" for name, shape in members.items() if shape.type_name == "boolean"}
    assert {word for word in rest if word.startswith("--")} <= options | {"--region", "--query", "--output"}


@each("pip")
def test_what_pip_installs_exists(command: Shown) -> None:
    assert command.words[1] == "install"
    for requirement in map(Requirement, command.words[2:]):
        if requirement.name == PROJECT["name"]:
            assert requirement.extras <= set(PROJECT["optional-dependencies"])
        else:
            assert requirement.name in LOCKED


SHELL: dict[str, Callable[[tuple[str, ...]], bool]] = {
    "cd": lambda words: len(words) == 2,
    ".": lambda words: words[1:] == (".venv/bin/activate",),
    "source": lambda words: words[1:] == (".venv/bin/activate",),
    "export": lambda words: all("=" in word for word in words[1:]),
    "apt-get": lambda words: words[1] == "install" and set(words[2:]) <= set((ROOT / ".ci/run").read_text().split()),
    "pytest": lambda words: words[1:] == ("-rs",),
    "uv": lambda words: words[1:3] == ("python", "install"),
}


@each(*SHELL)
def test_what_the_shell_runs_is_as_expected(command: Shown) -> None:
    assert SHELL[command.program](command.words)


def test_every_kind_is_tested() -> None:
    assert {*SHELL, "aws", "cdk", "crossover", "make", "npx", "pip", "python", "python3"} == CLASSIFIED
