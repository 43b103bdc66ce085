"""What `crossover bench run` prints: estimate, progress and result."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from crossover.bench.result import STARTS, Document, VariantStatistics, idle_usd_per_hour
from crossover.bench.run.plan import Plan
from crossover.bench.run.spend import Line
from crossover.bench.statistics import Figure, Summary
from crossover.cost.measured import REHEARSAL_MARK
from crossover.terminal import print_table, printable

FEW = 100  # with fewer observations p99 says little more than the maximum
SHOWN_ERRORS = 3
SHOWN = {
    "latency_ms": "from the intended sending to the item",
    "item_ms": "from the upload to the item, by AWS's clocks",
    "billed_ms": "billed, INIT or restore included",
    "init_ms": "INIT",
    "restore_ms": "restore",
}


class ProgressBar:
    """A progress bar for each part; without a terminal, a line for each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[usd]}"),
            console=console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> "ProgressBar":
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def begin(self, what: str, total: int, done: int) -> None:
        self._task = self._progress.add_task(what, total=total, completed=done, usd="")
        if not self._console.is_terminal:
            already = f", {done:,} of them done already" if done else ""
            self._print(f"{what}: {total:,} requests{already}")

    def advance(self, usd: float) -> None:
        if self._task is not None:
            self._progress.update(self._task, advance=1, usd=f"{usd:.4f} USD")

    def say(self, what: str) -> None:
        self._print(f"{what} ...")

    def warn(self, sentence: str) -> None:
        self._print(f"✗ {sentence}")

    def _print(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, markup=False, soft_wrap=True)


def estimate_table(lines: Sequence[Line], plan: Plan, seconds: float, *, is_rehearsal: bool) -> Table:
    """What a benchmark may cost."""
    title = "What this would cost on AWS, about" if is_rehearsal else "What this may cost, about"
    table = Table(title=title, title_justify="left", show_edge=False, header_style="bold", show_footer=True)
    table.add_column("what", footer="sum")
    table.add_column("how much", footer=f"{plan.upload_bytes / 1024**2:,.0f} MB uploaded in {seconds / 60:,.0f} min")
    table.add_column("USD", justify="right", footer=f"{sum(line.usd for line in lines):.4f}")
    for line in lines:
        table.add_row(line.name, line.quantity, f"{line.usd:.4f}")
    return table


def print_result(document: Document) -> None:
    """Print the tables of a result, and remarks on it."""
    print_table(result_table(document))
    throughput = throughput_table(document)
    if throughput:
        print_table(throughput)
    for sentence in sentences(document):
        print(sentence)


def result_table(document: Document) -> Table:
    """The main measures of every variant: warm, cold, and together at the cold share of the load."""
    table = Table(show_edge=False, header_style="bold", title=REHEARSAL_MARK if document["rehearsal"] else None)
    table.title_justify = "left"
    for column in ("variant", "ms", "start"):
        table.add_column(column, no_wrap=True)
    for column in ("n", "mean", "sd", "median (95 %)", "p95 (95 %)", "p99", "max"):
        table.add_column(column, justify="right", no_wrap=True)
    for variant, figures in document["statistics"]["variants"].items():
        table.add_section()
        rows = [
            (name.removesuffix("_ms"), start, summary)
            for name in SHOWN
            for start in STARTS
            if (summary := figures["measures"][name][start])
        ]
        for number, (name, start, summary) in enumerate(rows):
            is_new = number == 0 or rows[number - 1][0] != name
            table.add_row("" if number else variant, name if is_new else "", start, *_cells(summary))
    return table


def _cells(summary: Summary) -> list[str]:
    def plain(name: Figure) -> str:
        return f"{summary[name]['value']:,.0f}"

    def with_interval(name: Figure) -> str:
        low, high = summary[name]["low"], summary[name]["high"]
        return plain(name) if low is None or high is None else f"{plain(name)} ({low:,.0f} to {high:,.0f})"

    return [
        f"{summary['n']:,}",
        plain("mean"),
        plain("sd"),
        with_interval("median"),
        with_interval("p95"),
        plain("p99"),
        plain("max"),
    ]


def throughput_table(document: Document) -> Table | None:
    """Requests/s against concurrency; None in an open loop."""
    table = Table(title="Throughput", title_justify="left", show_edge=False, header_style="bold")
    for column in ("variant", "at once", "requests", "per second", "median latency, ms", "p99, ms"):
        table.add_column(column, justify="left" if column == "variant" else "right")
    for variant, figures in document["statistics"]["variants"].items():
        for row in figures["throughput"]:
            latency, rate = row["latency_ms"], row["per_second"]
            table.add_row(
                variant,
                str(row["concurrency"]),
                f"{row['requests']:,}",
                "-" if rate is None else f"{rate:.2f}",
                f"{latency['median']['value']:,.0f}",
                f"{latency['p99']['value']:,.0f}",
            )
    return table if table.row_count else None


def sentences(document: Document) -> list[str]:
    """The remarks below the tables, as sentences."""
    said = [f"Times in ms: {', '.join(f'{name[:-3]} is {meaning}' for name, meaning in SHOWN.items())}."]
    for variant, figures in document["statistics"]["variants"].items():
        said.append(_counts(variant, figures))
        said += _errors(variant, document["observations"])
        said += _prices(variant, figures)
    said.append(f"In brackets: intervals, {document['statistics']['method']}, seed {document['seed']}.")
    if any(map(_has_few, document["statistics"]["variants"].values())):
        said.append(f"Where there are fewer than {FEW} observations, p99 says little more than the maximum.")
    said.append("No observation was discarded; the result file holds every one, with those that failed.")
    would_be = " on AWS, if it had run there" if document["rehearsal"] else ""
    said.append(f"Spent: about {document['spent_usd']:.4f} USD{would_be}.")
    if document["stopped"]:
        said.append(document["stopped"])
    return said


def _counts(variant: str, figures: VariantStatistics) -> str:
    outcomes = ", ".join(f"{number:,} {outcome}" for outcome, number in figures["outcomes"].items() if number)
    load, forced = figures["load"], figures["forced"]
    share = "unknown" if load["cold_share"] is None else f"{load['cold_share']:.2%}"
    cold = f"cold share {share} of the {figures['cold_share_of']}"
    if forced["sent"]:
        cold += f", {forced['cold']} of {forced['sent']} forced starts were cold"
    missing = f"; {figures['without_report']} without a REPORT line" if figures["without_report"] else ""
    return f"{variant}: {outcomes or 'nothing was sent'}; {cold}{missing}."


def _errors(variant: str, observations: Sequence[Mapping[str, object]]) -> list[str]:
    """The most frequent errors."""
    counts = Counter(str(each["error"]) for each in observations if each["variant"] == variant and each["error"])
    return [f"{variant}, {number:,} times: {printable(error)}" for error, number in counts.most_common(SHOWN_ERRORS)]


def _prices(variant: str, figures: VariantStatistics) -> list[str]:
    usd = figures["function_usd_per_million"]
    costs = ", ".join(f"{value:,.2f} USD {start}" for start in STARTS if (value := usd[start]) is not None)
    if not costs:
        return []
    hourly = idle_usd_per_hour(figures)
    idle = f", and {hourly:.4f} USD an hour, idle or not" if hourly else ""
    return [f"{variant}: a million requests cost {costs}, from Lambda's billed durations{idle}."]


def _has_few(figures: VariantStatistics) -> bool:
    return any((summary := figures["measures"]["latency_ms"][start]) and summary["n"] < FEW for start in STARTS)
