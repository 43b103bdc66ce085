"""The Markdown pages of the project, and their content."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "model/**/*.md", ".github/*.md", "examples/**/*.md")
    for page in ROOT.glob(pattern)
)


def name_of(page: Path) -> str:
    """As test ids show it."""
    return str(page.relative_to(ROOT))


def links(text: str) -> Iterator[str]:
    """The targets of links and pictures outside code."""
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    yield from re.findall(r"\]\(([^)\s]+)\)", without_code)


def anchors(text: str) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def code(text: str) -> Iterator[str]:
    """Each line of the code blocks, and each piece of code within a line."""
    for block in re.findall(r"^ *```[a-z]*\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
