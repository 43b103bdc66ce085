"""What a comparison of servers prints."""

from rich.markup import escape
from rich.table import Table

from benchmarks.peers.serving.server_observations import counted
from benchmarks.peers.serving.server_summary import Row, Section
from benchmarks.peers.serving.servers import OURS
from benchmarks.peers.target import Target
from crossover.terminal import printable

MIN_RATIO, MAX_P99_TO_P50 = 0.95, 1.2  # of the baseline's throughput, at least; p99 / p50, at most
MANY_CLIENTS, MOST_CLIENTS = (4, 16), 16  # clients

LEGEND = (
    "n: turns. 95 %: interval of the throughput's ratio to the baseline's. others: CPU used by neither server nor wrk."
)
HIGH_OTHER_SHARE = 0.1  # above this share of the cores, other load is pointed out


def tables(section: Section) -> list[Table]:
    """One table for each number of clients, one of memory and start, one of the baseline, and the failures."""
    summary = section["summary"]
    shown = [_load_table(section, clients) for clients in dict.fromkeys(row["clients"] for row in summary)]
    if shown:
        shown[0].caption, shown[0].caption_justify = LEGEND, "left"
    shown.append(_standing_table(section))
    shown.append(_baseline_table(section))
    if section["failures"]:
        shown.append(_failure_table(section))
    return shown


def targets(section: Section) -> list[Target]:
    """The targets of this project's server."""
    ours = {row["clients"]: row for row in section["summary"] if row["server"] == OURS}
    alone = [
        row["ratio_to_ours"]["requests_per_second"]
        for row in section["summary"]
        if row["clients"] == 1 and section["servers"][row["server"]]["workers"] == 1
    ]
    found = []
    for clients in MANY_CLIENTS:
        row = ours.get(clients)
        ratio, between = (
            (row["ratio_to_baseline"]["requests_per_second"], row["ratio_to_baseline_interval"])
            if row
            else (None, None)
        )
        found.append(
            Target.at_least(f"throughput with {clients} clients, of the baseline's", ratio, MIN_RATIO, between)
        )
    answered = [ratio for ratio in alone if ratio]
    single = 1 / max(answered) if answered else None
    found.append(Target.at_least("throughput with 1 client, of the best server with one session", single, MIN_RATIO))
    figures = ours[MOST_CLIENTS]["figures"] if MOST_CLIENTS in ours else {}
    usual, slow = figures.get("p50_ms"), figures.get("p99_ms")
    found.append(
        Target.at_most(
            f"p99 with {MOST_CLIENTS} clients, of p50", slow / usual if slow and usual else None, MAX_P99_TO_P50
        )
    )
    return found


def _load_table(section: Section, clients: int) -> Table:
    rows = [row for row in section["summary"] if row["clients"] == clients]
    baseline = next((row["baseline"] for row in rows), None)
    ratios = f"In brackets: of this project's, of the baseline's{f': {baseline}' if baseline else ''}"
    table = _table(f"{counted(clients, 'client')}. {ratios}")
    for column in (
        "server",
        "workers",
        "n",
        "requests/s",
        "95 %",
        "p50, ms",
        "p99, ms",
        "CPU ms each",
        "errors",
        "others",
    ):
        table.add_column(column, justify="left" if column == "server" else "right", no_wrap=True)
    for row in sorted(rows, key=lambda row: -(row["ratio_to_baseline"]["requests_per_second"] or 0)):
        others = row["figures"]["other_cpu_share"]
        table.add_row(
            *_name(section, row["server"]),
            str(row["turns"]),
            _cell(row, "requests_per_second", of_baseline=True),
            "-".join(f"{end:.2f}" for end in row["ratio_to_baseline_interval"] or ()) or "-",
            _cell(row, "p50_ms"),
            _cell(row, "p99_ms"),
            _cell(row, "cpu_seconds_per_request", 1000, of_baseline=True),
            f"{row['errors']:,}",
            "-" if others is None else f"{others:.0%} !" if others > HIGH_OTHER_SHARE else f"{others:.0%}",
        )
    return table


def _standing_table(section: Section) -> Table:
    """Memory and start, which are the same under every load."""
    table = _table("Memory and start. In brackets: of this project's")
    for column in ("server", "workers"):
        table.add_column(column, justify="left" if column == "server" else "right", no_wrap=True)
    for column in (f"memory, MB ({section['settings']['memory']})", "ready, s", "first prediction, s", "versions"):
        table.add_column(column, justify="left" if column == "versions" else "right")
    firsts = {row["server"]: row for row in reversed(section["summary"])}
    for name, server in section["servers"].items():
        if name in firsts:
            cells = [
                _cell(firsts[name], figure) for figure in ("memory_mb", "ready_seconds", "first_prediction_seconds")
            ]
            versions = ", ".join(f"{package} {version}" for package, version in server["versions"].items())
            table.add_row(*_name(section, name), *cells, versions)
    return table


def _baseline_table(section: Section) -> Table:
    table = _table("The baseline: bare loops in a fresh process, without HTTP")
    for column in ("loops", "what"):
        table.add_column(column, no_wrap=True)
    for column in ("a second", "p50, ms", "p99, ms", "CPU ms each"):
        table.add_column(column, justify="right")
    for baseline in section["baselines"]:
        figures = baseline["figures"]
        what = "decode and run" if baseline["part"] == "decode+run" else "run alone"
        cells = [_decimal(figures[name]) for name in ("requests_per_second", "p50_ms", "p99_ms")]
        table.add_row(baseline["name"], what, *cells, _decimal(figures["cpu_seconds_per_request"], 1000))
    return table


def _failure_table(section: Section) -> Table:
    table = _table("Not measured")
    for column in ("server", "turn", "reason"):
        table.add_column(column)
    for failure in section["failures"]:
        turn = str(failure["turn"] or "none")
        table.add_row(str(failure["server"]), turn, escape(printable(str(failure["reason"]))))
    return table


def _decimal(value: float | None, factor: float = 1.0) -> str:
    return "-" if value is None else f"{value * factor:.1f}"


def _name(section: Section, name: str) -> tuple[str, str]:
    server = section["servers"][name]
    return server["peer"], str(server["workers"])


def _cell(row: Row, name: str, factor: float = 1.0, *, of_baseline: bool = False) -> str:
    """`91.4 (1.00 0.81)`: the figure, and its ratio to this project's and, where asked for, to the baseline's."""
    value = row["figures"][name]
    if value is None:
        return "-"
    compared = (
        [row["ratio_to_ours"][name], row["ratio_to_baseline"][name]] if of_baseline else [row["ratio_to_ours"][name]]
    )
    ratios = " ".join("-" if ratio is None else _number(ratio) for ratio in compared)
    return f"{_number(value * factor)} ({ratios})"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", show_edge=False, header_style="bold")
