"""`crossover bench`."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crossover import documents
from crossover.bench.run.contents import CONTENTS
from crossover.bench.run.schedule import KINDS, parse_schedule
from crossover.errors import UsageError
from crossover.inputs import input_files, whole_numbers
from crossover.project import PREFIX_HELP, choose_variants, registered_variants
from crossover.published_models import DEFAULT, MODEL_HELP
from crossover.terminal import print_table

app = typer.Typer(
    help="Measure a deployed variant, and the handlers on this machine.", no_args_is_help=True, add_completion=False
)


@app.callback()
def bench() -> None:
    """Measure a deployed variant, and the handlers on this machine."""


@app.command()
def micro(
    model: Annotated[str, typer.Option(help=f"{MODEL_HELP}.")] = DEFAULT,
    file: Annotated[
        Path | None, typer.Option(help="A file that it predicts; by default a sample of its kind.", show_default=False)
    ] = None,
    calls: Annotated[int, typer.Option(min=5, max=1000, help="Warm calls in each process.")] = 20,
    processes: Annotated[int, typer.Option(min=3, max=1000, help="Fresh processes of each configuration.")] = 7,
    memory: Annotated[str, typer.Option(help="Memory sizes, MB, separated by commas.")] = (
        "512,768,1024,1536,1769,2048,3008,4096"
    ),
    threads: Annotated[
        str, typer.Option(help="Threads of onnxruntime for one prediction, separated by commas.")
    ] = "1,2",
    no_quota: Annotated[
        bool, typer.Option("--no-quota", help="Set no CPU quotas; derive the durations of the memory sizes.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write the result, with every observation.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every observation.")] = False,
) -> None:
    """Measure the handlers on this machine: cold start and warm call by phase, memory sizes, the proxy's memory.

    Takes about five minutes.
    """
    from crossover.bench import probing  # these here, because few commands need them
    from crossover.bench.micro import measure, micro_tables

    options = measure.Options(
        calls=calls,
        processes=processes,
        memory_mb=whole_numbers("--memory", memory),
        threads=whole_numbers("--threads", threads),
        quota=not no_quota,
        subject=probing.subject(model, file),
    )
    check_writable(output)
    with Console(stderr=True).status("starting ...") as status:
        document = measure.run(options, progress=lambda what: status.update(f"{what} ..."))
    save(document, output)
    if as_json:
        print(json.dumps(document, indent=1))
    else:
        print_tables(micro_tables.tables(document), micro_tables.sentences(document), output)


@app.command("run")
def run_benchmark(
    variants: Annotated[str, typer.Option(help="Names, separated by commas; all by default.")] = "",
    requests: Annotated[
        int | None,
        typer.Option(help="Requests of the load to each variant; 200, or all of a trace.", show_default=False),
    ] = None,
    arrival: Annotated[str, typer.Option(help=f"When requests are sent: {KINDS}.")] = "poisson:60rpm",
    samples: Annotated[
        Path | None,
        typer.Option(
            help="A file or folder that files are made from: WAV or FLAC, cut; JPEG or PNG, padded; JSON, padded, or "
            ".npy, whose rows are repeated. By default the project's, for audio and pictures.",
            show_default=False,
        ),
    ] = None,
    sizes: Annotated[
        str,
        typer.Option(
            help="Sizes of the files, or original for the samples as they are. By default "
            f"{'; '.join(f'{each.sizes} ({kind})' for kind, each in CONTENTS.items())}.",
            show_default=False,
        ),
    ] = "",
    cold: Annotated[
        int,
        typer.Option(
            min=0, max=1000, help="Cold starts to force for each variant; with SnapStart each publishes a version."
        ),
    ] = 0,
    idle: Annotated[
        float, typer.Option(min=0, max=86_400, help="Idle time of an endpoint before a forced cold start, s.")
    ] = 60,
    output: Annotated[
        Path | None, typer.Option(help="File of the result; named after the time by default.", show_default=False)
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Rehearse on the local AWS.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of arrivals, order of the files and bootstrap.")] = 1,
    max_usd: Annotated[float, typer.Option(min=0, max=100_000, help="Stop once this much is spent.")] = 5.0,
    yes: Annotated[bool, typer.Option("--yes", help="Spend without asking for confirmation.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the benchmark of --output.")] = False,
    timeout: Annotated[float, typer.Option(min=1, max=21_600, help="Maximum wait for an item, s.")] = 300,
    log_wait: Annotated[
        float, typer.Option(min=0, max=3600, help="Maximum wait for REPORT lines and metrics at the end, s.")
    ] = 120,
    prefix: Annotated[str, typer.Option(help=PREFIX_HELP, show_default=False)] = "",
    key_prefix: Annotated[
        str, typer.Option(help="The key_prefix that the stacks were deployed with.", show_default=False)
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of tables.")] = False,
) -> None:
    """Upload to deployed variants and join what AWS reports of each request: latency, cold starts, billed time."""
    # Here, because boto3 takes a second to import.
    from crossover.aws import aws_errors
    from crossover.bench.run import display, session
    from crossover.bench.run.context import Clock, RunContext
    from crossover.bench.run.deployment import shared_limits
    from crossover.bench.run.files import make_files, parse_sizes
    from crossover.bench.run.load_test import LoadTest
    from crossover.bench.run.plan import make_plan
    from crossover.cost.prices import load

    if resume and output is None:
        raise UsageError("--resume needs the --output of the benchmark to resume.")
    output = output or session.default_output()
    console, clock = Console(stderr=True), Clock()
    # On AWS no project is needed: what is deployed under the prefix is measured.
    names = choose_variants(variants) if local else registered_variants(variants)
    slots = parse_schedule(arrival, requests, seed=seed)
    if sizes:
        parse_sizes(sizes)  # this and the next before anything is started
    if samples:
        input_files([samples])
    session.check_output(output, resume=resume)
    with session.connect(names, console, local=local) as clients, aws_errors():
        deployments = session.find_deployments(clients, names, prefix=prefix, local=local)
        kind, paths = session.find_samples(deployments, samples)
        with console.status("making the files") as status:
            files = make_files(
                kind,
                paths,
                parse_sizes(sizes or CONTENTS[kind].sizes),
                shared_limits(deployments, kind),
                announce=lambda what: status.update(f"making {what}"),
            )
        plan = make_plan(
            variants=[deployment.variant.name for deployment in deployments],
            arrivals=arrival,
            slots=slots,
            files=files,
            cold=cold,
            seed=seed,
            idle_seconds=idle,
            key_prefix=key_prefix,
        )
        region = clients("lambda").meta.region_name
        prices = load(region)
        if not session.confirm_cost(plan, deployments, prices, console, max_usd=max_usd, local=local, yes=yes):
            console.print("Nothing was measured.")
            raise typer.Exit(1)
        journal = session.open_journal(output, plan, clock, local=local, resume=resume)
        with display.ProgressBar(console) as bar:
            context = RunContext(
                clients=clients, region=region, is_rehearsal=local, prices=prices, clock=clock, watcher=bar
            )
            test = LoadTest(
                plan,
                deployments,
                journal,
                context,
                max_usd=max_usd,
                timeout_seconds=timeout,
                log_wait_seconds=log_wait,
            )
            try:
                result = test.run()
            except BaseException:
                bar.warn(f"It did not end; --resume resumes it from {journal.path}, which holds what is complete.")
                raise
        documents.write(output, result.document)
        if not result.document["stopped"]:
            journal.remove()
    if as_json:
        print(json.dumps(result.document, indent=1))
    else:
        display.print_result(result.document)
        print(f"The result is {output}.")
    if result.left_behind or result.document["stopped"]:
        raise typer.Exit(1)


def check_writable(output: Path | None) -> None:
    """Refuse an output that cannot be written, before measuring for minutes.

    Raises:
        UsageError: its folder does not exist, or it is a folder itself.
    """
    if output is not None and not output.parent.is_dir():
        raise UsageError(f"The result cannot be written to {output}: there is no folder {output.parent}.")
    if output is not None and output.is_dir():
        raise UsageError(f"The result cannot be written to {output}: it is a folder.")


def save(document: Mapping[str, object], output: Path | None) -> None:
    """Write a result where an output is given."""
    if output is not None:
        documents.write(output, document)


def print_tables(tables: Iterable[Table], sentences: Iterable[str], output: Path | None) -> None:
    """Print a result's tables and sentences, and where the result was written."""
    for table in tables:
        print_table(table)
        print()
    for sentence in sentences:
        print(sentence)
    if output is not None:
        print(f"The result is {output}.")
