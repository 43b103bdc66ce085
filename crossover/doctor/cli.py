"""`crossover doctor`."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossover.doctor.account import DEFAULT_REGION
from crossover.doctor.checks import least_policy
from crossover.doctor.examine import Report, examine
from crossover.doctor.result import Status
from crossover.errors import UsageError
from crossover.terminal import print_table, printable

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

HELP = f"""Say what `cdk deploy` would fail on, and what to do; nothing is changed.

The app is synthesized as `cdk deploy` does, but without its functions' code. A check that lacks a permission names it.

Exits with 1 if something would fail.

The least IAM policy allows these actions on all resources: {", ".join(least_policy())}.
"""

STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILS: "red", Status.UNKNOWN: "cyan"}


@app.command(help=HELP)
def doctor(
    stacks: Annotated[
        list[str] | None, typer.Argument(help="The stacks, as `cdk deploy` takes them; all by default.")
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option("--context", "-c", metavar="KEY=VALUE", help="A setting, as `cdk deploy` takes it."),
    ] = None,
    assembly: Annotated[
        Path | None, typer.Option("--app", help="A folder that `cdk synth` wrote, instead of running the app.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    from crossover.aws import open_clients

    settings = dict(_setting(text) for text in context or [])
    with Console(stderr=True).status("") as status:
        report = examine(
            open_clients(default_region=DEFAULT_REGION),
            stacks=stacks or [],
            settings=settings,
            assembly=assembly,
            announce=status.update,
        )
    if as_json:
        print(json.dumps(_to_json(report), indent=2))
    else:
        print_table(_table(report))
        print(_sentence(report))
    if report.fails:
        raise typer.Exit(1)


def _setting(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise UsageError(f"The value of --context is {text!r}; it must be KEY=VALUE.")
    return key, value


def _table(report: Report) -> Table:
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("found", overflow="fold", ratio=3)
    table.add_column("what to do", overflow="fold", ratio=2)
    for finding in report.findings:
        table.add_row(
            finding.check,
            Text(finding.status.value, style=STYLES[finding.status]),
            Text(printable(finding.what)),
            Text(printable(finding.todo)),
        )
    return table


def _sentence(report: Report) -> str:
    counts = Counter(finding.status for finding in report.findings)
    verdict = "`cdk deploy` would fail" if report.fails else "Nothing was found on which `cdk deploy` would fail"
    return f"{verdict}: " + ", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status]) + "."


def _to_json(report: Report) -> dict[str, object]:
    return {
        "account": report.account,
        "region": report.region,
        "stacks": report.stacks,
        "fails": report.fails,
        "checks": [
            {"check": finding.check, "status": finding.status.value, "found": finding.what, "to_do": finding.todo}
            for finding in report.findings
        ],
    }
