"""`crossover bench`."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from crossover.bench.run.arrivals import KINDS
from crossover.bench.soak import run as soak_run
from crossover.bench.soak.faults import FAULTS
from crossover.errors import UsageError
from crossover.inputs import variant_names, whole_numbers
from crossover.local.work import known_variants
from crossover.terminal import print_table

SHOWN_PROBLEMS = 20

app = typer.Typer(help="Measure speed, and what faults can do.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure speed, and what faults can do."""


@app.command()
def micro(
    calls: Annotated[int, typer.Option(min=5, max=1000, help="Warm calls in each process.")] = 20,
    processes: Annotated[int, typer.Option(min=3, max=1000, help="Fresh processes of each configuration.")] = 7,
    memory: Annotated[str, typer.Option(help="Memory sizes, MB, with commas between.")] = (
        "512,768,1024,1536,1769,2048,3008,4096"
    ),
    threads: Annotated[str, typer.Option(help="Of onnxruntime for one prediction, with commas between.")] = "1,2",
    no_quota: Annotated[
        bool, typer.Option("--no-quota", help="Set no processor quotas; derive the memory sizes' durations.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write the result, with every observation.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every observation.")] = False,
) -> None:
    """The handlers on this machine: cold start and warm call by phases, memory sizes, the proxy's memory.

    Takes about five minutes.
    """
    from crossover.bench.micro import benchmark, shown  # here, because few commands need it

    options = benchmark.Options(
        calls=calls,
        processes=processes,
        memory_mb=whole_numbers("--memory", memory),
        threads=whole_numbers("--threads", threads),
        quota=not no_quota,
    )
    _check_writable(output)
    with Console(stderr=True).status("starting ...") as status:
        document = benchmark.run(options, progress=lambda what: status.update(f"{what} ..."))
    _finish(document, shown.tables, shown.sentences, output, as_json=as_json)


@app.command()
def peers(
    parts: Annotated[str, typer.Option(help="handlers, serving, or both with a comma between.")] = "handlers,serving",
    processes: Annotated[int, typer.Option(min=1, max=1000, help="Fresh processes of each handler.")] = 7,
    calls: Annotated[int, typer.Option(min=1, max=1000, help="Warm calls in each process.")] = 10,
    servers: Annotated[str, typer.Option(help="Names with commas between them; all by default.")] = "",
    clients: Annotated[str, typer.Option(help="How many ask a server at once, with commas between.")] = "1,2,4,8,16",
    seconds: Annotated[int, typer.Option(help="Of each step.")] = 2,
    rounds: Annotated[int, typer.Option(help="In which each server has a turn, this project's three.")] = 3,
    output: Annotated[
        Path | None, typer.Option(help="Write the result, with every observation.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every observation.")] = False,
) -> None:
    """This project on this machine beside others that do the same: handlers, and servers under load.

    Takes about half an hour, and some 3 GB for the peers' packages.
    """
    from crossover.bench.peers import benchmark as peers_benchmark  # here, because few commands need it

    options = peers_benchmark.Options(
        parts=_names(parts),
        processes=processes,
        calls=calls,
        servers=_names(servers),
        clients=whole_numbers("--clients", clients),
        seconds=seconds,
        rounds=rounds,
    )
    _check_writable(output)
    with Console(stderr=True).status("starting ...") as status:
        document = peers_benchmark.run(options, progress=lambda what: status.update(f"{what} ..."))
    _finish(document, peers_benchmark.tables, peers_benchmark.sentences, output, as_json=as_json)


@app.command("run")
def run_benchmark(
    variants: Annotated[str, typer.Option(help="Names with commas between them; all by default.")] = "",
    requests: Annotated[
        int | None, typer.Option(help="Of the load, to each variant; 200, or all of a trace.", show_default=False)
    ] = None,
    arrival: Annotated[str, typer.Option(help=f"When they are sent: {KINDS}.")] = "poisson:60rpm",
    audio: Annotated[
        Path | None, typer.Option(help="Recordings, WAV or FLAC; else the project's own.", show_default=False)
    ] = None,
    sizes: Annotated[str, typer.Option(help="Of the files, cut and repeated from the recordings.")] = (
        "12KB,200KB,2MB,25MB"
    ),
    cold: Annotated[
        int,
        typer.Option(
            min=0, max=1000, help="Cold starts to force, of each variant; with SnapStart each makes a version."
        ),
    ] = 0,
    idle: Annotated[
        float, typer.Option(min=0, max=86_400, help="How long an endpoint is idle before a forced cold start, s.")
    ] = 60,
    output: Annotated[
        Path | None, typer.Option(help="The result; by default named after the time.", show_default=False)
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="A rehearsal on the local AWS.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the arrivals, the files' order and the bootstrap.")] = 1,
    max_usd: Annotated[float, typer.Option(min=0, max=100_000, help="It stops once so much is spent.")] = 5.0,
    yes: Annotated[bool, typer.Option("--yes", help="Spend without asking.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the journal beside --output.")] = False,
    timeout: Annotated[float, typer.Option(min=1, max=21_600, help="Longest wait for an item, s.")] = 300,
    log_wait: Annotated[
        float, typer.Option(min=0, max=3600, help="Longest wait for REPORT lines and metrics in the end, s.")
    ] = 120,
    prefix: Annotated[
        str, typer.Option(help="The stack_prefix of the stacks: Crossover, or cdk.json's.", show_default=False)
    ] = "",
    key_prefix: Annotated[
        str, typer.Option(help="The key_prefix that the stacks were deployed with.", show_default=False)
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, without the tables.")] = False,
) -> None:
    """Upload to deployed variants, and join what AWS says of every request: latency, cold starts, what was billed."""
    from crossover.bench.run import command, shown  # here, because boto3 takes a second to import

    errors = Console(stderr=True)
    if resume and output is None:
        raise UsageError("--resume goes on with the journal of an --output; name it.")
    options = command.Options(
        variants=variants,
        requests=requests,
        arrival=arrival,
        audio=audio,
        sizes=sizes,
        cold=cold,
        idle=idle,
        output=output or command.default_output(),
        local=local,
        seed=seed,
        max_usd=max_usd,
        yes=yes,
        resume=resume,
        timeout=timeout,
        log_wait=log_wait,
        prefix=prefix,
        key_prefix=key_prefix,
    )
    ended = command.run(options, errors)
    if ended is None:
        errors.print("Nothing was measured.")
        raise typer.Exit(1)
    if as_json:
        print(json.dumps(ended.document, indent=1))
    else:
        print_table(shown.result_table(ended.document))
        throughput = shown.throughput_table(ended.document)
        if throughput:
            print_table(throughput)
        for sentence in shown.sentences(ended.document):
            print(sentence)
        print(f"The result is {options.output}.")
    if ended.left or ended.document["stopped"]:
        raise typer.Exit(1)


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


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _check_writable(output: Path | None) -> None:
    """Before minutes are spent on what could not be written."""
    if output is not None and not output.parent.is_dir():
        raise UsageError(f"The result cannot be written to {output}: there is no folder {output.parent}.")
    if output is not None and output.is_dir():
        raise UsageError(f"The result cannot be written to {output}: it is a folder.")


def _finish(
    document: Mapping[str, Any],
    tables: Callable[[Mapping[str, Any]], list[Table]],
    sentences: Callable[[Mapping[str, Any]], list[str]],
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write a result where that is asked for, and print it."""
    from crossover.bench.result import write  # here, because boto3 takes a second to import

    if output is not None:
        write(output, document)
    if as_json:
        print(json.dumps(document, indent=1))
        return
    for table in tables(document):
        print_table(table)
        print()
    for sentence in sentences(document):
        print(sentence)
    if output is not None:
        print(f"The result is {output}.")


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
