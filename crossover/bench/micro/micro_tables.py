"""The tables and sentences that `crossover bench micro` prints."""

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from crossover.bench.micro.document import (
    ColdStartJson,
    ColdSummary,
    Document,
    MeasurementJson,
    Row,
    RowKey,
    Settings,
    Sweep,
    WarmCallsJson,
    WarmSummary,
)
from crossover.bench.micro.memory_sizes import NEAR_FASTEST
from crossover.bench.micro.workbench import BACKGROUND, WARM_PHASES
from crossover.cost.scenario import MB_PER_VCPU

NOT_AWS = "on this machine, not AWS figures"


def tables(document: Document) -> list[Table]:
    """Cold start, warm call, memory sizes, and the targets."""
    observations = document["observations"]
    unlimited = [each for each in observations if each["memory_mb"] is None and each["threads_set"] is None]
    return [
        _cold_table(document["cold"], [each["cold"] for each in unlimited]),
        _warm_table(document["warm"], [each["warm"] for each in unlimited]),
        _sweep_table(document["sweep"], document["settings"]),
        _measurements_table(document["measurements"]),
    ]


def sentences(document: Document) -> list[str]:
    """The memory sizes worth knowing, and what the marks mean."""
    sweep, settings = document["sweep"], document["settings"]
    rows = {(row["memory_mb"], row["threads"]): row for row in sweep["rows"]}

    def row(key: RowKey) -> Row:
        return rows[key["memory_mb"], key["threads"]]

    cheapest, fastest, enough = row(sweep["cheapest"]), row(sweep["fastest"]), row(sweep["cheapest_near_fastest"])
    said = [f"Warm, the cheapest is {_row(cheapest)}."]
    if fastest is cheapest:
        said = [f"Warm, the cheapest and the fastest is {_row(cheapest)}."]
    else:
        times = _usd(fastest) / _usd(cheapest)
        said.append(f"The fastest is {_row(fastest)}: {times:.2f} times as much.")
    if enough is not fastest:
        said.append(f"Within {NEAR_FASTEST - 1:.0%} of the fastest, {_row(enough)} is the cheapest.")
    if any(row["derived"] for row in sweep["rows"]):
        said.append(
            "derived: computed from wall time and CPU time without a quota, assuming that work slows down in "
            f"proportion to the share of vCPUs and waiting does not. {settings['no_quota_reason']}"
        )
    if any(row["capped"] for row in sweep["rows"]):
        processors = document["machine"]["processors"]
        said.append(f"capped: its share of vCPUs is more than this machine's {processors} processors.")
    if any(row["quota_held"] is False for row in sweep["rows"]):
        said.append("over quota: a process used more CPU time than its quota; this row cannot be relied on.")
    return said


def _cold_table(cold: ColdSummary, observed: Sequence[ColdStartJson]) -> Table:
    table = _table(f"Cold start, {NOT_AWS}", "phase", f"median of {cold['n']}, ms", "min to max", "share")
    total = cold["median_ms"]["total"]
    for name in observed[0]["phases_ms"]:  # those of its time: the decoders' imports had another name
        values = [each["phases_ms"][name] for each in observed]
        table.add_row(name, *_spread(values), f"{median(values) / total:.0%}")
    table.add_section()
    table.add_row("spawn to answer", *_spread([each["total_ms"] for each in observed]), "")
    table.add_row("  of which INIT", *_spread([each["init_ms"] for each in observed]), "")
    table.add_row("  of which the first call", *_spread([each["first_call_ms"] for each in observed]), "")
    table.add_section()
    fetches = [each["fetch_end_ms"] - each["fetch_begin_ms"] for each in observed]
    table.add_row(f"{BACKGROUND}, in the background", *_spread(fetches), "")
    table.caption, table.caption_justify = "Medians; the phases of one start add up, their medians need not.", "left"
    return table


def _warm_table(warm: WarmSummary, observed: Sequence[WarmCallsJson]) -> Table:
    table = _table(f"Warm call, {NOT_AWS}", "phase", f"median of {warm['n']}, ms", "min to max", "share")
    total = warm["median_ms"]["total"]
    for name in WARM_PHASES:
        values = [value for each in observed for value in each["phases_ms"][name]]
        table.add_row(name, *_spread(values), f"{median(values) / total:.0%}")
    table.add_section()
    table.add_row("whole call", *_spread([value for each in observed for value in each["total_ms"]]), "")
    table.add_row("CPU time, all threads", *_spread([value for each in observed for value in each["cpu_ms"]]), "")
    return table


def _sweep_table(sweep: Sweep, settings: Settings) -> Table:
    how = "derived without a quota" if settings["quota"] == "none" else "each with its share of vCPUs"
    columns = ("INIT\nms", "first\nms", "warm\nms", "GB-s", "USD/M\nwarm", "USD/M\ncold")
    table = _table(f"Memory sizes, {how}, {NOT_AWS}", "MB", "threads", *columns)
    table.add_column("")
    ends = {"cheapest": sweep["cheapest"], "fastest": sweep["fastest"]}
    previous = None
    for row in sweep["rows"]:
        if previous not in (None, row["memory_mb"]):
            table.add_section()
        named = [
            name
            for name, key in ends.items()
            if (key["memory_mb"], key["threads"]) == (row["memory_mb"], row["threads"])
        ]
        table.add_row(
            f"{row['memory_mb']:,}",
            str(row["threads"]),
            f"{row['median_ms']['init']:,.0f}",
            f"{row['median_ms']['first_call']:,.0f}",
            f"{row['median_ms']['warm']:,.1f}",
            f"{row['gb_seconds']['warm']:.4f}",
            f"{row['usd_per_million']['warm']:.2f}",
            f"{row['usd_per_million']['cold']:.2f}",
            "\n".join([*named, *_marks(row)]),
            style="bold green" if named else "",
        )
        previous = row["memory_mb"]
    table.caption = (
        f"{MB_PER_VCPU:,} MB have one vCPU. ms: medians. GB-s and USD/M, a million requests in {sweep['region']}: "
        "means of what is billed, warm, and where every request starts cold."
    )
    table.caption_justify = "left"
    return table


def _measurements_table(measurements: Sequence[MeasurementJson]) -> Table:
    table = _table(f"Targets, {NOT_AWS}", "measured", "n", "median", "baseline", "ratio", "at most")
    for each in measurements:
        unit, baseline, max_allowed = each["unit"], each["baseline"], each["max_allowed"]
        against = f"\nagainst {each['baseline_name']}" if baseline else ""
        allowed = "" if max_allowed is None else f"{max_allowed:.2f}" if baseline else f"{max_allowed:.0f} {unit}"
        table.add_row(
            f"{each['name']}{against}",
            f"{len(each['observed']):,}",
            f"{median(each['observed']):.1f} {unit}",
            f"{median(baseline):.1f} {unit}" if baseline else "",
            f"{each['result']:.2f}" if baseline else "",
            f"{allowed}: {'holds' if each['holds'] else 'missed'}" if allowed else "",
        )
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False, header_style="bold")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="left" if name == "at most" else "right")
    return table


def _spread(values: Sequence[float]) -> tuple[str, str]:
    return f"{median(values):,.1f}", f"{min(values):,.1f} to {max(values):,.1f}"


def _marks(row: Row) -> list[str]:
    marks = {"derived": row["derived"], "capped": row["capped"], "over quota": row["quota_held"] is False}
    return [name for name, holds in marks.items() if holds]


def _row(row: Row) -> str:
    marks = f" ({', '.join(_marks(row))})" if _marks(row) else ""
    threads = f"{row['threads']} thread{'' if row['threads'] == 1 else 's'}"
    median_ms = row["median_ms"]["warm"]
    return f"{row['memory_mb']:,} MB with {threads}{marks}, {_usd(row):.2f} USD a million at {median_ms:.1f} ms"


def _usd(row: Row) -> float:
    return float(row["usd_per_million"]["warm"])
