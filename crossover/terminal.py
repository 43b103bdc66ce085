"""Output on any terminal: with a limited character set, with 80 columns, or without a terminal."""

import codecs
import io
import os
import sys
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing them takes a tenth of a second, and every command imports this module
    from rich.console import Console
    from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 120
ERROR_HANDLER = "crossover"
# What messages and tables use beyond ASCII and Unicode does not decompose. The ellipsis ends a shortened cell, so it
# must stay one column wide. Rich itself draws tables in ASCII where the encoding is not UTF.
REPLACEMENTS = {
    "✓": "ok",
    "✗": "failed",
    "…": "~",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MICRO SIGN}": "u",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "·": ".",
}


def configure_output() -> None:
    """Let standard output and error print what their encoding lacks as something similar instead of failing."""
    codecs.register_error(ERROR_HANDLER, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERROR_HANDLER)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_similar, text)), error.end


def _similar(character: str) -> str:
    if character in REPLACEMENTS:
        return REPLACEMENTS[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain or "?"


def is_unicode(console: "Console") -> bool:
    """Whether the console can show every character."""
    return console.encoding.startswith("utf")


def table_console() -> "Console":
    """Standard output, as wide as the terminal, COLUMNS, or 120 columns where there is neither."""
    from rich.console import Console

    console = Console()
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(width=WIDTH_WITHOUT_TERMINAL)


def print_table(table: "Table") -> None:
    """Print a table to standard output."""
    table_console().print(table)


def printable(text: str) -> str:
    """Text of unknown origin, such as an object's key, on one line and without what could control the terminal."""
    return "".join(
        character if character.isprintable() else " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
