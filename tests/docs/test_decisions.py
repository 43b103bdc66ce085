"""Every decision page has one header, and the index lists them all."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs/decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
HEADER = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\n"
    r"- Status: (?P<status>proposed|accepted|rejected|superseded by \d+)\n"
    r"- Date: (?P<date>\d{4}-\d{2}-\d{2})\n\n"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_number_title_status_and_date(page: Path) -> None:
    header = HEADER.match(page.read_text())
    assert header, f"{page.name} does not begin with a title, a status and a date"
    assert int(header["number"]) == int(page.name[:4])


def test_the_index_lists_every_page_as_its_header_has_it() -> None:
    rows = ["| number | title | status | date |", "|---|---|---|---|"]
    for page in PAGES:
        header = HEADER.match(page.read_text())
        assert header
        number, title, status, date = header.groups()
        rows.append(f"| {number} | [{title}]({page.name}) | {status} | {date} |")
    assert len(rows) > 2
    index = (FOLDER / "README.md").read_text()
    assert [line for line in index.splitlines() if line.startswith("|")] == rows
