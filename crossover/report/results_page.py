"""The page of a benchmark's results: every observation, their statistics, and the costs that follow from them."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import cast

from crossover.bench.result import STARTS, Document, VariantStatistics, idle_usd_per_hour
from crossover.bench.run import display
from crossover.bench.run.endpoint_metrics import NAMES as METRICS
from crossover.bench.run.endpoint_metrics import EndpointMetrics
from crossover.bench.run.files import FileJson
from crossover.bench.run.observation import Observation
from crossover.bench.statistics import FIGURES, Summary
from crossover.cost.bill_comparison import compare
from crossover.cost.kinds import DEFAULT_KIND
from crossover.cost.measured import REHEARSAL_MARK
from crossover.cost.numbers import number, usd
from crossover.cost.options import Inputs
from crossover.cost.scenario import Scenario
from crossover.report.cost_page import cost_part
from crossover.report.page import Page, details, table, template
from crossover.report.result_charts import charts, title_of, variant_title, with_interval

METRIC_FIGURES = ("SampleCount", "Average", "p50", "p99", "Maximum")  # of each minute
MAIN_MEASURES = ("latency_ms", "item_ms", "billed_ms")  # the others unfold
FACTS = {"seconds": "s of audio", "width": "width, pixels", "height": "height, pixels", "rows": "rows"}  # of a file
MISSING = "\N{EN DASH}"
NOTHING_DISCARDED = "No observation was discarded."


def results_page(document: Document, observations: Sequence[Observation], inputs: Inputs) -> Page:
    """One page of a result.

    Args:
        document: the result, as result_charts.read returns it.
        observations: all that it holds.
        inputs: of the cost model, with the measured values.
    """
    comparison = compare(inputs.scenario, inputs.prices, candidates=inputs.candidates, others=inputs.others)
    cost = cost_part(inputs.scenario, inputs.prices, inputs.candidates, kind=inputs.kind)
    title = f"Benchmark of {document['started'][:10]}, {inputs.prices.region}"
    return Page(
        title=f"Rehearsal: {title}" if document["rehearsal"] else title,
        body=template(
            "results.html",
            kicker=html.escape(f"{title}: {_summary(document)}; prices of {_dates(document)}"),
            verdict=html.escape(comparison.verdict),
            lead=html.escape(_lead(document)),
            concurrency=_concurrency(document),
            statistics=_statistics(document),
            counts=_counts(document, observations),
            chart=cost.chart,
            measured=_measured(document["scenario"], inputs.scenario),
            assumptions=cost.assumptions,
            prices=cost.prices,
            environment=_environment(document),
        ),
        data={**cost.data, "results": {**charts(document, observations), "caption": f"{title}: {_summary(document)}."}},
        scripts=("results.js", "cost.js"),
        mark=REHEARSAL_MARK if document["rehearsal"] else "",
    )


def _summary(document: Document) -> str:
    plan = document["plan"]
    return (
        f"{', '.join(plan['variants'])}; {plan['requests']:,} requests each, {plan['arrivals']}, {plan['loop']} loop, "
        f"{plan['cold']:,} forced cold starts, seed {plan['seed']}"
    )


def _dates(document: Document) -> str:
    dates = document["prices"]["dates"]
    return " to ".join(dict.fromkeys([min(dates), max(dates)])) if dates else "no known date"


def _lead(document: Document) -> str:
    statistics = document["statistics"]["variants"]
    said = []
    for name, figures in statistics.items():
        latency = figures["measures"]["latency_ms"]
        medians = [
            f"{number(summary['median']['value'])} ms {start}"
            for start in STARTS[:2]  # warm and cold
            if (summary := latency[start])
        ]
        said.append(f"{name} {' and '.join(medians) or 'without a success'}")
    return f"Median latency, from the intended sending to the item: {'; '.join(said)}. {NOTHING_DISCARDED}"


# ---- sections


def _concurrency(document: Document) -> str:
    """Two charts and their table for a closed loop; for an open one, why there are none."""
    plan = document["plan"]
    rows = [
        [
            name,
            f"{step['concurrency']:,}",
            f"{step['requests']:,}",
            MISSING if step["per_second"] is None else number(step["per_second"]),
            *(with_interval(step["latency_ms"][figure]) for figure in FIGURES if figure not in ("mean", "sd")),
        ]
        for name, figures in document["statistics"]["variants"].items()
        for step in figures["throughput"]
    ]
    if not rows:
        why = (
            f"The load was an open loop ({plan['arrivals']}): requests were sent on schedule, whatever the answers, so "
            "that no concurrency was held. A closed loop, --arrival ramp:1-16, measures this."
        )
        return _paragraph(why if plan["loop"] == "open" else "No request of the load succeeded.")
    headings = ["variant", "at once", "requests", "a second", "median latency, ms", "p95", "p99", "max"]
    charts_of_load = "".join(
        f'<figure><div class="chart low" id="{name}" role="img" aria-label="{label}"></div>'
        f"<figcaption>{label}</figcaption></figure>"
        for name, label in (
            ("throughput", "Requests a second by concurrency."),
            ("concurrent-latency", "Latency by concurrency: median with its interval, and p99 dotted."),
        )
    )
    key = '<p class="quiet" id="concurrency-key"></p>'
    listed = table(headings, rows, classes=["", *("number" for _ in headings[1:])])
    return f'{key}<div class="pair">{charts_of_load}</div><h3>Steps of the load</h3>{listed}'


def _statistics(document: Document) -> str:
    statistics = document["statistics"]
    shares = [_share(name, figures) for name, figures in statistics["variants"].items()]
    measures = dict.fromkeys(name for figures in statistics["variants"].values() for name in figures["measures"])
    notes = [
        "Warm; cold, forced ones included; and both together at the cold share of the load: " + "; ".join(shares) + ".",
        f"In brackets: intervals, {statistics['method']}, seed {statistics['seed']}.",
        f"{NOTHING_DISCARDED} The result file holds every one, and so does this page.",
    ]
    if any(summary and summary["n"] < display.FEW for summary in _latencies(statistics["variants"])):
        notes.append(f"Where there are fewer than {display.FEW} observations, p99 says little more than the maximum.")
    tables = {name: _table_of(name, statistics["variants"]) for name in measures}
    open_loops = "".join(f"<h3>{_heading(name)}</h3>{tables[name]}" for name in tables if name in MAIN_MEASURES)
    others = "".join(
        f"<h3>{_heading(name)}</h3>{made}" for name, made in tables.items() if made and name not in MAIN_MEASURES
    )
    by_file = _by_file(statistics["variants"])
    return (
        "".join(map(_paragraph, notes))
        + open_loops
        + details("All other measures", others)
        + details("Warm requests by file, from the upload to the item", by_file)
    )


def _latencies(variants: Mapping[str, VariantStatistics]) -> list[Summary | None]:
    return [figures["measures"]["latency_ms"][start] for figures in variants.values() for start in STARTS]


def _share(name: str, figures: VariantStatistics) -> str:
    load = figures["load"]
    if load["cold_share"] is None:
        return f"{name} unknown, since no request of the load succeeded"
    share = f"{100 * load['cold_share']:.3g} %"
    return f"{name} {share} ({load['cold']:,} of {load['succeeded']:,}, {figures['cold_share_of']})"


def _heading(measure: str) -> str:
    meaning, unit = title_of(measure)
    heading = f"{meaning[0].upper()}{meaning[1:]}"
    return html.escape(f"{heading}, {unit}" if unit else heading)


def _table_of(measure: str, variants: Mapping[str, VariantStatistics]) -> str:
    """The table of one measure; empty where no variant has a value."""
    rows = [
        [name, start, *_cells(summary)]
        for name, figures in variants.items()
        for start in STARTS
        if (summary := figures["measures"][measure][start])
    ]
    return _figures_table(["variant", "start"], rows) if rows else ""


def _by_file(variants: Mapping[str, VariantStatistics]) -> str:
    rows = [
        [name, file, *_cells(summary)]
        for name, figures in variants.items()
        for file, summary in figures["by_file"].items()
    ]
    return _figures_table(["variant", "file, ms"], rows)


def _cells(summary: Summary) -> list[str]:
    return [f"{summary['n']:,}", *(with_interval(summary[figure]) for figure in FIGURES)]


def _figures_table(headings: Sequence[str], rows: list[list[str]]) -> str:
    return table([*headings, "n", *FIGURES], rows, classes=["", "", "number", *("number" for _ in FIGURES)])


def _counts(document: Document, observations: Sequence[Observation]) -> str:
    variants = document["statistics"]["variants"]
    every = list(variants.values())
    outcomes = dict.fromkeys(outcome for figures in every for outcome in figures["outcomes"])
    rows = [
        ["observations", *(f"{figures['observations']:,}" for figures in every)],
        *([outcome, *(f"{figures['outcomes'][outcome]:,}" for figures in every)] for outcome in outcomes),
        ["without a REPORT line", *(f"{figures['without_report']:,}" for figures in every)],
        ["invocations that were retried", *(f"{figures['retried_invocations']:,}" for figures in every)],
        ["uploads that were retried", *(f"{figures['retried_uploads']:,}" for figures in every)],
        [
            "cold in the load",
            *(f"{figures['load']['cold']:,} of {figures['load']['succeeded']:,}" for figures in every),
        ],
        [
            "forced starts that were cold",
            *(f"{figures['forced']['cold']:,} of {figures['forced']['sent']:,}" for figures in every),
        ],
        *(
            [f"USD a million requests, {kind}", *(_usd(figures["function_usd_per_million"][kind]) for figures in every)]
            for kind in STARTS
        ),
        ["USD an hour, idle or not", *(_usd(idle_usd_per_hour(figures)) for figures in every)],
    ]
    listed = table(["", *map(variant_title, variants)], rows, classes=["", *("number" for _ in every)])
    failed = [
        [each.variant, each.phase.value, str(each.number), each.file, each.outcome.value, each.error]
        for each in observations
        if not each.succeeded
    ]
    headings = ["variant", "phase", "number", "file", "outcome", "reason"]
    failures = (
        details(f"All {len(failed):,} requests that failed; they have no latency", table(headings, failed))
        if failed
        else _paragraph("No request failed.")
    )
    remarks = [*filter(None, [document.get("stopped")]), *document.get("left_behind", [])]
    would_be = ", if it had been AWS" if document["rehearsal"] else ""
    allocated = [
        f"{variant_title(name)}: allocating what is kept ready took {each['allocation_seconds']} s."
        for name, each in document["environment"]["variants"].items()
        if "allocation_seconds" in each
    ]
    said = [f"About {document['spent_usd']:.4f} USD was spent{would_be}.", *allocated, *remarks]
    return listed + failures + "".join(map(_paragraph, said))


def _usd(value: float | None) -> str:
    return MISSING if value is None else usd(value)


def _measured(measured: Mapping[str, float], scenario: Scenario) -> str:
    """What the benchmark measured for the cost model, and the values of options that override it."""
    metadata = {each.name: each.metadata for each in fields(Scenario)}
    rows = [
        [
            metadata[name]["meaning"],
            f"{number(value)} {metadata[name]['unit']}".strip(),
            "measured" if getattr(scenario, name) == value else f"overridden by an option: {getattr(scenario, name)}",
        ]
        for name, value in measured.items()
    ]
    note = "Measured by this benchmark; the traffic is not, it is an option (--rpm)."
    return _paragraph(note) + table(["what", "value", "counts"], rows, classes=["", "number", ""])


def _environment(document: Document) -> str:
    plan, environment, prices = document["plan"], document["environment"], document["prices"]
    rows = [
        ["started", document["started"]],
        ["ended", document["ended"]],
        ["segments: one, and one for each time it was resumed", f"{len(document.get('segments', [1])):,}"],
        ["load", f"{plan['requests']:,} requests to each variant, {plan['arrivals']} ({plan['loop']} loop)"],
        ["kind of input", plan.get("input_kind", DEFAULT_KIND)],
        ["forced cold starts", f"{plan['cold']:,} for each variant"],
        ["idle time of an endpoint before a forced cold start", f"{number(plan['idle_seconds'])} s"],
        ["seed", f"{plan['seed']}, of the arrivals, the order of the files and the bootstrap"],
        ["prices", f"{prices['region']}, of {', '.join(prices['dates'])}"],
        ["unconfirmed prices", ", ".join(prices["unconfirmed"]) or "none"],
        *([name, _text(value)] for name, value in environment.items() if name != "variants"),
    ]
    return (
        table(["what", "value"], rows, classes=["", "long"])
        + details("Files", _files(plan["files"]))
        + "".join(
            details(
                f"{variant_title(name)} as deployed",
                table(["what", "value"], [[key, _text(value)] for key, value in its.items()], classes=["", "long"]),
            )
            for name, its in environment["variants"].items()
        )
        + _endpoint_metrics(document.get("endpoint_metrics") or {})
    )


def _files(files: Sequence[FileJson]) -> str:
    """The files with those facts that any of them has."""
    facts = [name for name in FACTS if any(name in file for file in files)]
    rows = [
        [
            file["name"],
            f"{file['size_bytes']:,}",
            *map(_text, (cast(dict[str, object], file).get(name) for name in facts)),
        ]
        for file in files
    ]
    headings = ["file", "bytes", *(FACTS[name] for name in facts)]
    return table(headings, rows, classes=["", *["number"] * (len(headings) - 1)])


def _endpoint_metrics(metrics: Mapping[str, EndpointMetrics | None]) -> str:
    """SageMaker's own, minute by minute."""
    rows = [
        [
            name,
            minute["begin"],
            metric,
            *(number(minute[metric][key]) if key in minute[metric] else MISSING for key in METRIC_FIGURES),
        ]
        for name, found in metrics.items()
        if found
        for minute in found["minutes"]
        for metric in METRICS
        if metric in minute
    ]
    if not rows:
        return ""
    headings = ["variant", "minute", "ms", *METRIC_FIGURES]
    return details("SageMaker's ModelLatency and OverheadLatency", table(headings, rows))


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    if isinstance(value, str):
        return value or MISSING
    if isinstance(value, Iterable):
        return ", ".join(map(_text, value))
    if value is None:
        return MISSING
    return number(value) if isinstance(value, float) else str(value)


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"
