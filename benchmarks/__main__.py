"""`python -m benchmarks peers`, `soak` and `burst`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.soak import run as soak_run
from benchmarks.soak.faults import FAULTS
from crossover import command_line
from crossover.bench.cli import check_writable, print_tables, save
from crossover.errors import UsageError
from crossover.inputs import whole_numbers
from crossover.project import choose_variants
from crossover.published_models import MODEL_HELP

SHOWN_PROBLEMS = 20

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def peers(
    parts: Annotated[str, typer.Option(help="handlers, serving, or both, separated by a comma.")] = "handlers,serving",
    processes: Annotated[int, typer.Option(min=1, max=1000, help="Fresh processes of each handler.")] = 7,
    calls: Annotated[int, typer.Option(min=1, max=1000, help="Warm calls in each process.")] = 10,
    servers: Annotated[str, typer.Option(help="Names, separated by commas; all by default.")] = "",
    clients: Annotated[
        str, typer.Option(help="Numbers of clients at once, separated by commas; one step for each.")
    ] = "1,2,4,8,16",
    seconds: Annotated[int, typer.Option(help="Length of each step, s.")] = 2,
    rounds: Annotated[
        int, typer.Option(help="Rounds; in each, every server has one turn, and this project's three.")
    ] = 3,
    output: Annotated[
        Path | None, typer.Option(help="Write the result, with every observation.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every observation.")] = False,
) -> None:
    """Compare this project's handler and server with others on this machine.

    Takes about half an hour, and about 3 GB for the peers' packages.
    """
    from benchmarks.peers import measure_peers  # here, because few commands need it

    options = measure_peers.Options(
        parts=_names(parts),
        processes=processes,
        calls=calls,
        servers=_names(servers),
        clients=whole_numbers("--clients", clients),
        seconds=seconds,
        rounds=rounds,
    )
    check_writable(output)
    with Console(stderr=True).status("starting ...") as status:
        document = measure_peers.run(options, progress=lambda what: status.update(f"{what} ..."))
    save(document, output)
    if as_json:
        print(json.dumps(document, indent=1))
    else:
        print_tables(measure_peers.tables(document), measure_peers.sentences(document), output)


@app.command()
def soak(
    uploads: Annotated[int, typer.Option(min=1, max=100_000, help="Number of uploads, over all variants.")] = 2000,
    fault_rate: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of objects whose requests meet a fault, and of those whose event is late or delivered twice.",
        ),
    ] = 0.2,
    variants: Annotated[
        str, typer.Option(help="Names, separated by commas, or all; by default those of cdk.json.", show_default=False)
    ] = "",
    model: Annotated[str, typer.Option(help=f"{MODEL_HELP}; by default that of cdk.json.", show_default=False)] = "",
    settings: Annotated[
        str,
        typer.Option(
            help="Settings of the app, separated by commas, such as ingest=queue,max_concurrency=2.", show_default=False
        ),
    ] = "",
    seed: Annotated[int, typer.Option(help="Seed of the plan of uploads and faults.")] = 1,
    concurrency: Annotated[
        int, typer.Option(min=1, max=64, help="Maximum number of events, and functions, at once.")
    ] = 8,
    timeout: Annotated[float, typer.Option(min=10, help="Maximum time for all uploads to end, s.")] = 1800,
    negative_control: Annotated[
        soak_run.NegativeControl | None,
        typer.Option(help="Break the pipeline on purpose: the soak must detect it.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Upload to a local AWS while faults are injected: every upload must end as an item or as a dead letter."""
    options = soak_run.Options(
        uploads=uploads,
        variants=tuple(choose_variants(variants)),
        fault_rate=fault_rate,
        seed=seed,
        concurrency=concurrency,
        timeout_seconds=timeout,
        model=model,
        settings=_settings(settings),
        negative_control=negative_control,
    )
    report = soak_run.run(options, console=Console(stderr=True))
    if as_json:
        print(json.dumps(report.to_json(), indent=2))
    else:
        _print_soak(report)
    if not report.holds:
        raise typer.Exit(1)


@app.command()
def burst(
    uploads: Annotated[int, typer.Option(min=1, max=100_000, help="Number of uploads in each burst.")] = 5000,
    audio_seconds: Annotated[int, typer.Option(min=1, max=600, help="Length of each file, s.")] = 60,
    concurrency: Annotated[
        int, typer.Option(min=3, max=1000, help="The account's limit of concurrent executions.")
    ] = 100,
    max_concurrency: Annotated[int, typer.Option(min=2, max=1000, help="With the queue, proxies at once.")] = 4,
    timeout: Annotated[float, typer.Option(min=10, help="Maximum time of each burst, s.")] = 3600,
    output: Annotated[Path | None, typer.Option(help="Write the result.", show_default=False)] = None,
) -> None:
    """Upload a burst to the sagemaker variant on a local AWS, with ingest=direct and with ingest=queue."""
    from benchmarks import burst as bursts  # here, because few commands need it

    options = bursts.Options(
        uploads=uploads,
        audio_seconds=audio_seconds,
        concurrency=concurrency,
        max_concurrency=max_concurrency,
        timeout_seconds=timeout,
    )
    check_writable(output)
    document = bursts.run(options, console=Console(stderr=True))
    if output:
        output.write_text(json.dumps(document, indent=1) + "\n")
    console = Console()
    console.print(_soak_table("burst", document["results"]))


def _settings(text: str) -> dict[str, str]:
    """The settings in a text, by their names.

    Raises:
        UsageError: one has no value.
    """
    pairs = [each.partition("=") for each in _names(text)]
    for name, equals, _ in pairs:
        if not equals:
            raise UsageError(f"The setting is {name!r}; it must have the form NAME=VALUE.")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


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
        console.print(f"✗ Not all uploads had ended after {seconds:g} s.", style="red", highlight=False)
    console.print(report.audit.sentence, highlight=False, soft_wrap=True)
    console.print(f"The last upload had ended after {report.seconds:.0f} s.", highlight=False)


def _soak_table(title: str, columns: dict[str, dict[str, int]]) -> Table:
    """One row for each name in the columns."""
    table = Table(show_edge=False, header_style="bold")
    table.add_column(title)
    for name in columns:
        table.add_column(name, justify="right")
    for row in next(iter(columns.values())):
        table.add_row(row, *[f"{column[row]:,}" for column in columns.values()])
    return table


def main() -> None:
    command_line.main(app, "benchmarks")


if __name__ == "__main__":
    main()
