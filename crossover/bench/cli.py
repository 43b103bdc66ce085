"""`crossover bench`."""

import json
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crossover.bench import micro as micro_benchmark

app = typer.Typer(help="Measure speed.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure speed."""


@app.command()
def micro(
    calls: Annotated[int, typer.Option(min=5, help="Warm calls of each side.")] = 50,
    processes: Annotated[int, typer.Option(min=3, help="Fresh processes of each side.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every observation.")] = False,
) -> None:
    """The handlers on this machine: warm call, cold start, the proxy's memory. Takes about two minutes."""
    with Console(stderr=True).status("starting ...") as status:
        report = micro_benchmark.run(
            calls=calls, processes=processes, progress=lambda what: status.update(f"{what} ...")
        )
    if as_json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        Console().print(_table(report))


def _table(report: micro_benchmark.Report) -> Table:
    table = Table(title="Medians on this machine, not AWS figures", show_lines=True)
    for column in ("measured", "median (min to max)", "yardstick", "median (min to max)", "ratio", "at most"):
        table.add_column(column)
    for each in report.measurements:
        table.add_row(
            f"{each.name}, n = {len(each.observed)}",
            _spread(each.observed, each.unit),
            each.yardstick_name,
            _spread(each.yardstick, each.unit) if each.yardstick else "",
            f"{each.result:.2f}" if each.yardstick else "",
            _verdict(each),
        )
    return table


def _spread(values: list[float], unit: str) -> str:
    return f"{median(values):.1f} {unit} ({min(values):.1f} to {max(values):.1f})"


def _verdict(each: micro_benchmark.Measurement) -> str:
    if each.limit is None:
        return ""
    limit = f"{each.limit:.2f}" if each.yardstick else f"{each.limit:.0f} {each.unit}"
    return f"{limit}: {'holds' if each.holds else 'missed'}"
