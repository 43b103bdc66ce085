"""Every relative link resolves, and every path that the docs name exists."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, code, links, name_of

# Folders whose paths are checked where code names them.
FOLDERS = "app.py|benchmarks|cdk.json|crossover|docs|examples|lambda_src|model|sagemaker_container|stacks|tests|tools"
PATH = re.compile(rf"(?<![\w./-])(?:{FOLDERS}|\.github|\.ci)/[\w./-]*\w")
# Made by the reader, or in a wheel only.
MADE = {"model/mine.onnx", "crossover/sources"}
# What these tell is past, and so are the files they name.
HISTORY = {"CHANGELOG.md"}


def test_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_resolves(page: Path) -> None:
    for target in links(page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        assert found.exists(), f"{name_of(page)} links to {target}, which is not there"
        if anchor:
            assert anchor in anchors(found.read_text()), f"{name_of(page)} links to {target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_in_code_exists(page: Path) -> None:
    is_history = page.name in HISTORY or page.parent.name == "decisions"
    for piece in code(page.read_text()):
        for path in [] if is_history else PATH.findall(piece):
            assert path in MADE or (ROOT / path).exists(), f"{name_of(page)} names {path}, which is not there"


def test_a_dead_link_a_missing_heading_and_a_missing_path_would_be_found() -> None:
    text = "# One, two\n\n[a](gone.md#x) `[b](c)`\n\n```\npython tools/gone.py --out docs/x.md\n```\n"
    assert list(links(text)) == ["gone.md#x"]
    assert anchors(text) == {"one-two"}
    assert [path for piece in code(text) for path in PATH.findall(piece)] == ["tools/gone.py", "docs/x.md"]
