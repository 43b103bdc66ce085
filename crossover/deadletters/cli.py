"""`crossover deadletters`: what failed in the end, on AWS or on the local AWS."""

import contextlib
import json
import sys
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Annotated, Any

import boto3
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossover.deadletters import redriving
from crossover.deadletters.letters import DeadLetter
from crossover.deadletters.queue import Walk
from crossover.deployed import Clients, Variant, aws_errors, find_variants
from crossover.errors import UsageError
from crossover.local.cdk_cli import settings
from crossover.local.work import open_local_aws
from crossover.local.workspace import Workspace
from crossover.terminal import print_table, printable

app = typer.Typer(
    help="What failed in the end: look at it, and put it on its way again.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Variants = Annotated[str, typer.Option(help="Names with commas between them; all by default.", show_default=False)]
Prefix = Annotated[
    str, typer.Option(help="The stack_prefix of the stacks: Crossover, or cdk.json's.", show_default=False)
]
Local = Annotated[bool, typer.Option("--local", help="On the local AWS that `crossover local up` started.")]

SHOWN_ID_LENGTH = 8  # enough for `show` and `redrive`, unless there are very many
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command("list")
def list_letters(
    variants: Variants = "",
    prefix: Prefix = "",
    limit: Annotated[int, typer.Option(min=1, help="Most letters of one variant.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the events.")] = False,
    local: Local = False,
) -> None:
    """The dead letters of the deployed variants. They stay in their queues."""
    with _deployed(variants, prefix, local) as (clients, found):
        letters: list[tuple[Variant, DeadLetter]] = []
        for variant in found:
            with Walk(clients("sqs"), variant.dead_letter_queue) as walk:
                first = list(islice(walk, limit))
            letters += [(variant, letter) for letter in first]
            more = " and ".join(filter(None, [f"--limit {limit} is reached" if len(first) == limit else "", walk.more]))
            if more:
                errors.print(f"{variant.name}: there may be more letters: {more}.")
    if as_json:
        print(json.dumps([_plain(*letter) for letter in letters], indent=2))
    elif letters:
        print_table(_table(letters))
    else:
        print("There are no dead letters.")


@app.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="Of the letter, or its beginning.")],
    variants: Variants = "",
    prefix: Prefix = "",
    local: Local = False,
) -> None:
    """One dead letter as JSON: its event, and what the function said."""
    with _deployed(variants, prefix, local) as (clients, found):
        [letter] = redriving.find(clients, found, [letter_id])
    print(json.dumps(_plain(*letter), indent=2))


@app.command()
def redrive(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these letters.")] = None,
    variants: Variants = "",
    prefix: Prefix = "",
    key: Annotated[str, typer.Option(help="Only where an object's key begins so.")] = "",
    error: Annotated[str, typer.Option(help="Only this type of error, as `list` shows it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be redriven.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    local: Local = False,
) -> None:
    """Invoke the functions with the events of dead letters again. Safe to repeat.

    A letter leaves the queue once Lambda has taken its event; one whose event fails again comes back.
    """
    if not (yes or dry_run or sys.stdin.isatty()):
        raise UsageError("Redriving asks first, but there is no terminal to ask on; add --yes, or --dry-run to look.")
    with _deployed(variants, prefix, local) as (clients, found):
        chosen = [letter.id for _, letter in redriving.find(clients, found, ids)] if ids else []
        choice = redriving.Choice(ids=chosen, key=key, error=error)
        if not (yes or dry_run) and not typer.confirm(_question(choice, found)):
            print("Nothing was redriven.")
            raise typer.Exit(1)
        outcomes = {}
        for variant in found:
            outcomes[variant.name] = redriving.redrive(
                clients, variant, choice, dry_run=dry_run, report=lambda letter, what: print(_line(letter, what))
            )
    for name, outcome in outcomes.items():
        more = f"; there may be more letters: {outcome.more}" if outcome.more and not chosen else ""
        done = "would be redriven" if dry_run else "redriven"
        print(f"{name}: {outcome.redriven} {done}, {outcome.left} left in the queue{more}.")
    met = sum(outcome.redriven + outcome.left for outcome in outcomes.values())
    if chosen and not (key or error) and met < len(chosen):
        print(f"Letters that were not met because another reader holds them: {len(chosen) - met}.")
        raise typer.Exit(1)
    if any(outcome.left for outcome in outcomes.values()):
        raise typer.Exit(1)


@contextlib.contextmanager
def _deployed(names: str, prefix: str, local: bool) -> Iterator[tuple[Clients, list[Variant]]]:
    """The deployed variants with these names, and the clients of the AWS where they are."""
    with contextlib.ExitStack() as stack:
        deployed_by = "npx cdk deploy"
        if local:
            stack.enter_context(open_local_aws(Workspace(), errors)).running()
            prefix, deployed_by = prefix or settings()["stack_prefix"], "crossover local deploy"
        stack.enter_context(aws_errors())
        clients = cache(boto3.client)
        wanted = names.replace(",", " ").split()
        yield clients, find_variants(clients, prefix=prefix or "Crossover", names=wanted, deployed_by=deployed_by)


def _question(choice: redriving.Choice, variants: list[Variant]) -> str:
    which = f"{len(choice.ids)}" if choice.ids else "all"
    limits = [f"with keys that begin with {choice.key!r}"] if choice.key else []
    limits += [f"with the error {choice.error}"] if choice.error else []
    names = ", ".join(variant.name for variant in variants)
    return " ".join([f"Redrive {which} dead letters of {names}", *limits]) + "?"


def _line(letter: DeadLetter, what: str) -> str:
    return printable(" ".join([letter.id, *letter.keys])) + f": {printable(what)}"


def _plain(variant: Variant, letter: DeadLetter) -> dict[str, Any]:
    """A letter for JSON; `letter` is Lambda's record with the event, or the message's text where it is no record."""
    return {
        "id": letter.id,
        "variant": variant.name,
        "sent_at": letter.sent_at.isoformat(timespec="milliseconds"),
        "keys": letter.keys,
        "error_type": letter.error_type,
        "error_message": letter.error_message,
        "condition": letter.condition,
        "attempts": letter.attempts,
        "letter": letter.body,
    }


def _table(letters: list[tuple[Variant, DeadLetter]]) -> Table:
    """Id, variant, keys, what the function said, why Lambda gave up and when."""
    table = Table(show_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("variant", no_wrap=True)
    table.add_column("keys", overflow="fold")
    table.add_column("error", min_width=20)
    table.add_column("condition (attempts)", max_width=20)
    table.add_column("when, UTC", no_wrap=True)
    for variant, letter in letters:
        table.add_row(
            letter.id[:SHOWN_ID_LENGTH],
            variant.name,
            Text(printable(", ".join(letter.keys)) or "no event of S3"),
            Text(printable(letter.reason)),
            Text(printable(letter.condition) + ("" if letter.attempts is None else f" ({letter.attempts})")),
            f"{letter.sent_at:%Y-%m-%d %H:%M:%S}",
        )
    return table
