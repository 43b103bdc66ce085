"""A page of the report, put together from its files: one HTML file that refers to nothing outside of itself."""

import html
import json
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

FOLDER = Path(__file__).parent
PLOTLY = FOLDER / "vendor" / "plotly-basic-4.1.1.min.js"


@dataclass(frozen=True, kw_only=True)
class Page:
    """What one page has of its own.

    Attributes:
        title: of the window, as text.
        body: as HTML, whose texts are escaped already; `template` fills one in.
        data: for the script, anything that JSON takes.
        scripts: the names of their files in this folder; plotly.js and page.js stand before them.
        mark: as text, a warning that is shown on top, in every chart and on every printed page.
    """

    title: str
    body: str
    data: Any
    scripts: tuple[str, ...]
    mark: str = ""

    def html(self, *, image: str = "") -> str:
        """The whole file. With `image`, "png" or "svg", its script leaves a picture of the chart in the page."""
        scripts = [PLOTLY.read_text(encoding="utf-8"), *map(_read, ("page.js", *self.scripts))]
        attributes = {"image": image, "mark": self.mark}
        return Template(_read("page.html")).substitute(
            attributes="".join(f' data-{name}="{html.escape(value)}"' for name, value in attributes.items() if value),
            title=html.escape(self.title),
            style=_read("page.css"),
            mark=f'<p class="mark" role="note">{html.escape(self.mark)}</p>' if self.mark else "",
            body=self.body,
            data=script_json(self.data),
            scripts="\n".join(f"<script>\n{script}\n</script>" for script in scripts),
        )


def template(name: str, **values: str) -> str:
    """A file of this folder with its $names replaced by these values, which are HTML."""
    return Template(_read(name)).substitute(values)


def script_json(data: Any) -> str:
    """JSON that can stand within a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def table(headings: list[str], rows: list[list[str]], *, classes: list[str] | None = None) -> str:
    """An HTML table of texts, the first cell of each row its heading; `classes` are the columns'."""
    kinds = classes or [""] * len(headings)
    head = "".join(_cell("th", text, kind, ' scope="col"') for text, kind in zip(headings, kinds, strict=True))
    body = "".join(
        "<tr>"
        + _cell("th", row[0], kinds[0], ' scope="row"')
        + "".join(_cell("td", text, kind) for text, kind in zip(row[1:], kinds[1:], strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def details(summary: str, inner: str) -> str:
    """HTML that a click opens; printing opens it too."""
    return f"<details><summary>{html.escape(summary)}</summary>{inner}</details>"


def _cell(tag: str, text: str, kind: str, attributes: str = "") -> str:
    classes = f' class="{kind}"' if kind else ""
    return f"<{tag}{attributes}{classes}>{html.escape(text)}</{tag}>"


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
