"""`crossover cost`: which variant is the cheapest at your traffic, and at which traffic another one is."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated

import numpy as np
import typer

from crossover.cost import comparison_json, comparison_tables, published
from crossover.cost.bill_comparison import compare, sensitivity
from crossover.cost.kinds import DEFAULT_KIND, KINDS
from crossover.cost.options import Inputs, ScenarioOptions
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import VARIANTS
from crossover.errors import UsageError
from crossover.terminal import print_table, table_console

app = typer.Typer(help="Which variant is the cheapest at your traffic.", add_completion=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]


@app.callback(invoke_without_command=True)
@dataclass(kw_only=True)
class Cost(ScenarioOptions):
    """Which variant is the cheapest at your traffic, what each costs a month, and at which traffic that changes.

    No AWS call is made: the prices are those of a dated snapshot. Durations are by default what was measured on the
    developers' machine, with the model of --kind; give your own, or a benchmark's result with --from.
    """

    context: typer.Context
    preset: Annotated[str, typer.Option(help="published: published figures, reproduced and corrected.")] = ""
    lines: Annotated[str, typer.Option(help="Print the bill of this variant line by line.")] = ""
    as_json: AsJson = False
    as_csv: AsCsv = False

    def __post_init__(self) -> None:
        if self.context.invoked_subcommand is None:
            _cost(self)


def _cost(options: Cost) -> None:
    if options.as_json and options.as_csv:
        raise UsageError("Both --json and --csv are given; give one of them.")
    if options.preset:
        _refuse_inputs(options)
        _print_published(options.preset, as_json=options.as_json, as_csv=options.as_csv)
        return
    inputs = options.inputs()
    comparison = compare(inputs.scenario, inputs.prices, candidates=inputs.candidates, others=inputs.others)
    if options.lines and options.lines not in comparison.bills:
        raise UsageError(f"There is no variant {options.lines!r}; there are {', '.join(comparison.bills)}.")
    if options.as_json:
        answer = comparison_json.as_json(comparison, inputs, sensitivity(comparison))
        print(json.dumps(answer["variants"][options.lines] if options.lines else answer, indent=2))
    elif options.as_csv:
        rows = comparison_json.as_rows(comparison)
        _print_csv([row for row in rows if not options.lines or row["variant"] == options.lines])
    elif options.lines:
        print_table(comparison_tables.lines_table(comparison, options.lines))
    else:
        comparison_tables.print_comparison(comparison, inputs, sensitivity(comparison))


def _refuse_inputs(options: Cost) -> None:
    """A preset has its own inputs.

    Raises:
        UsageError: another is given.
    """
    for each in (*fields(ScenarioOptions), *(each for each in fields(Cost) if each.name == "lines")):
        if getattr(options, each.name) != each.default:
            option = "--from" if each.name == "results" else f"--{each.name.replace('_', '-')}"
            raise UsageError(f"--preset {options.preset} has inputs of its own; leave out {option}.")


@app.command("sweep")
@dataclass(kw_only=True)
class Sweep(ScenarioOptions):
    """Tabulate: any number may be LOW:HIGH:COUNT or several with commas, as --rpm 1:1000:20 --memory 1024,2048."""

    as_json: AsJson = False
    as_csv: AsCsv = False

    def __post_init__(self) -> None:
        inputs = self.inputs(sweeps=True)
        if self.as_json and self.as_csv:
            raise UsageError("Both --json and --csv are given; give one of them.")
        rows = _sweep(inputs)
        if self.as_json:
            print(json.dumps(rows, indent=2))
        elif self.as_csv:
            _print_csv(rows)
        else:
            console = table_console()
            for number, table in enumerate(comparison_tables.sweep_tables(rows, width=console.width)):
                if number > 0:
                    console.print()
                console.print(table)


@app.command()
def assumptions(
    kind: Annotated[str, typer.Option(help=f"Model whose defaults are printed: {' or '.join(KINDS)}.")] = DEFAULT_KIND,
) -> None:
    """The cost model's assumptions: every input, its default, and where the default comes from."""
    if kind not in KINDS:
        raise UsageError(f"There is no measured model of the kind {kind!r}; there are {', '.join(KINDS)}.")
    print_table(comparison_tables.assumptions_table(fields(Scenario), kind))


def _sweep(inputs: Inputs) -> list[dict[str, float | str | None]]:
    """One row for each scenario: what was varied, USD a month of each candidate, and the cheapest."""
    scenario, names = inputs.scenario, inputs.candidates
    size = scenario.cases
    usd = {name: np.broadcast_to(VARIANTS[name].bill(scenario, inputs.prices).comparable, size) for name in names}
    stacked = np.stack(list(usd.values()))
    best = np.where(np.isfinite(stacked.min(axis=0)), stacked.argmin(axis=0), -1)
    varied = {name: np.broadcast_to(getattr(scenario, name), size) for name in inputs.swept or ("requests",)}
    if "requests" in varied:
        varied = {"rpm": varied["requests"] / MINUTES_PER_MONTH, **varied}
    return [
        {
            **{name: float(values[index]) for name, values in varied.items()},
            **{f"{name}_usd": float(usd[name][index]) if np.isfinite(usd[name][index]) else None for name in names},
            "cheapest": names[best[index]] if best[index] >= 0 else None,
        }
        for index in range(size)
    ]


def _print_published(preset: str, *, as_json: bool, as_csv: bool) -> None:
    if preset != "published":
        raise UsageError(f"There is no preset {preset!r}; there is published.")
    claims = published.claims()
    if as_json:
        print(json.dumps([vars(claim) for claim in claims], indent=2))
    elif as_csv:
        _print_csv([{**vars(claim), "corrected": " ".join(map(str, claim.corrected))} for claim in claims])
    else:
        print_table(comparison_tables.published_table(claims))
        print(published.NOTE)


def _print_csv(rows: Sequence[Mapping[str, object]]) -> None:
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
