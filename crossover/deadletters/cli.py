"""`crossover deadletters`: events that failed for good, on AWS or on the local AWS."""

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any, TypedDict

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossover.aws import Clients, aws_errors, open_clients
from crossover.dead_letter_queue import MAX_RECEIVE_COUNT, DeadLetter, Scan
from crossover.deadletters import deleting, redriving
from crossover.deployed import Variant, find_variants
from crossover.errors import UsageError
from crossover.function_log import log_group
from crossover.inputs import split_names
from crossover.local.work import open_local_aws
from crossover.local.workspace import Workspace
from crossover.project import PREFIX_HELP, stack_prefix
from crossover.terminal import print_table, printable

app = typer.Typer(
    help="Events that failed for good: list, show, redrive and delete them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Variants = Annotated[str, typer.Option(help="Names separated by commas; all by default.", show_default=False)]
Prefix = Annotated[str, typer.Option(help=PREFIX_HELP, show_default=False)]
Local = Annotated[bool, typer.Option("--local", help="On the local AWS that `crossover local up` started.")]

SHOWN_ID_LENGTH = 8  # enough for `show` and `redrive`, unless there are very many
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command("list")
def list_dead_letters(
    variants: Variants = "",
    prefix: Prefix = "",
    limit: Annotated[int, typer.Option(min=1, help="Maximum number to show for each variant.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the events.")] = False,
    local: Local = False,
) -> None:
    """List the dead letters of the deployed variants. They stay in their queues."""
    with _deployed(variants, prefix, local) as (clients, found):
        dead_letters: list[tuple[Variant, DeadLetter]] = []
        for variant in found:
            with Scan(clients("sqs"), variant.dead_letter_queue) as scan:
                first = list(islice(scan, limit))
            dead_letters += [(variant, dead_letter) for dead_letter in first]
            more = " and ".join(filter(None, [f"--limit {limit} is reached" if len(first) == limit else "", scan.more]))
            if more:
                errors.print(f"{variant.name}: there may be more dead letters: {more}.")
            _name_log(clients, variant, first)
    if as_json:
        print(json.dumps([_as_json(*each) for each in dead_letters], indent=2))
    elif dead_letters:
        print_table(_table(dead_letters))
    else:
        print("There are no dead letters.")


@app.command()
def show(
    dead_letter_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the first characters of it.")],
    variants: Variants = "",
    prefix: Prefix = "",
    local: Local = False,
) -> None:
    """Print one dead letter as JSON: its event, and the function's error."""
    with _deployed(variants, prefix, local) as (clients, found):
        [(variant, dead_letter)] = redriving.find(clients, found, [dead_letter_id])
        _name_log(clients, variant, [dead_letter])
    print(json.dumps(_as_json(variant, dead_letter), indent=2))


@app.command()
def redrive(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids; all dead letters by default.")
    ] = None,
    variants: Variants = "",
    prefix: Prefix = "",
    key: Annotated[str, typer.Option(help="Only where an object's key has this prefix.")] = "",
    error: Annotated[str, typer.Option(help="Only this type of error, as `list` shows it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be redriven.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    local: Local = False,
) -> None:
    """Invoke the functions with the events of dead letters again. Safe to repeat.

    With an upload queue the events are sent to it. A dead letter leaves its queue once Lambda or SQS has accepted its
    event; an event that fails again comes back.
    """
    with _deployed(variants, prefix, local) as (clients, found):
        chosen = [dead_letter.id for _, dead_letter in redriving.find(clients, found, ids)] if ids else []
        choice = redriving.Choice(ids=chosen, key=key, error=error)
        if not (yes or dry_run):
            if not redriving.any_chosen(clients, found, choice):
                print(f"There are no dead letters to redrive of {_names(found)}{_criteria(choice)}.")
                return
            if not sys.stdin.isatty():
                raise UsageError("Redriving asks first, but standard input is not a terminal; add --yes or --dry-run.")
            which = f"{len(choice.ids)}" if choice.ids else "all"
            if not typer.confirm(f"Redrive {which} dead letters of {_names(found)}{_criteria(choice)}?"):
                print("Nothing was redriven.")
                raise typer.Exit(1)
        outcomes = {}
        for variant in found:
            outcomes[variant.name] = redriving.redrive(
                clients, variant, choice, dry_run=dry_run, report=lambda each, what: print(_line(each, what))
            )
    for name, outcome in outcomes.items():
        more = f"; there may be more dead letters: {outcome.more}" if outcome.more and not chosen else ""
        done = "would be redriven" if dry_run else "redriven"
        print(f"{name}: {outcome.redriven} {done}, {outcome.left} left in the queue{more}.")
    seen = sum(outcome.redriven + outcome.left for outcome in outcomes.values())
    if chosen and not (key or error) and seen < len(chosen):
        print(f"Not redriven because another reader holds them: {len(chosen) - seen}.")
        raise typer.Exit(1)
    if any(outcome.left for outcome in outcomes.values()):
        raise typer.Exit(1)


@app.command()
def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or the first characters of them.")],
    variants: Variants = "",
    prefix: Prefix = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    local: Local = False,
) -> None:
    """Delete dead letters, with their events. Files that they are about get no item, unless they are uploaded again."""
    with _deployed(variants, prefix, local) as (clients, found):
        chosen = {dead_letter.id: dead_letter for _, dead_letter in redriving.find(clients, found, ids)}
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("Deleting asks first, but standard input is not a terminal; add --yes.")
            for dead_letter in chosen.values():
                print(_line(dead_letter, dead_letter.reason))
            if not typer.confirm(f"Delete {len(chosen)} of the dead letters of {_names(found)}?"):
                print("Nothing was deleted.")
                raise typer.Exit(1)
        deleted = set().union(*(deleting.delete(clients, variant, chosen) for variant in found))
    print(f"Deleted: {len(deleted)}.")
    if len(deleted) < len(chosen):
        print(f"Not deleted because another reader holds them: {len(chosen) - len(deleted)}.")
        raise typer.Exit(1)


@contextlib.contextmanager
def _deployed(names: str, prefix: str, local: bool) -> Iterator[tuple[Clients, list[Variant]]]:
    """The deployed variants with these names, and the clients of the AWS that they are on."""
    with contextlib.ExitStack() as stack:
        deployed_by = "npx cdk deploy --all"
        if local:
            stack.enter_context(open_local_aws(Workspace(), errors)).running()
            deployed_by = "crossover local deploy"
        stack.enter_context(aws_errors())
        clients, prefix = open_clients(), prefix or stack_prefix()
        yield clients, find_variants(clients, prefix=prefix, names=split_names(names), deployed_by=deployed_by)


def _name_log(clients: Clients, variant: Variant, dead_letters: list[DeadLetter]) -> None:
    """Say which log has the reasons of dead letters that have none of their own."""
    if not any(dead_letter.condition == MAX_RECEIVE_COUNT for dead_letter in dead_letters):
        return
    if group := log_group(clients, variant.function):  # who may read the queue may not always ask Lambda
        errors.print(f"{variant.name}: the function's log is {group}.")


def _names(variants: list[Variant]) -> str:
    return ", ".join(variant.name for variant in variants)


def _criteria(choice: redriving.Choice) -> str:
    key = f" with keys that begin with {choice.key!r}" if choice.key else ""
    return f"{key} with the error {choice.error}" if choice.error else key


def _line(dead_letter: DeadLetter, what: str) -> str:
    return printable(" ".join([dead_letter.id, *dead_letter.keys])) + f": {printable(what)}"


class _DeadLetterJson(TypedDict):
    """A dead letter; `record` is Lambda's, with the event, or the event itself, or else the message's text."""

    id: str
    variant: str
    sent_at: str
    keys: list[str]
    error_type: str
    error_message: str
    condition: str
    attempts: int | None
    record: Mapping[str, Any] | str


def _as_json(variant: Variant, dead_letter: DeadLetter) -> _DeadLetterJson:
    return {
        "id": dead_letter.id,
        "variant": variant.name,
        "sent_at": dead_letter.sent_at.isoformat(timespec="milliseconds"),
        "keys": dead_letter.keys,
        "error_type": dead_letter.error_type,
        "error_message": dead_letter.error_message,
        "condition": dead_letter.condition,
        "attempts": dead_letter.attempts,
        "record": dead_letter.body,
    }


def _table(dead_letters: list[tuple[Variant, DeadLetter]]) -> Table:
    """Id, variant, keys, error, why Lambda gave up, and when; fits 80 columns."""
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("variant", no_wrap=True)
    table.add_column("keys", overflow="fold")
    table.add_column("error", overflow="fold")
    table.add_column("condition (attempts)", overflow="fold", max_width=20)
    table.add_column("when, UTC", max_width=19)
    for variant, dead_letter in dead_letters:
        attempts = "" if dead_letter.attempts is None else f" ({dead_letter.attempts})"
        table.add_row(
            dead_letter.id[:SHOWN_ID_LENGTH],
            variant.name,
            Text(printable(", ".join(dead_letter.keys)) or "no upload"),
            Text(printable(dead_letter.reason)),
            Text(printable(dead_letter.condition) + attempts),
            f"{dead_letter.sent_at:%Y-%m-%d %H:%M:%S}",
        )
    return table
