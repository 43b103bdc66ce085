"""`crossover bench run` from its options to its result."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from crossover import documents
from crossover.aws import Clients, aws_errors, open_clients
from crossover.bench.run import arrivals, shown
from crossover.bench.run.audio import make_files, parse_sizes
from crossover.bench.run.benchmark import Benchmark, Ended, Surroundings, as_text, journal_of, new_run_id
from crossover.bench.run.clocks import Clock
from crossover.bench.run.deployment import Deployment, describe, shared_limits
from crossover.bench.run.journal import Journal
from crossover.bench.run.load import MOST_AT_ONCE
from crossover.bench.run.plan import Plan, make_plan
from crossover.bench.run.spend import duration_seconds, estimate
from crossover.cost.prices import Prices, load
from crossover.deployed import find_variants
from crossover.errors import UsageError
from crossover.inputs import audio_files
from crossover.local.environment import find_interpreter
from crossover.local.ports import free_port
from crossover.local.process import Emulator
from crossover.local.work import open_local_aws
from crossover.local.workspace import Workspace
from crossover.paths import sources
from crossover.project import DEFAULT_PREFIX, choose_variants, stack_prefix

AUDIO = sources() / "model/samples"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for; see the command's help."""

    variants: str
    requests: int | None
    arrival: str
    audio: Path | None
    sizes: str
    cold: int
    idle: float
    output: Path
    local: bool
    seed: int
    max_usd: float
    yes: bool
    resume: bool
    timeout: float
    log_wait: float
    prefix: str
    key_prefix: str


def run(options: Options, console: Console, *, clock: Clock | None = None) -> Ended | None:
    """Measure, and write the result; None where the person does not want to spend the money.

    Raises:
        CrossoverError: something cannot be, or failed.
    """
    clock = clock or Clock()
    names = choose_variants(options.variants)
    slots = arrivals.parse(options.arrival, options.requests, seed=options.seed)
    sizes = parse_sizes(options.sizes)
    recordings = audio_files([options.audio or AUDIO])
    _check_output(options)
    with _aws(options.local, names, console) as clients, aws_errors():
        prefix = options.prefix or (stack_prefix() if options.local else DEFAULT_PREFIX)
        deployed_by = "crossover local deploy" if options.local else "npx cdk deploy"
        found = find_variants(clients, prefix=prefix, names=names, deployed_by=deployed_by)
        deployments = [describe(clients, variant) for variant in found]
        with console.status("making the files") as status:
            files = make_files(
                recordings, sizes, shared_limits(deployments), announce=lambda what: status.update(f"making {what}")
            )
        plan = make_plan(
            variants=names,
            arrivals=options.arrival,
            slots=slots,
            files=files,
            cold=options.cold,
            seed=options.seed,
            idle_seconds=options.idle,
            key_prefix=options.key_prefix,
        )
        region = clients("lambda").meta.region_name
        prices = load(region)
        if not _is_wanted(options, plan, deployments, prices, console):
            return None
        journal = _journal(options, plan, clock)
        with shown.Bar(console) as bar:
            surroundings = Surroundings(
                clients=clients, region=region, is_rehearsal=options.local, prices=prices, clock=clock, watcher=bar
            )
            benchmark = Benchmark(
                plan,
                deployments,
                journal,
                surroundings,
                max_usd=options.max_usd,
                timeout_seconds=options.timeout,
                log_wait_seconds=options.log_wait,
            )
            try:
                ended = benchmark.run()
            except BaseException:
                bar.warn(f"It did not end; what is complete is in {journal.path}: --resume goes on with it.")
                raise
        documents.write(options.output, ended.document)
        if not ended.document["stopped"]:
            journal.remove()
        return ended


def _check_output(options: Options) -> None:
    """Refuse to overwrite a result, which may have cost money, and to begin where one can go on."""
    if options.output.is_dir() or not options.output.absolute().parent.is_dir():
        raise UsageError(
            f"The result cannot be written to {options.output}: it must be a file in a folder that exists."
        )
    journal = journal_of(options.output)
    if not options.resume and options.output.exists():
        raise UsageError(f"The result {options.output} exists already; name another one with --output.")
    if not options.resume and journal.exists():
        raise UsageError(
            f"The journal {journal} is of a benchmark that did not end; --resume goes on with it, or delete it."
        )
    if options.resume and not journal.exists():
        raise UsageError(f"There is nothing to resume: there is no journal {journal}.")


@contextlib.contextmanager
def _aws(local: bool, names: list[str], console: Console) -> Iterator[Clients]:
    """Clients of the account, or of the local AWS, which is started and filled unless one is running."""
    clients = open_clients(connections=MOST_AT_ONCE)
    if not local:
        yield clients
        return
    workspace = Workspace()
    workspace.create()
    with open_local_aws(workspace, console) as aws:
        if Emulator.find(workspace):
            aws.running()
        else:
            interpreter = find_interpreter()
            synth = aws.begin_synth(names, python=interpreter.version)
            aws.bring_up(interpreter, port=free_port())
            aws.bootstrap()
            aws.deploy(*synth)
        yield clients


def _is_wanted(options: Options, plan: Plan, deployments: list[Deployment], prices: Prices, console: Console) -> bool:
    """Show what it may cost, and ask; money is no matter on the local AWS.

    Raises:
        UsageError: it may cost more than allowed, or there is nobody to ask.
    """
    lines = estimate(plan, deployments, prices)
    usd = sum(line.usd for line in lines)
    seconds = duration_seconds(plan, deployments)
    console.print(shown.estimate_table(lines, plan, seconds, is_rehearsal=options.local))
    if usd > options.max_usd:
        raise UsageError(f"It may cost {usd:.2f} USD; --max-usd allows {options.max_usd:g}.")
    if options.local or options.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"There is no terminal to ask on whether to spend about {usd:.4f} USD; --yes says so.")
    return typer.confirm(f"Spend about {usd:.4f} USD, and {options.max_usd:g} at most?", err=True)


def _journal(options: Options, plan: Plan, clock: Clock) -> Journal:
    path, written = journal_of(options.output), {**plan.to_dict(), "local": options.local}
    if options.resume:
        return Journal.resume(path, written, started=clock.wall())
    return Journal.create(path, written, run_id=new_run_id(), started=clock.wall())


def default_output() -> Path:
    """A name with the time of the day."""
    moment = as_text(Clock().wall())[:19].replace(":", "").replace("-", "")
    return Path(f"bench-{moment}Z.json")
