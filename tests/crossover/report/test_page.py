"""A page is one file that loads nothing, and in which no text can become markup."""

import json
import re
from html.parser import HTMLParser

import pytest

from crossover.report import page
from crossover.report.page import Page, details, script_json, table

NASTY = '</script><!-- <script>alert("&")</script> \u2028\u2029'


class Reader(HTMLParser):
    """What a page consists of: its elements with their attributes, and the content of its scripts and titles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.contents: dict[str, list[str]] = {}
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open = tag
        self.contents.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open:
            self.contents[self.open][-1] += data


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(Page(title=NASTY, body="<main></main>", data={NASTY: NASTY}, scripts=("cost.js",)).html())


def test_texts_are_escaped(reader: Reader) -> None:
    assert reader.contents["title"] == [NASTY]
    assert json.loads(reader.contents["script"][0]) == {NASTY: NASTY}
    assert len(reader.contents["script"]) == 4  # the data, plotly.js, what all pages share, the page's own


def test_data_cannot_end_the_script_and_has_no_nan() -> None:
    assert not re.search("[<\u2028\u2029]", script_json(NASTY))
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("inf"))


def test_the_page_refers_to_nothing_outside_of_itself(reader: Reader) -> None:
    addresses = [
        value
        for _, attributes in reader.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data", "poster")
    ]
    assert addresses == ["data:,"]  # the icon, which a browser would ask for otherwise
    assert not re.search(r"url\(|@import", reader.contents["style"][0])
    own_scripts = "".join(script for script in reader.contents["script"] if "plotly.js (basic" not in script)
    assert set(re.findall(r"https?://[^\"'\s]+", own_scripts)) == {"http://www.w3.org/2000/svg"}  # SVG's namespace


def test_the_browser_may_load_nothing(reader: Reader) -> None:
    [policy] = [a["content"] for tag, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_a_page_has_a_language_a_title_and_fits_a_phone(reader: Reader) -> None:
    elements = {tag: attributes for tag, attributes in reader.elements if tag == "html"}
    assert elements["html"] == {"lang": "en"}
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in reader.elements


def test_a_page_for_a_picture_is_marked() -> None:
    text = Page(title="", body="", data=None, scripts=("cost.js",)).html(image="png")
    assert '<html lang="en" data-image="png">' in text


def test_the_texts_of_tables_are_escaped() -> None:
    made = table(["<b>"], [["<i>"]]) + details("<u>", "")
    assert {tag for tag, _ in Reader(made).elements} == {
        "div", "table", "thead", "tbody", "tr", "th", "details", "summary",
    }  # fmt: skip


def test_plotly_comes_with_its_licence() -> None:
    assert page.PLOTLY.read_text()[:60].splitlines()[1] == "* plotly.js (basic - minified) v4.1.1"
    assert "Permission is hereby granted" in page.PLOTLY.with_name("LICENSE-plotly").read_text()
