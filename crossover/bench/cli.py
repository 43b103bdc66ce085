"""`crossover bench`."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from crossover.bench.run.arrivals import KINDS
from crossover.errors import UsageError
from crossover.inputs import whole_numbers
from crossover.terminal import print_table

app = typer.Typer(help="Measure a deployed variant, and the handlers on this machine.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure a deployed variant, and the handlers on this machine."""


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
    check_writable(output)
    with Console(stderr=True).status("starting ...") as status:
        document = benchmark.run(options, progress=lambda what: status.update(f"{what} ..."))
    finish(document, shown.tables, shown.sentences, output, as_json=as_json)


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


def check_writable(output: Path | None) -> None:
    """Before minutes are spent on what could not be written."""
    if output is not None and not output.parent.is_dir():
        raise UsageError(f"The result cannot be written to {output}: there is no folder {output.parent}.")
    if output is not None and output.is_dir():
        raise UsageError(f"The result cannot be written to {output}: it is a folder.")


def finish(
    document: Mapping[str, Any],
    tables: Callable[[Mapping[str, Any]], list[Table]],
    sentences: Callable[[Mapping[str, Any]], list[str]],
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write a result where that is asked for, and print it."""
    from crossover.documents import write

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
