"""The commands that the project shows its readers: in pages, and in the messages and comments of its sources.

In a page, the lines of a code block that names no language are commands, and so are those of an indented block; a block
of another kind says so (```text, ```python). Within a line, code is a command if it begins with a program.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.docs.pages import PAGES, ROOT, name_of

TEMPLATE = ROOT / "crossover/new/template"
# What a page of the past shows may be gone.
SHOWN_PAGES = [page for page in [*PAGES, TEMPLATE / "README.md"] if page.name != "CHANGELOG.md"]
SOURCES = [
    ROOT / "Makefile",
    ROOT / "app.py",
    TEMPLATE / "Makefile",
    *(
        path
        for folder in ("benchmarks", "crossover", "examples", "lambda_src", "sagemaker_container", "stacks", "tools")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".in", ".txt") and "sources" not in path.parts
    ),
]
# Programs that this project's readers run, and such as a page might name one day: their kind has to be known then.
CLASSIFIED = {
    *(".", "apt-get", "aws", "cd", "cdk", "crossover", "export", "make", "npx", "pip", "pytest", "python", "python3"),
    *("source", "uv"),
}
OTHERS = {
    *("brew", "conda", "curl", "docker", "dnf", "git", "node", "npm", "pipx", "podman", "sudo", "uvx", "wget"),
}

FENCED = re.compile(r"^ *```([a-z]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Shown:
    """One command, as its words.

    Attributes:
        page: where it is shown.
        is_line: whether it is a line to copy; code within a sentence may name a command without its arguments.
        is_of_a_new_project: whether it runs in a project that `crossover new` wrote, and not in this repository.
    """

    words: tuple[str, ...]
    page: Path
    is_line: bool = True
    is_of_a_new_project: bool = False

    @property
    def program(self) -> str:
        return self.words[0]

    def __str__(self) -> str:
        return f"{shlex.join(self.words)} in {name_of(self.page)}"


def lines_of_code(text: str) -> Iterator[str]:
    """The lines of code blocks without a language, and of indented blocks."""
    for language, block in FENCED.findall(text):
        yield from () if language else block.splitlines()
    for block in re.findall(r"\n\n((?: {4}.*\n)+)", FENCED.sub("", text)):
        yield from block.splitlines()


def spans(text: str) -> Iterator[str]:
    """Code within a line that begins with a program. It may go over two lines, and what fills a gap is unknown."""
    for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text):
        words = re.sub(r"\{[^}]*\}|…", "X", " ".join(span.split()))
        if words.partition(" ")[0] in (CLASSIFIED | OTHERS) - {"."} and " " in words:
            yield words


def split(text: str, page: Path, *, is_line: bool) -> Iterator[Shown]:
    """The commands of a line, which && joins; without a prompt, a comment and `...`."""
    is_of_a_new_project = page.is_relative_to(TEMPLATE)
    for command in text.strip().removeprefix("$ ").split("&&"):
        if words := shlex.split(command.replace("...", ""), comments=True):
            yield Shown(tuple(words), page, is_line, is_of_a_new_project)
            is_of_a_new_project |= words[0] == "cd"


def of_page(page: Path) -> Iterator[Shown]:
    text = page.read_text(encoding="utf-8")
    without_other_languages = FENCED.sub(lambda block: "" if block[1] else block[2], text)
    for is_line, found in (True, lines_of_code(text)), (False, spans(without_other_languages)):
        for line in found:
            yield from split(line, page, is_line=is_line)


def of_source(path: Path) -> Iterator[Shown]:
    """In messages, docstrings and comments, whose lines are joined first; the CDK's in strings and recipes too."""
    text = re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
    text = re.sub(r"\n *#:? ", " ", text)
    recipes = re.findall(r"^\t@?(npx .*)", text, re.MULTILINE) if path.name == "Makefile" else []
    for line in [*spans(text), *re.findall(r'"(npx cdk [^"{]*)"', text), *recipes]:
        yield from split(line, path, is_line=False)


SHOWN = [
    *(command for page in SHOWN_PAGES for command in of_page(page)),
    *(command for path in SOURCES for command in of_source(path)),
]


def shown(*programs: str) -> list[Shown]:
    """The commands of these programs, the same ones once, where they are shown first."""
    found: dict[Shown, Shown] = {}
    for command in SHOWN:
        if command.program in programs:
            found.setdefault(replace(command, page=ROOT), command)
    return list(found.values())
