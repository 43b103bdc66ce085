"""The tables of `crossover cost`, and the remarks under them."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from itertools import groupby
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossover.cost import traffic
from crossover.cost.architectures import ARM64_REMARK
from crossover.cost.bill import Bill
from crossover.cost.bill_comparison import FACTORS, Comparison, Effect
from crossover.cost.break_even import BreakEven, Cause
from crossover.cost.kinds import KINDS, scenario_of
from crossover.cost.measured import ONE_MACHINE_MARK
from crossover.cost.numbers import Amount, number
from crossover.cost.options import Inputs
from crossover.cost.published import Claim, figure
from crossover.cost.scenario import ASSUMED, MEASURED, MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS
from crossover.terminal import print_table

MILLION = 1e6
MAX_BANDS_SHOWN = 12
# What the result depends on most: a remark names those that were not given.
DECISIVE = ("cpu_seconds", "wait_seconds", "init_seconds", "restore_seconds", "proxy_overhead", "file_mb")


def print_comparison(comparison: Comparison, inputs: Inputs, effects: Sequence[Effect]) -> None:
    """All of it: the answer first, then the bills, the break-even points, and how certain it is."""
    console = Console()
    console.print(comparison.verdict, highlight=False, soft_wrap=True, style="bold", markup=False)
    console.print(_traffic_sentence(comparison.scenario, inputs), highlight=False, soft_wrap=True, markup=False)
    for table in (_bills_table(comparison), _bands_table(comparison), _sensitivity_table(effects)):
        console.print()
        print_table(table)
    console.print()
    for text in remarks(comparison, inputs):
        console.print(f"! {text}", highlight=False, soft_wrap=True, markup=False)


def _traffic_sentence(scenario: Scenario, inputs: Inputs) -> str:
    warm = float(scenario.warm())
    cold = float(scenario.cold(warm))
    return (
        f"{number(float(scenario.rpm))} requests a minute ({scenario.requests:,.0f} a month), {inputs.prices.region},"
        f" {scenario.memory_mb:,.0f} MB, {warm * 1000:,.0f} ms warm, cold share {_percent(cold)} {_origin(inputs)}."
    )


def _origin(inputs: Inputs) -> str:
    """Where the cold share comes from."""
    if "cold_share" in inputs.given:
        return "as measured" if "cold_share" in inputs.measured else "as given"
    bracket = traffic.exact(inputs.scenario) if inputs.traffic.share is None else inputs.traffic.share
    name = inputs.traffic.text.partition(":")[0]
    if bracket is None:
        return f"({name})"
    return f"({name}: {_percent(float(bracket.low))} to {_percent(float(bracket.high))}, by which environment is taken)"


def _table(title: str, *columns: str, numbers: Sequence[str] = (), wrapped: Sequence[str] = ()) -> Table:
    """A table of 80 columns at most, whose cells are never cut: those in `wrapped` columns go on in a further line."""
    table = Table(title=title or None, title_justify="left", show_edge=False, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(
            name, justify="right" if name in numbers else "left", no_wrap=name not in wrapped, overflow="fold"
        )
    return table


def _bills_table(comparison: Comparison) -> Table:
    numbers = ("USD", "USD a million", "instances")
    table = _table("A month", "variant", *numbers, "", numbers=numbers, wrapped=("",))
    for name, bill in comparison.bills.items():
        is_first_other = (
            name not in comparison.candidates and list(comparison.bills)[len(comparison.candidates)] == name
        )
        if is_first_other:
            table.add_section()
        is_cheapest = name == comparison.cheapest
        possible = bool(bill.is_possible)
        table.add_row(
            f"{'*' if is_cheapest else ' '} {name}",
            _money(bill.usd) if possible else "-",
            _money(bill.usd / comparison.scenario.requests * MILLION) if possible else "-",
            "" if bill.instances is None else f"{float(bill.instances):,.0f}",
            _remark(bill, is_cheapest=is_cheapest, is_candidate=name in comparison.candidates),
            style="bold green" if is_cheapest else "" if possible else "dim",
        )
    return table


def _remark(bill: Bill, *, is_cheapest: bool, is_candidate: bool) -> str:
    fatal = [problem.text for problem in bill.problems if problem.fatal and np.any(problem.where)]
    if fatal:
        return f"not possible: {fatal[0]}"
    if is_cheapest:
        return "cheapest"
    if bill.assumes_one_instance:
        return "one instance whatever the load"
    return "" if is_candidate else "for comparison"


def _bands_table(comparison: Comparison) -> Table:
    table = _table(
        f"The cheapest of {', '.join(comparison.candidates)} by traffic",
        *("requests a minute", "up to, a month", "cheapest", "USD there", "ends because"),
        numbers=("requests a minute", "up to, a month", "USD there"),
        wrapped=("ends because",),
    )
    endings: list[BreakEven | None] = [*comparison.break_evens.points, None]
    here = float(comparison.scenario.requests)
    for band, ending in list(zip(comparison.break_evens.bands, endings, strict=True))[:MAX_BANDS_SHOWN]:
        table.add_row(
            f"{number(band.lowest / MINUTES_PER_MONTH)} to {number(band.highest / MINUTES_PER_MONTH)}",
            f"{band.highest:,.0f}",
            band.variant or "none",
            "" if ending is None else _money(ending.usd),
            "" if ending is None else _ending(ending),
            style="bold" if band.lowest <= here < band.highest else "",
        )
    hidden = len(comparison.break_evens.bands) - MAX_BANDS_SHOWN
    if hidden > 0:
        table.caption = f"and {hidden} more; --json has them all"
    return table


def _ending(point: BreakEven) -> str:
    if point.above is None:
        return "nothing is possible beyond"
    if point.cause is Cause.LINES:
        return f"{point.above} costs less from there on"
    return "one more instance is needed" if point.cause is Cause.INSTANCE else "a limit is reached"


def _sensitivity_table(effects: Sequence[Effect]) -> Table:
    numbers = ("change", "USD", "next break-even, a minute")
    table = _table("If an input has another value", "input", "change", "cheapest", "USD", numbers[-1], numbers=numbers)
    for name, its in groupby(effects, key=lambda effect: effect.field):
        for effect in its:
            table.add_row(
                name if effect.factor == FACTORS[0] else "",
                f"{(effect.factor - 1) * 100:+.0f} %",
                effect.cheapest or "none",
                _money(effect.usd),
                "none" if effect.next_rpm is None else number(effect.next_rpm),
            )
    return table


def remarks(comparison: Comparison, inputs: Inputs) -> list[str]:
    """What to know before relying on it."""
    found = [
        f"{name}: {problem.text}"
        for name, bill in comparison.bills.items()
        for problem in bill.problems
        if np.any(problem.where) and (name in comparison.candidates or not problem.fatal)
    ]
    if inputs.is_rehearsal:
        found.append("The measurements are of a rehearsal on the local AWS: the times are not AWS's.")
    if inputs.scenario.architecture == "arm64":
        found.append(f"{ARM64_REMARK[0].upper()}{ARM64_REMARK[1:]}.")
    if inputs.is_one_machine:
        found.append(ONE_MACHINE_MARK)
    if "cold_share" in inputs.measured:
        found.append("The cold share is the benchmark's, at its own traffic; give yours with --cold-share.")
    found += _shared_measurements(inputs)
    cheaper = [
        f"{name} {_money(bill.usd)} USD"
        for name, bill in comparison.bills.items()
        if name not in comparison.candidates
        and comparison.cheapest is not None
        and bill.comparable < comparison.bills[comparison.cheapest].usd
    ]
    if cheaper:
        found.append(f"Cheaper, but not a candidate: {', '.join(cheaper)}.")
    known = {*inputs.given, *inputs.derived}
    guessed = [name for name in DECISIVE if name not in known and not _is_overridden(name, inputs.scenario)]
    if inputs.derived:
        work = f"{inputs.scenario.cpu_seconds:.3g} CPU-s"
        found.append(f"Instances are counted for {work} a request, the work in warm_seconds; give --cpu-seconds.")
    origins = {each.name: each.metadata["origin"] for each in fields(Scenario)}
    if not inputs.has_model:
        found.append(f"No model of this kind was measured for its defaults: they are those of {inputs.kind}.")
    of_model = f"measured with {KINDS[inputs.kind].on} on the developers' machine, not on AWS"
    for origin, meaning in ((MEASURED, of_model), (ASSUMED, "assumed")):
        names = [f"{name} {getattr(inputs.scenario, name):g}" for name in guessed if origins[name] == origin]
        if names:
            found.append(f"By default and {meaning}: {', '.join(names)}. Give your own, or a benchmark with --from.")
    unconfirmed = comparison.unconfirmed_prices
    if unconfirmed:
        named = ", ".join(f"{price.id} ({price.status})" for price in unconfirmed)
        found.append(f"Unconfirmed prices for {comparison.prices.region}: {named}.")
    return found


def _shared_measurements(inputs: Inputs) -> list[str]:
    """Whose measurements are used for other variants too, with the names of the fields."""
    by_variant: dict[str, list[str]] = {}
    for name, variant in inputs.measured_with.items():
        if _is_shared(name, variant, inputs.scenario):
            by_variant.setdefault(variant, []).append(name)
    return [
        f"Measured with {variant}, and used for each variant that has none of its own: {', '.join(names)}."
        for variant, names in by_variant.items()
    ]


def _is_shared(name: str, variant: str, scenario: Scenario) -> bool:
    """Whether others use what this variant measured: all but the fields that are named after a variant.

    `websocket`, `serverless` and EC2, which no benchmark measures, are listed with every answer.
    """
    if name == "snapstart_warm_seconds":
        return scenario.image_snap_start and scenario.container_warm_seconds is None
    return not name.startswith(f"{variant}_")


def _is_overridden(name: str, scenario: Scenario) -> bool:
    """Whether a default has no effect, since a given value replaces it."""
    replaced_by = {"wait_seconds": scenario.warm_seconds, "proxy_overhead": scenario.proxy_seconds}
    return replaced_by.get(name) is not None


def lines_table(comparison: Comparison, name: str) -> Table:
    """A variant's bill line by line."""
    bill = comparison.bills[name]
    table = _table(
        VARIANTS[name].title,
        *("line", "quantity", "price", "unit", "price is", "USD a month"),
        numbers=("quantity", "price", "USD a month"),
        wrapped=("line", "price", "unit", "price is"),
    )
    table.show_footer = True
    table.columns[0].footer, table.columns[-1].footer = "sum", _money(bill.usd)
    for line in bill.lines:
        price = line.price
        more = f" and {len(price.tiers) - 1} lower" if len(price.tiers) > 1 else ""
        known = f"{price.status}, {price.date}" if price.date != "undated" else price.status
        table.add_row(
            line.name, f"{line.quantity:,.2f}", f"{price.value:.6g}{more}", price.unit, known, _money(line.usd)
        )
    return table


def sweep_tables(rows: Sequence[Mapping[str, float | str | None]], *, width: int) -> list[Table]:
    """The rows of a sweep: as many tables of this width as all columns take, each with what was varied."""
    shown = [name for name in rows[0] if name != "requests" or "rpm" not in rows[0]]
    cells = {name: [_cell(name, row[name], row["cheapest"]) for row in rows] for name in shown}
    widths = {name: max(len(_heading(name)), *map(len, column)) + 3 for name, column in cells.items()}
    varied = [name for name in cells if not name.endswith("_usd") and name != "cheapest"]
    chunks = [varied]
    for name in cells:
        if name in varied:
            continue
        if chunks[-1] != varied and sum(widths[each] for each in [*chunks[-1], name]) > width:
            chunks.append(varied)
        chunks[-1] = [*chunks[-1], name]
    return [_sweep_table({name: cells[name] for name in chunk}) for chunk in chunks]


def _sweep_table(cells: dict[str, list[Text]]) -> Table:
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    for name in cells:
        table.add_column(_heading(name), justify="left" if name == "cheapest" else "right", overflow="fold")
    for row in zip(*cells.values(), strict=True):
        table.add_row(*row)
    return table


def _heading(name: str) -> str:
    return name.removesuffix("_usd")


def _cell(name: str, value: float | str | None, cheapest: float | str | None) -> Text:
    if value is None:
        return Text("-")
    if isinstance(value, str):
        return Text(value)
    if not name.endswith("_usd"):
        return Text(f"{value:,.0f}" if value >= MILLION else f"{value:,.6g}")
    return Text(_money(value), style="bold green" if _heading(name) == cheapest else "")


def published_table(claims: Sequence[Claim]) -> Table:
    """What was published, the same from this model, and corrected."""
    numbers, why = ("published", "reproduced", "corrected"), "why the last differs"
    table = _table("Published, reproduced, corrected", "what", *numbers, why, numbers=numbers, wrapped=("what", why))
    table.show_lines = True
    for claim in claims:
        table.add_row(
            f"{claim.what}, {claim.unit}",
            figure(claim.published, claim.unit),
            figure(claim.reproduced, claim.unit),
            " ".join(figure(value, claim.unit) for value in claim.corrected) or "never",
            claim.why,
        )
    return table


def assumptions_table(inputs: Sequence[Field[Any]], kind: str) -> Table:
    """Every input of the cost model, with its default for a kind of input of the machine-learning model."""
    usual = scenario_of(kind)
    table = _table("", "input", "default", "default is", "meaning", wrapped=("default", "meaning"))
    for each in inputs:
        value = getattr(usual, each.name)
        default = f"{value:g}" if isinstance(value, float) else str(value)
        metadata = each.metadata
        shown = "" if value in (None, False) else default
        with_unit = f"{shown} {metadata['unit']}".strip() if shown else ""
        table.add_row(each.name, with_unit, metadata["origin"] if shown else "", metadata["meaning"])
    return table


def _money(usd: Amount) -> str:
    return f"{float(usd):,.2f}" if np.isfinite(usd) else "-"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
