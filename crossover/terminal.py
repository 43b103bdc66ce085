"""Tables and foreign text on a terminal."""

from rich.console import Console
from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 120


def print_table(table: Table) -> None:
    """Print a table to standard output, just as wide where that is no terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(table)


def printable(text: str) -> str:
    """Text of unknown origin, such as an object's key, in one line and without what could steer the terminal."""
    return "".join(
        character if character.isprintable() else " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
