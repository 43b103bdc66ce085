"""Predictions of files by deployed variants, and their table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from crossover import terminal
from crossover.aws import Clients
from crossover.deployed import NoPredictionError, Result, Variant, predict
from crossover.inputs import input_files
from crossover.prediction_text import prediction_text
from crossover.terminal import printable


@dataclass(frozen=True, kw_only=True)
class Row:
    """One file's prediction by one variant.

    Attributes:
        file: what was uploaded.
        variant: name of the variant.
        result: the item and its time; None where there is no item.
        problem: why there is no item.
    """

    file: Path
    variant: str
    result: Result | None
    problem: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether there is a prediction."""
        return self.result is not None and self.result.item["status"] == "SUCCEEDED"


def predict_all(
    clients: Clients,
    variants: Sequence[Variant],
    files: Sequence[Path],
    *,
    key: str = "",
    timeout_seconds: float,
    announce: Callable[[str], None] = lambda what: None,
) -> list[Row]:
    """Upload each file to each variant and wait for its item, one after the other, so that they do not slow each other
    down. In place of a folder, the files in it that the variants' model takes.

    Raises:
        UsageError: a file cannot be read, or is of another kind than the model takes.
    """
    kinds = {variant.input_kind for variant in variants}
    rows = []
    for file in input_files(files, kinds.pop() if len(kinds) == 1 else ""):
        for variant in variants:
            announce(f"{file.name} to {variant.name}")
            try:
                result = predict(clients, variant, file, key=key, timeout_seconds=timeout_seconds)
                rows.append(Row(file=file, variant=variant.name, result=result))
            except NoPredictionError as error:
                rows.append(Row(file=file, variant=variant.name, result=None, problem=str(error)))
    return rows


def print_table(rows: Sequence[Row]) -> None:
    """Print the table to standard output."""
    terminal.print_table(table(rows))


def table(rows: Sequence[Row]) -> Table:
    """File, variant, prediction, status, milliseconds from upload to item, cold or warm; fits 80 columns."""
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    table.add_column("file", overflow="fold", max_width=30)
    table.add_column("variant", no_wrap=True)
    table.add_column("prediction", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("ms", no_wrap=True, justify="right")
    table.add_column("start", no_wrap=True)
    for position, row in enumerate(rows):
        first_of_file = position == 0 or rows[position - 1].file != row.file
        if first_of_file and position:
            table.add_section()
        table.add_row(Text(printable(row.file.name) if first_of_file else ""), row.variant, *_cells(row))
    return table


def _cells(row: Row) -> list[str | Text]:
    if row.result is None:
        return [Text(printable(row.problem)), Text("NO ITEM", style="red"), "", ""]
    item = row.result.item
    if item["status"] == "FAILED":
        answer, style = f"{item['error_code']}: {item['error_message']}", "yellow"
    else:
        answer, style = prediction_text(item), "green"
    start = "cold" if item["cold_start"] else "warm"
    return [Text(printable(answer)), Text(item["status"], style=style), f"{row.result.milliseconds:,.0f}", start]
