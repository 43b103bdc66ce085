"""What `crossover backfill` shows: the price, a job's progress, and what became of its objects."""

from collections.abc import Iterable, Iterator
from datetime import UTC

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from crossover.backfill.jobs import Job, ListedJob
from crossover.backfill.objects import Choice, Count
from crossover.backfill.price import Price
from crossover.backfill.report import Summary
from crossover.cost.kinds import DEFAULT_KIND, KINDS, scenario_of
from crossover.cost.variants import VARIANTS
from crossover.deployed import Variant
from crossover.terminal import print_table, printable


def criteria(choice: Choice) -> str:
    """The choice in words, to follow a noun; empty where it is everything."""
    parts = [
        f"key begins with {printable(choice.prefix)!r}" if choice.prefix else "",
        f"key ends in {printable(choice.suffix)!r}" if choice.suffix else "",
        f"is of {choice.since:%Y-%m-%d} or later" if choice.since else "",
        f"is older than {choice.before:%Y-%m-%d}" if choice.before else "",
        "is neither predicted nor refused by the deployed model" if choice.missing else "",
    ]
    said = " and ".join(filter(None, parts))
    return f" that matches: {said}" if said else ""


def number_of(objects: int) -> str:
    return "1 object" if objects == 1 else f"{objects:,} objects"


def print_price(price: Price, counted: Count, variant: Variant, *, is_rehearsal: bool) -> None:
    """Print the price line by line, and what it assumes."""
    title = "What this would cost on AWS, about" if is_rehearsal else "What this costs, about"
    table = Table(title=title, title_justify="left", show_edge=False, header_style="bold", show_footer=True)
    table.add_column("what", footer="sum")
    table.add_column("how much", justify="right", footer=number_of(counted.objects))
    table.add_column("unit")
    table.add_column("USD", justify="right", footer=f"{price.usd:.4f}")
    for line in price.lines:
        usd = f"{float(line.usd):.4f}"
        if float(usd):
            table.add_row(line.name, _number(float(line.quantity)), line.price.unit.removeprefix("USD/"), usd)
    print_table(table)
    for note in _notes(price, counted, variant):
        print(note)


def _number(quantity: float) -> str:
    if quantity.is_integer():
        return f"{quantity:,.0f}"
    return f"{quantity:,.2f}" if quantity >= 1 else f"{quantity:.3g}"


def _notes(price: Price, counted: Count, variant: Variant) -> Iterator[str]:
    measured = KINDS.get(variant.input_kind, KINDS[DEFAULT_KIND]).on
    assumed = f" (the cost model's for {measured}; --seconds takes yours)" if price.is_assumed else ""
    items = "1 KB (assumed: the table has none)" if price.item_kb is None else f"{price.item_kb:.1f} KB"
    yield (
        f"At {price.seconds:g} s an object{assumed}, {price.memory_mb:,.0f} MB on {price.architecture}, and items of "
        f"{items}; prices of {price.region}, without the free tier and what runs anyway."
    )
    if counted.objects:
        clip = f"; {measured} has {float(scenario_of(variant.input_kind).file_mb):.3g} MB" if price.is_assumed else ""
        yield f"The objects have {counted.size_bytes / counted.objects / 1e6:.3g} MB on average{clip}."
    if variant.results_bucket:
        yield "That is as if each object had a result in the results bucket."
    known = VARIANTS.get(variant.name)
    if known and known.backfill_note:
        yield known.backfill_note
    if not counted.is_complete:
        yield (
            f"Not all were counted: {counted.objects:,} of the first {counted.listed:,} keys match, and the price is "
            f"for these. The job predicts all that match, for {price.usd_per_million:.2f} USD a million more."
        )


class Progress:
    """A progress bar, which the summary replaces; without a terminal, a line whenever the job's status changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bars.add_task("Asking S3 for the job", total=None)
        self._status = ""

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def show(self, job: Job) -> None:
        """Show a job as it is now."""
        done = job.succeeded + job.failed
        described = f"{job.status}, {job.failed:,} failed" if job.failed else job.status
        self._bars.update(self._task, description=described, completed=done, total=job.total or None)
        if job.status != self._status and not self._console.is_terminal:
            self._console.print(f"{job.status}: {done:,} of {job.total:,} objects" if job.total else job.status)
        self._status = job.status


def sentence(job: Job, summary: Summary | None) -> str:
    """How a job ended, or how far it is."""
    why = f" ({printable(' '.join(job.reasons)).rstrip('.')})" if job.reasons else ""
    begun = f"The job {job.id} is {job.status}{why}: {job.succeeded + job.failed:,} of {job.total:,} objects done"
    if not job.has_ended:
        return f"{begun}, {job.failed:,} failed."
    if summary is None:
        return f"{begun}; there is no report."
    parts = [f"{summary.succeeded:,} predicted", f"{summary.refused.total():,} refused"]
    parts += [f"{summary.passed_over:,} passed over"] if summary.passed_over else []
    newer = f" Of {summary.newer:,} the item is of a newer upload, and stays." if summary.newer else ""
    kept = f" Of {summary.kept:,} refused the item is of an upload, and stays." if summary.kept else ""
    return f"{begun}, {', '.join(parts)}, {summary.failed.total():,} failed.{newer}{kept}"


def print_jobs(jobs: Iterable[ListedJob]) -> None:
    """Print a line for each job."""
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    table.add_column("job", no_wrap=True)
    table.add_column("stack")
    table.add_column("made, UTC")
    table.add_column("status")
    for name in ("objects", "done", "failed"):
        table.add_column(name, justify="right")
    for job in jobs:
        numbers = (job.total, job.succeeded + job.failed, job.failed)
        made = f"{job.created.astimezone(UTC):%Y-%m-%d %H:%M}"
        table.add_row(job.id, Text(printable(job.stack)), made, job.status, *(f"{number:,}" for number in numbers))
    print_table(table)


def print_counts(summary: Summary) -> None:
    """Print how many were refused by error code, and failed by reason."""
    if summary.refused:
        table = Table(show_edge=False, header_style="bold", pad_edge=False)
        table.add_column("refused because of")
        table.add_column("objects", justify="right")
        for code, number in summary.refused.most_common():
            table.add_row(code, f"{number:,}")
        print_table(table)
    if summary.failed:
        table = Table(show_edge=False, header_style="bold", pad_edge=False)
        table.add_column("failed because of", overflow="fold")
        table.add_column("objects", justify="right")
        for reason, number in summary.reasons.items():
            table.add_row(Text(printable(reason)), f"{number:,}")
        print_table(table)
        print("Some of them: " + ", ".join(map(printable, summary.examples)))
