"""`crossover bench`."""

import json
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crossover.bench import micro as micro_benchmark
from crossover.bench.soak import run as soak_run
from crossover.bench.soak.faults import FAULTS
from crossover.inputs import variant_names
from crossover.local.work import known_variants

SHOWN_PROBLEMS = 20

app = typer.Typer(help="Measure speed, and what faults can do.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure speed, and what faults can do."""


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


@app.command()
def soak(
    uploads: Annotated[int, typer.Option(min=1, max=100_000, help="How many, over all variants.")] = 2000,
    fault_rate: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of the objects whose requests meet a fault, and of those whose event is late or comes twice.",
        ),
    ] = 0.2,
    variants: Annotated[str, typer.Option(help="Names with commas between them, or all.")] = "all",
    seed: Annotated[int, typer.Option(help="Of the plan: the same seed, the same uploads and faults.")] = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Events under way, and functions running.")] = 8,
    timeout: Annotated[float, typer.Option(min=10, help="Longest time for all uploads to end, in seconds.")] = 1800,
    sabotage: Annotated[
        soak_run.Sabotage | None,
        typer.Option(help="Break the pipeline on purpose: the soak must notice it.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Upload to a local AWS while faults are injected: every upload must end as an item or as a dead letter."""
    options = soak_run.Options(
        uploads=uploads,
        variants=tuple(variant_names("" if variants == "all" else variants, allowed=known_variants())),
        fault_rate=fault_rate,
        seed=seed,
        concurrency=concurrency,
        timeout_seconds=timeout,
        sabotage=sabotage,
    )
    report = soak_run.run(options, console=Console(stderr=True))
    if as_json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        _print_soak(report)
    if not report.holds:
        raise typer.Exit(1)


def _print_soak(report: soak_run.Report) -> None:
    console = Console()
    variants = report.options.variants
    columns = {variant: report.audit.count(variant) for variant in variants}
    if len(variants) > 1:
        columns["all"] = report.audit.count()
    console.print(_soak_table("uploads", columns))
    injected = soak_run.injected_by_fault(report.traffic)
    faults = [fault.name for fault in FAULTS if fault.name in injected]
    console.print(_soak_table("faults injected", {name: {f: injected[f][name] for f in faults} for name in variants}))
    events = ", ".join(f"{number:,} {what}" for what, number in soak_run.events_of(report).items())
    requests = ", ".join(f"{number:,} to {service}" for service, number in sorted(report.traffic.requests.items()))
    console.print(f"S3's events: {events}.", highlight=False, soft_wrap=True)
    met = report.traffic.injected.total()
    console.print(f"Requests of the workers: {requests}; {met:,} met a fault.", highlight=False, soft_wrap=True)
    for problem in report.audit.problems[:SHOWN_PROBLEMS]:
        console.print(f"✗ {problem}", style="red", highlight=False, markup=False, soft_wrap=True)
    if not report.is_finished:
        seconds = report.options.timeout_seconds
        console.print(f"✗ Not all had come to an end after {seconds:g} s.", style="red", highlight=False)
    console.print(report.audit.sentence, highlight=False, soft_wrap=True)
    console.print(f"All had come to their end after {report.seconds:.0f} s.", highlight=False)


def _soak_table(title: str, columns: dict[str, dict[str, int]]) -> Table:
    """One row for each name in the columns."""
    table = Table(show_edge=False, header_style="bold")
    table.add_column(title)
    for name in columns:
        table.add_column(name, justify="right")
    for row in next(iter(columns.values())):
        table.add_row(row, *[f"{column[row]:,}" for column in columns.values()])
    return table


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
