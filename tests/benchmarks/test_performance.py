"""docs/performance.md, from results made by hand; and the committed page, where the committed results are."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from markdown_it import MarkdownIt  # comes with rich
from markdown_it.token import Token
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from benchmarks import performance
from benchmarks.peers import measure_peers
from benchmarks.performance import markdown, page
from crossover import documents
from crossover.bench.micro import document as micro_document
from crossover.bench.micro import memory_sizes, micro_tables
from crossover.bench.micro.document import Measurement
from crossover.cost.prices import load
from tests.benchmarks.peers.example_document import MACHINE, document
from tests.benchmarks.peers.handlers.test_handler_tables import section as handlers_section
from tests.benchmarks.peers.serving.test_server_tables import section as serving_section
from tests.crossover.bench.micro.example_process import process

PROMISED: dict[str, Any] = {"max_allowed": 1.15, "baseline_name": "session.run", "baseline": [10.0]}
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def micro() -> micro_document.Document:
    """A result of `crossover bench micro`: two memory sizes, without a quota."""
    processes = [process(threads=2, warm_ms=(11.0, 12.0, 17.0)) for _ in range(3)]
    rows = [memory_sizes.row(memory_mb, processes, load("us-east-1"), processors=2) for memory_mb in (512, 4096)]
    made = {
        "schema": 2,
        "kind": "crossover bench micro",
        "measured_at": "2026-11-22T20:53:52Z",
        "machine": MACHINE,
        "settings": {"quota": "none", "no_quota_reason": "There is no *cgroup* [v2]."},
        "measurements": [Measurement(name="warm call", unit="ms", observed=[11.0, 12.0], **PROMISED).to_json()],
        "cold": {"n": 3, "median_ms": {"total": 320.0}},
        "warm": {"n": 9, "median_ms": {"total": 12.0}},
        "sweep": {
            "region": "us-east-1",
            "rows": rows,
            **memory_sizes.choose(rows),
        },
        "observations": [{"memory_mb": None, "threads_set": None, **each.to_json()} for each in processes],
    }
    return cast(micro_document.Document, made)


def peers() -> measure_peers.Document:
    """A result of `python -m benchmarks peers` with both parts."""
    return {
        "schema": 4,
        "kind": "python -m benchmarks peers",
        "measured_at": "2026-11-22T21:30:00Z",
        "machine": {**MACHINE, "load_average": [1.5, 0.5, 0.75]},
        "handlers": {"measured_at": "2026-11-22T21:30:01Z", **handlers_section()},
        "serving": {"measured_at": "2026-11-22T21:40:02Z", **serving_section()},
    }


def every_table() -> list[Table]:
    return [*measure_peers.tables(peers()), *micro_tables.tables(micro())]


def awkward_table() -> Table:
    """What Markdown or rich could take for marks of its own."""
    table = Table(title="[bold]a|b[/bold]", caption="a *star*")
    table.add_column("two\nlines", justify="right")
    table.add_column("")
    for cell in ("x|y", escape("[31m"), "`code`", "<b>&lt;", "_a_ b_c", "~~no~~", r"a\.b\*c", "[bold]z[/bold]", "1\n2"):
        table.add_row(cell, Text("[q](r)"), end_section=True)
    return table


def plain(inline: Token) -> str:
    """What a reader sees of a paragraph or a cell."""
    spaces = {"html_inline": "\n", "softbreak": " "}
    return "".join(spaces.get(child.type, child.content) for child in inline.children or [])


def read_tables(text: str) -> list[list[list[str]]]:
    """The rows of each table of a Markdown text, as a reader sees them."""
    tables: list[list[list[str]]] = []
    for before, token in zip([None, *PARSER.parse(text)], PARSER.parse(text), strict=False):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif before is not None and before.type in ("th_open", "td_open"):
            tables[-1][-1].append(plain(token))
    return tables


def links(text: str) -> list[str]:
    inlines = [child for token in PARSER.parse(text) for child in token.children or []]
    return [str(child.attrs["href"]) for child in inlines if child.type == "link_open"]


def words(text: str) -> Counter[str]:
    return Counter(re.sub(r"[│┃━╇┼─╋┿╈]+", " ", text).split())


def printed(table: Table) -> str:
    console = Console(width=1000, color_system=None)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@pytest.mark.parametrize(
    "table", [pytest.param(each, id=str(each.title)) for each in (*every_table(), awkward_table())]
)
def test_a_table_says_in_markdown_exactly_what_it_says_on_a_terminal(table: Table) -> None:
    table.show_edge = False
    read = "\n".join(plain(token) for token in PARSER.parse(markdown(table)) if token.type == "inline")
    assert words(read) == words(printed(table))
    ((head, *rows),) = read_tables(markdown(table))
    assert len(rows) == table.row_count
    assert {len(row) for row in (head, *rows)} == {len(table.columns)}


def test_title_rows_and_caption_are_blocks_with_blank_lines_between() -> None:
    table = Table("handler", title="Handlers", caption="Medians.")
    table.add_column("cold\nms", justify="right")
    table.add_row("ours\n✗ failed", "635")
    table.add_section()
    table.add_row("  of it INIT", "")
    assert markdown(table) == (
        "**Handlers**\n\n| handler | cold ms |\n| --- | ---: |\n"
        "| ours<br>✗ failed | 635 |\n| of it INIT |  |\n\nMedians."
    )
    assert markdown(Table("handler")) == "| handler |\n| --- |"


def test_markdown_characters_are_escaped() -> None:
    found = markdown(awkward_table())
    assert found.startswith("**a\\|b**\n\n| two lines |  |\n| ---: | --- |\n")
    assert found.endswith("\n\na \\*star\\*")
    (rows,) = read_tables(found)
    assert [row[0] for row in rows[1:]] == [
        *("x|y", "[31m", "`code`", "<b>&lt;", "_a_ b_c", "~~no~~", r"a\.b\*c", "z", "1\n2")
    ]
    assert {row[1] for row in rows[1:]} == {"[q](r)"}
    assert "| _" not in found and "b_c" in found  # within a word it is left as it is


def test_the_page_holds_every_table_of_both_results_under_its_heading() -> None:
    text = page(micro(), peers(), micro())
    promised = micro_tables.tables(micro())[3]
    handlers = [str(table.title) for table in measure_peers.tables(document(handlers=handlers_section()))]
    servers = [str(table.title) for table in measure_peers.tables(document(serving=serving_section()))]
    cold, warm, sizes = [str(table.title) for table in micro_tables.tables(micro())[:3]]
    in_order = [
        *("# Performance", "## Targets", str(promised.title)),
        *("## The handler compared with other implementations", *handlers),
        *("## The container compared with other servers", *servers),
        *("## Phases of a call", cold, warm),
        *("## Memory sizes", sizes),
        *("## Pictures", str(promised.title), cold, warm, sizes),
        "## The machine",
    ]
    titles = [line for line in text.splitlines() if line.startswith(("#", "**")) and "AWS's**" not in line]
    assert [title.replace("**", "") for title in titles] == in_order
    for table in every_table():
        assert f"\n\n{markdown(table)}\n\n" in text
    assert len(read_tables(text)) == len(every_table()) + len(micro_tables.tables(micro())) + 1


def test_the_page_holds_the_sentences_of_both_results() -> None:
    text = page(micro(), peers(), micro())
    items = [plain(token) for token in PARSER.parse(text) if token.type == "inline" and token.level == 3]
    assert items == [*measure_peers.sentences(peers()), *2 * micro_tables.sentences(micro())]
    assert any("There is no *cgroup* [v2]." in item for item in items)


def test_the_page_says_which_machine_each_result_is_of() -> None:
    rows = read_tables(page(micro(), peers(), micro()))[-1]
    assert rows[0] == ["", "crossover bench micro", "crossover bench micro --model image", "python -m benchmarks peers"]
    said = {name: values for name, *values in rows[1:]}
    assert said["measured at"] == [
        *2 * ["2026-11-22T20:53:52Z"],
        "handlers 2026-11-22T21:30:01Z, serving 2026-11-22T21:40:02Z",
    ]
    assert said["processor"] == ["Some Processor"] * 3
    assert said["memory"] == ["16.0 GiB"] * 3
    assert said["packages of the handlers"] == ["onnxruntime 1.31.1, soxr 1.1.0"] * 3
    assert said["load average before, 1 minute"] == ["0.25", "0.25", "1.5"]


def test_the_page_s_own_links_lead_to_its_headings() -> None:
    text = page(micro(), peers(), micro())
    headings = {line.removeprefix("## ").lower().replace(" ", "-") for line in text.splitlines() if line[:3] == "## "}
    own = {target.removeprefix("#") for target in links(text) if target.startswith("#")}
    assert own and own <= headings


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all results, where the page is to be written."""
    monkeypatch.setattr(performance, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(performance, "MICRO", tmp_path / "micro.json")
    monkeypatch.setattr(performance, "PEERS", tmp_path / "peers.json")
    monkeypatch.setattr(performance, "IMAGE", tmp_path / "image.json")
    for name in ("micro.json", "image.json"):
        (tmp_path / name).write_text(json.dumps(micro()))
    (tmp_path / "peers.json").write_text(json.dumps(peers()))
    return tmp_path


def test_the_command_writes_the_page_from_the_results(docs: Path) -> None:
    performance.main()
    assert (docs / "performance.md").read_text(encoding="utf-8") == page(micro(), peers(), micro())


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("micro.json", None, r"There is no .*micro\.json; `crossover bench micro --output` writes it\."),
        ("image.json", None, r"There is no .*image\.json; `crossover bench micro --output` writes it\."),
        ("peers.json", None, r"There is no .*peers\.json; `python -m benchmarks peers --output` writes it\."),
        ("micro.json", "{", r".*micro\.json cannot be read: Expecting .*\."),
        ("peers.json", "[]", r".*peers\.json is not a result of `python -m benchmarks peers` of schema 4\."),
        ("peers.json", micro(), r".*peers\.json is not a result of `python -m benchmarks peers` of schema 4\."),
        (
            "micro.json",
            {**micro(), "schema": 4},
            r".*micro\.json is not a result of `crossover bench micro` of schema 2\.",
        ),
        (
            "peers.json",
            {**peers(), "schema": 2},
            r".*peers\.json is not a result of `python -m benchmarks peers` of schema 4\.",
        ),
        (
            "peers.json",
            {name: value for name, value in peers().items() if name != "serving"},
            r".*peers\.json has no serving; the page needs handlers and serving\.",
        ),
        ("micro.json", {**micro(), "warm": {}}, r".* is damaged: KeyError\('n'\)\."),
        ("micro.json", {**micro(), "warm": 3}, r".* is damaged: TypeError\(.*\)\."),
    ],
)
def test_an_unusable_result_is_one_sentence(docs: Path, name: str, content: object, sentence: str) -> None:
    if content is None:
        (docs / name).unlink()
    else:
        (docs / name).write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(SystemExit) as ended:
        performance.main()
    assert re.fullmatch(f"performance: {sentence}", str(ended.value.code))
    assert not (docs / "performance.md").exists()


def test_a_page_that_cannot_be_written_is_one_sentence(docs: Path) -> None:
    (docs / "performance.md").mkdir()
    with pytest.raises(SystemExit, match=r"performance: .*performance\.md cannot be written: Is a directory\."):
        performance.main()


def test_the_committed_page_is_what_the_committed_results_say() -> None:
    text = performance.PAGE.read_text(encoding="utf-8")
    assert text == page(*map(documents.read, (performance.MICRO, performance.PEERS, performance.IMAGE))), (
        "Write it anew: python -m benchmarks.performance"
    )
    gone = [target for target in links(text) if target[0] != "#" and not (performance.DOCS / target).exists()]
    assert gone == []
