"""`crossover backfill`."""

import contextlib
import json
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console

from crossover import interrupts
from crossover.aws import Clients, aws_errors, open_clients
from crossover.backfill import concurrency, display, jobs, objects, report
from crossover.backfill.jobs import Job
from crossover.backfill.objects import Choice, Count
from crossover.backfill.price import Price, price_of
from crossover.backfill.report import Summary
from crossover.deployed import Variant, find_variants
from crossover.errors import UsageError
from crossover.function_log import log_group
from crossover.local.work import open_local_aws
from crossover.local.workspace import Workspace
from crossover.project import PREFIX_HELP, stack_prefix

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

HELP = """Predict what lies in a variant's bucket already, by a job of S3 Batch Operations.

Shows the price and asks before it makes the job, and then watches it. Ctrl-C ends the watching, not the job. The stack
has to be deployed with the setting backfill=true.

With --list it lists the jobs that S3 knows: until 90 days after their end.

Exits with 1 if the job does not complete, or an object is neither predicted nor refused.
"""
VARIANT_OR_JOB = "VARIANT | --job-id JOB | --cancel JOB | --list"
FIRST_YEAR, LAST_YEAR = 1970, 9998  # Python cannot add to 9999
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command(help=HELP)
def backfill(
    variant: Annotated[
        str, typer.Argument(metavar=VARIANT_OR_JOB, help="Name of the deployed variant.", show_default=False)
    ] = "",
    key_prefix: Annotated[str, typer.Option(help="Only objects whose key begins with this.")] = "",
    key_suffix: Annotated[str, typer.Option(help="Only objects whose key ends in this.")] = "",
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="Only objects of this day or later, UTC: YYYY-MM-DD.")
    ] = "",
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="Only objects of this day or earlier, UTC.")] = "",
    missing: Annotated[
        bool, typer.Option("--missing", help="Only objects that the deployed model has neither predicted nor refused.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many, in the order of their keys; 0 for all.")] = 0,
    max_count: Annotated[
        int,
        typer.Option(
            min=0,
            help="For the price, list at most so many keys; the job predicts those beyond them, too. 0 for all. "
            "Not with --missing or --limit.",
        ),
    ] = 0,
    price: Annotated[bool, typer.Option("--price", help="Only show the price.")] = False,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.001, max=900, help="Duration of a prediction, for the price; by default the cost model's."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not watch the job; with --job-id, look once.")] = False,
    job_id: Annotated[
        str, typer.Option(metavar="JOB", help="Watch this job again, and sum up its report.", show_default=False)
    ] = "",
    cancel: Annotated[str, typer.Option(metavar="JOB", help="Cancel this job.", show_default=False)] = "",
    list_jobs: Annotated[
        bool, typer.Option("--list", help="List the jobs, those of deleted stacks too; with a variant, its own.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    prefix: Annotated[str, typer.Option(help=PREFIX_HELP, show_default=False)] = "",
    local: Annotated[bool, typer.Option("--local", help="On the local AWS that `crossover local up` started.")] = False,
) -> None:
    if [bool(variant) and not list_jobs, bool(job_id), bool(cancel), list_jobs].count(True) != 1:
        raise UsageError("Give exactly one of these: the name of a variant, --job-id, --cancel or --list.")
    if job_id or cancel or list_jobs:
        _refuse(
            "--job-id" if job_id else "--cancel" if cancel else "--list",
            {
                "--key-prefix": key_prefix,
                "--key-suffix": key_suffix,
                "--from": since,
                "--to": until,
                "--missing": missing,
                "--limit": limit,
                "--max-count": max_count,
                "--price": price,
                "--seconds": seconds,
                "--yes": yes,
                "--no-wait": no_wait and not job_id,
                "--prefix": prefix and not list_jobs,
            },
        )
    if missing or limit:  # of which the list is made here
        _refuse("--missing" if missing else "--limit", {"--max-count": max_count})
    choice = Choice(
        prefix=key_prefix,
        suffix=key_suffix,
        since=_day("--from", since),
        before=_end_of(_day("--to", until)),
        limit=limit,
        missing=missing,
    )
    if choice.since and choice.before and choice.since >= choice.before:
        raise UsageError(f"--from is {since}, but must not be later than --to, {until}.")
    with _clients(local) as clients:
        if cancel:
            status = jobs.cancel(clients, jobs.account_of(clients), cancel)
            print(json.dumps({"job": cancel, "status": status}) if as_json else f"The job {cancel} is {status}.")
            return
        document: dict[str, Any] = {}
        found = None
        if variant:
            deployed_by = "crossover local deploy" if local else "npx cdk deploy --all"
            [found] = find_variants(clients, prefix=prefix or stack_prefix(), names=[variant], deployed_by=deployed_by)
        if list_jobs:
            _list(clients, prefix or stack_prefix(), found.stack if found else "", as_json)
            return
        if found:
            job_id, document = _begin(
                clients,
                found,
                choice,
                max_count=max_count,
                seconds=seconds,
                only_price=price,
                ask=not yes,
                quiet=as_json,
                local=local,
            )
            if not job_id or no_wait:
                if as_json:
                    print(json.dumps(document, indent=2))
                return
        job = jobs.describe(clients, jobs.account_of(clients), job_id) if no_wait else _watch(clients, job_id, local)
        summary = report.read(clients, job) if job.has_ended else None
        log = log_group(clients, job.function) if summary and summary.failed and job.function else None
    if as_json:
        print(json.dumps({**document, **_as_json(job, summary), "log_group": log}, indent=2))
    else:
        print(display.sentence(job, summary))
        if summary:
            display.print_counts(summary)
        if log:
            print(f"The function's log, {log}, has a line with the cause of each.")
    if job.has_ended and (job.status != "Complete" or job.failed):
        raise typer.Exit(1)


def _refuse(beside: str, options: Mapping[str, object]) -> None:
    """Refuse what has no meaning beside an option, rather than ignore it.

    Raises:
        UsageError: an option is given.
    """
    for option, value in options.items():
        if value:
            raise UsageError(f"{option} has no meaning with {beside}; leave it out.")


def _list(clients: Clients, prefix: str, stack: str, as_json: bool) -> None:
    found = jobs.find(clients, jobs.account_of(clients), prefix=prefix, stack=stack)
    if as_json:
        print(json.dumps([{**vars(job), "created": job.created.isoformat()} for job in found], indent=2))
    elif found:
        display.print_jobs(found)
    else:
        whose = stack or f"stacks named {prefix}-..."
        print(f"There are no jobs of {whose} in {clients('s3control').meta.region_name}.")


def _day(option: str, text: str) -> datetime | None:
    """The beginning of a day, UTC; None where none is given."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValueError
    except ValueError:
        raise UsageError(
            f"The value of {option} is {text!r}; it must be a day as YYYY-MM-DD, from {FIRST_YEAR} to {LAST_YEAR}."
        ) from None
    return day


def _end_of(day: datetime | None) -> datetime | None:
    return day and day + timedelta(days=1)


@contextlib.contextmanager
def _clients(local: bool) -> Iterator[Clients]:
    """Clients of AWS, or of the local AWS."""
    with contextlib.ExitStack() as stack:
        if local:
            stack.enter_context(open_local_aws(Workspace(), errors)).running()
        stack.enter_context(aws_errors())
        yield open_clients()


def _begin(
    clients: Clients,
    variant: Variant,
    choice: Choice,
    *,
    max_count: int,
    seconds: float | None,
    only_price: bool,
    ask: bool,
    quiet: bool,
    local: bool,
) -> tuple[str, dict[str, Any]]:
    """Count, show the price, ask, and make the job; returns its id, empty where there is none, and what is known.

    Raises:
        UsageError: the stack has no role for it, nothing that was chosen is predicted, the function may not run, the
            count may not be ended early, or nobody can be asked.
        CrossoverError: AWS refused the job, or its answer was lost.
        InterruptedBySignalError: a signal came while S3 made the job; its sentence names the job.
    """
    jobs.backfill_of(variant)
    choice = objects.narrow(variant, choice)
    with tempfile.TemporaryFile() as file:
        is_listed = objects.is_listed(clients, variant, choice)
        if is_listed and max_count:
            if not only_price:
                raise UsageError(
                    f"{variant.bucket} has versions, so the job needs the list of all its objects, and --max-count has "
                    "a meaning with --price only; leave it out."
                )
            is_listed = False
        archived = 0
        listing = f"Listing the objects of {variant.bucket}"
        with errors.status(f"{listing} ...") as status:

            def show(listed: int) -> None:
                status.update(f"{listing}: {listed:,} keys ...")

            def leave_out() -> None:
                nonlocal archived
                archived += 1

            if is_listed:
                found = objects.chosen(clients, variant, choice, on_listed=show, on_archived=leave_out)
                counted = objects.write_manifest(file, variant.bucket, found)
            else:
                counted = objects.count(clients, variant, choice, most=max_count, on_listed=show)
        document: dict[str, Any] = {"variant": variant.name, "job": None, "objects": counted.objects}
        document |= {"size_bytes": counted.size_bytes, "all_counted": counted.is_complete, "price_usd": None}
        document |= {"usd_per_million": None, "warning": None, "archived": archived if is_listed else None}
        if archived:
            errors.print(f"Left out: {display.number_of(archived)} archived in S3 Glacier and not restored.")
        if not counted.objects and counted.is_complete:
            if not quiet:
                print(f"No object of {variant.bucket} is to be predicted{display.criteria(choice)}.")
            return "", document
        price = price_of(clients, variant, objects=counted.objects, seconds=seconds)
        document |= {"price_usd": round(price.usd, 6), "usd_per_million": round(price.usd_per_million, 6)}
        if not quiet:
            display.print_price(price, counted, variant, is_rehearsal=local)
        reserved = concurrency.reserved_concurrency(clients, variant)
        if warning := concurrency.warning(variant, reserved, counted.objects if counted.is_complete else None):
            if reserved == 0 and not only_price:
                raise UsageError(warning)
            document["warning"] = warning
            errors.print(warning)
        if only_price:
            return "", document
        if ask:
            _ask(counted, variant, choice, price, is_past_queue=bool(warning and variant.upload_queue))
        account, token = jobs.account_of(clients), str(uuid.uuid4())
        if is_listed:
            manifest = jobs.uploaded_manifest(clients, variant, file, token)
        else:
            manifest = jobs.generated_manifest(variant, account, choice)
        job_id = ""
        with _going_on(lambda: job_id, local), interrupts.delayed():  # so that the job's id is said in any case
            document["job"] = job_id = jobs.create(clients, variant, account, manifest, token)
            errors.print(f"The job {job_id} has begun; {_how_to_go_on(job_id, local)}.")
    return job_id, document


def _ask(counted: Count, variant: Variant, choice: Choice, price: Price, *, is_past_queue: bool) -> None:
    """Ask for confirmation.

    Raises:
        UsageError: standard input is not a terminal.
        typer.Exit: the answer is no.
    """
    if not sys.stdin.isatty():
        raise UsageError("A backfill asks first, but standard input is not a terminal; add --yes or --price.")
    number, by = display.number_of(counted.objects), f"by {variant.name}{', past its queue,' if is_past_queue else ''}"
    if counted.is_complete:
        question = f"Predict {number} {by} for about {price.usd:.2f} USD?"
    else:
        question = (
            f"Predict all of {variant.bucket}{display.criteria(choice)} {by} for about {price.usd:.2f} USD for the "
            f"{number} counted, and {price.usd_per_million:.2f} USD for each million more?"
        )
    if not typer.confirm(question, err=True):
        errors.print("Nothing was predicted.")
        raise typer.Exit(1)


def _watch(clients: Clients, job_id: str, local: bool) -> Job:
    """Show a job's progress until it has ended.

    Raises:
        InterruptedBySignalError: a signal ended the watching; its sentence says how to go on.
        CrossoverError: there is no such job, or it waits for a confirmation.
    """
    with _going_on(lambda: job_id, local), display.Progress(errors) as progress:
        for job in jobs.watch(clients, jobs.account_of(clients), job_id):
            progress.show(job)
    return job


@contextlib.contextmanager
def _going_on(job_id: Callable[[], str], local: bool) -> Iterator[None]:
    """Let a signal's sentence say how to go on with a job, if there is one."""
    try:
        yield
    except interrupts.InterruptedBySignalError as interrupted:
        if job_id():
            interrupted.stopped.append("watching")
            interrupted.running.append(f"the job {job_id()}: {_how_to_go_on(job_id(), local)}")
        raise


def _how_to_go_on(job_id: str, local: bool) -> str:
    more = " --local" if local else ""
    return (
        f"`crossover backfill --job-id {job_id}{more}` watches it again, "
        f"`crossover backfill --cancel {job_id}{more}` cancels it"
    )


def _as_json(job: Job, summary: Summary | None) -> dict[str, Any]:
    return {
        "job": job.id,
        "status": job.status,
        "reasons": list(job.reasons),
        "total": job.total,
        "done": job.succeeded + job.failed,
        "predicted": summary.succeeded if summary else None,
        "refused": dict(summary.refused) if summary else None,
        "passed_over": summary.passed_over if summary else None,
        "newer": summary.newer if summary else None,
        "kept": summary.kept if summary else None,
        "failed": summary.reasons if summary else None,
        "failed_keys": summary.examples if summary else None,
    }
