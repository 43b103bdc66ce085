"""What `crossover bench run` needs before it measures: AWS, the variants, the user's confirmation, a journal."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console

from crossover.aws import Clients, open_clients
from crossover.bench.run import display
from crossover.bench.run.contents import CONTENTS
from crossover.bench.run.context import Clock
from crossover.bench.run.deployment import Deployment, describe, kind_of
from crossover.bench.run.journal import Journal
from crossover.bench.run.load import MOST_AT_ONCE
from crossover.bench.run.load_test import new_run_id
from crossover.bench.run.plan import Plan
from crossover.bench.run.spend import duration_seconds, estimate
from crossover.cost.prices import Prices
from crossover.deployed import find_variants
from crossover.errors import UsageError
from crossover.handler_sources import inference
from crossover.inputs import input_files
from crossover.local.ports import free_port
from crossover.local.process import Emulator
from crossover.local.python_environments import find_interpreter
from crossover.local.work import open_local_aws
from crossover.local.workspace import Workspace
from crossover.project import stack_prefix


def check_output(output: Path, *, resume: bool) -> None:
    """Refuse to overwrite a result, which may have cost money, or to start anew where a benchmark can be resumed.

    Raises:
        UsageError: the result cannot be written there.
    """
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise UsageError(f"The result cannot be written to {output}: it must be a file in a folder that exists.")
    journal = journal_of(output)
    if not resume and output.exists():
        raise UsageError(f"The result {output} exists already; name another one with --output.")
    if not resume and journal.exists():
        raise UsageError(
            f"The journal {journal} is of a benchmark that did not end; resume it with --resume, or delete the journal."
        )
    if resume and not journal.exists():
        raise UsageError(f"There is nothing to resume: there is no journal {journal}.")


def journal_of(output: Path) -> Path:
    """The path of a result's journal."""
    return output.with_name(f"{output.name}.journal")


def default_output() -> Path:
    """A file name with the current time."""
    moment = datetime.fromtimestamp(Clock().wall(), UTC)
    return Path(f"bench-{moment:%Y%m%dT%H%M%SZ}.json")


@contextlib.contextmanager
def connect(names: Sequence[str], console: Console, *, local: bool) -> Iterator[Clients]:
    """Clients of the account, or of the local AWS; unless one is running, it is started and the variants deployed."""

    clients = open_clients(connections=MOST_AT_ONCE)  # one for each request that may be in progress
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
            aws.start_emulator(interpreter, port=free_port())
            aws.bootstrap()
            aws.deploy(*synth)
        yield clients


def find_deployments(clients: Clients, names: Sequence[str], *, prefix: str, local: bool) -> list[Deployment]:
    """The deployed variants of these names, with their settings.

    Args:
        prefix: the setting stack_prefix; where empty, the project's.

    Raises:
        UsageError: one is not deployed.
        botocore.exceptions.BotoCoreError, ClientError: AWS did not answer.
    """
    prefix = prefix or stack_prefix()
    deployed_by = "crossover local deploy" if local else "npx cdk deploy --all"
    found = find_variants(clients, prefix=prefix, names=names, deployed_by=deployed_by)
    return [describe(clients, variant) for variant in found]


def find_samples(deployments: Sequence[Deployment], named: Path | None) -> tuple[str, list[Path]]:
    """The kind of input of the variants, and the samples that files are made from.

    Args:
        named: a file or a folder; None for the project's own.

    Raises:
        UsageError: the kind is not known, there are no samples of it, or they cannot be read.
    """
    kind = kind_of(deployments)
    if not kind and named is None:
        raise UsageError(
            f"The stack {deployments[0].variant.stack} has no output InputKind, which says what its model takes; "
            "--samples must name files."
        )
    samples = named or CONTENTS[kind].samples
    if samples is None:
        raise UsageError(f"There are no samples for a model that takes {kind}; --samples must name a file or a folder.")
    paths = input_files([samples], kind)
    return kind or _kind_by_name(paths), paths


def _kind_by_name(paths: Sequence[Path]) -> str:
    """The kind of input of files, by their suffixes."""
    suffixes = {path.suffix.lower() for path in paths}
    for kind, each in inference("inputs").KINDS.items():
        if kind in CONTENTS and suffixes <= set(each.suffixes):
            return str(kind)
    listed = ", ".join(sorted(suffixes))
    raise UsageError(f"The samples end in {listed}; all must be of one kind of input: {', '.join(CONTENTS)}.")


def confirm_cost(
    plan: Plan,
    deployments: Sequence[Deployment],
    prices: Prices,
    console: Console,
    *,
    max_usd: float,
    local: bool,
    yes: bool,
) -> bool:
    """Show what the benchmark may cost and ask for confirmation; the local AWS costs nothing and does not ask.

    Raises:
        UsageError: it may cost more than `max_usd`, or there is no terminal to ask on.
    """
    lines = estimate(plan, deployments, prices)
    usd = sum(line.usd for line in lines)
    seconds = duration_seconds(plan, deployments)
    console.print(display.estimate_table(lines, plan, seconds, is_rehearsal=local))
    if usd > max_usd:
        raise UsageError(f"It may cost {usd:.2f} USD; --max-usd allows {max_usd:g}.")
    if local or yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"There is no terminal to ask on whether to spend about {usd:.4f} USD; --yes says so.")
    return typer.confirm(f"Spend about {usd:.4f} USD, and {max_usd:g} at most?", err=True)


def open_journal(output: Path, plan: Plan, clock: Clock, *, local: bool, resume: bool) -> Journal:
    """A new journal, or that of the benchmark to resume.

    Raises:
        UsageError: it cannot be written or read, or is of another benchmark.
    """
    written = {**plan.to_json(), "local": local}
    if resume:
        return Journal.resume(journal_of(output), written, started=clock.wall())
    return Journal.create(journal_of(output), written, run_id=new_run_id(), started=clock.wall())
