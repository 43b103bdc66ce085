"""Output on terminals that cannot show everything."""

import io
import sys
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.table import Table

from crossover import terminal


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, show: Callable[[], None]) -> str:
    """What `show` prints to a standard output of this encoding."""
    stream = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(stream, encoding=encoding))
        terminal.configure_output()
        show()
        sys.stdout.flush()
        return stream.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("ascii", "✓ müller \N{EN DASH} 5 \N{MICRO SIGN}s \N{MULTIPLICATION SIGN} 2 … 日", "ok muller - 5 us x 2 ~ ?"),
        ("latin-1", "✗ müller …", "failed müller ~"),
        ("utf-8", "✓ clip\udcff.wav", "✓ clip?.wav"),  # a file name that is not UTF-8
    ],
)
def test_characters_that_the_encoding_lacks_are_replaced_by_similar_ones(
    monkeypatch: pytest.MonkeyPatch, encoding: str, text: str, shown: str
) -> None:
    assert printed(monkeypatch, encoding, lambda: print(text)) == f"{shown}\n"


@pytest.mark.parametrize(("encoding", "line"), [("ascii", "---+---"), ("latin-1", "---+---"), ("utf-8", "━━━╇━━━")])
def test_tables_use_only_characters_of_the_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str, line: str) -> None:
    table = Table("a", "b", show_edge=False)
    table.add_row("1", "2")
    shown = printed(monkeypatch, encoding, lambda: terminal.print_table(table))
    assert line in shown
    assert "?" not in shown


def test_a_table_is_as_wide_as_the_variable_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table("a", expand=True)
    for columns, width in (("80", 80), (None, terminal.WIDTH_WITHOUT_TERMINAL)):
        if columns:
            monkeypatch.setenv("COLUMNS", columns)
        else:
            monkeypatch.delenv("COLUMNS")
        terminal.print_table(table)
        assert {len(line) for line in capsys.readouterr().out.splitlines()} == {width}


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", True), ("ascii", False), ("iso-8859-1", False)])
def test_a_unicode_console_is_known_by_its_encoding(encoding: str, expected: bool) -> None:
    assert terminal.is_unicode(Console(file=io.TextIOWrapper(io.BytesIO(), encoding=encoding))) is expected
