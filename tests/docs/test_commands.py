"""Every command is documented, and every command that the docs show exists, with the options shown."""

import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from crossover import cli
from tests.docs.pages import PAGES, ROOT, code, name_of

SHOWN = [page for page in PAGES if page.name != "CHANGELOG.md"]
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


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


def shown(text: str) -> Iterator[list[str]]:
    """The words of every `crossover ...` in the code of a page."""
    for piece in code(text):
        line = piece.strip().removeprefix("$ ")
        if line.startswith("crossover "):
            yield shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_documented(words: tuple[str, ...]) -> None:
    assert any(tuple(line[: len(words)]) == words for page in SHOWN for line in shown(page.read_text())), (
        f"no page shows `crossover {' '.join(words)}`"
    )


@pytest.mark.parametrize("page", SHOWN, ids=name_of)
def test_a_command_that_a_page_shows_exists_and_has_the_options(page: Path) -> None:
    for line in shown(page.read_text()):
        words = tuple(line[:2]) if tuple(line[:2]) in COMMANDS else tuple(line[:1])
        command = COMMANDS.get(words)
        assert command, f"{name_of(page)} shows `crossover {' '.join(line)}`, which is no command"
        is_group = hasattr(command, "commands") and not command.invoke_without_command
        assert len(line) < 2 or not is_group or line[1].startswith("-"), f"there is no `crossover {' '.join(line[:2])}`"
        options = {"--help"} | {
            name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)
        }
        for word in line:
            option = word.partition("=")[0]
            assert not option.startswith("--") or option in options, f"`crossover {' '.join(words)}` has no {option}"


def made(text: str) -> set[str]:
    """The targets of every `make ...` in the code of a page."""
    commands = [command.split() for piece in code(text) for command in piece.split("#")[0].split("&&")]
    return {word for words in commands if words[:1] == ["make"] for word in words[1:] if "=" not in word}


@pytest.mark.parametrize("page", SHOWN, ids=name_of)
def test_a_make_target_that_a_page_shows_exists(page: Path) -> None:
    assert made(page.read_text()) <= TARGETS


def test_every_make_target_is_documented() -> None:
    assert len(TARGETS) > 10
    shown_targets = {target for page in SHOWN for target in made(page.read_text())}
    assert shown_targets == TARGETS - {"help"}  # `make` alone
