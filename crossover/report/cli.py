"""`crossover report`: pages and pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from crossover.cost.measured import ONE_MACHINE_MARK, REHEARSAL_MARK
from crossover.cost.options import ScenarioOptions
from crossover.errors import UsageError
from crossover.report import picture
from crossover.report.cost_page import cost_page

app = typer.Typer(help="Pages and pictures of benchmarks and of what things cost.", add_completion=False)


def _as_measured(context: typer.Context, file: Path | None) -> Path | None:
    """Use a result's measurements as with --from, in its own region, before any other option is read."""
    if file is not None:
        from crossover.report import result_charts  # only needed for results, not for a page of costs

        document, _ = result_charts.read(file)
        context.default_map = {"results": str(file), "region": document["environment"]["region"]}
    return file


@app.command("report")
@dataclass(kw_only=True)
class Report(ScenarioOptions):
    """One HTML file of a benchmark's result, with the costs that follow from it; with --cost of the costs only.

    The page is interactive, and it needs no network.
    """

    context: typer.Context
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="RESULTS", help="A result of `crossover bench run`.", callback=_as_measured, is_eager=True
        ),
    ] = None
    cost: Annotated[bool, typer.Option("--cost", help="Monthly cost by traffic, with the break-even points.")] = False
    output: Annotated[
        Path | None, typer.Option(help="The page, one HTML file: results.html, or cost.html with --cost.")
    ] = None
    image: Annotated[
        Path | None,
        typer.Option(
            help="A picture of the first chart, .png or .svg, instead of the page, or as well with --output; needs"
            " Chromium or Chrome."
        ),
    ] = None

    def __post_init__(self) -> None:
        _report(self)


def _report(options: Report) -> None:
    inputs = options.inputs()
    if options.file is None and not options.cost:
        raise UsageError("There is nothing to report; name a result of `crossover bench run`, or add --cost.")
    if options.file is not None and options.results != options.file:
        raise UsageError("Both a result and --from are given; give one of them.")
    if options.image is not None:
        kind, browser = picture.kind_of(options.image), picture.find_browser()
    if options.file is None or options.cost:
        mark = REHEARSAL_MARK if inputs.is_rehearsal else ONE_MACHINE_MARK if inputs.is_one_machine else ""
        page = cost_page(inputs.scenario, inputs.prices, inputs.candidates, mark=mark, kind=inputs.kind)
    else:
        from crossover.report import result_charts
        from crossover.report.results_page import results_page

        try:
            page = results_page(*result_charts.read(options.file), inputs)
        except (KeyError, TypeError) as error:
            raise UsageError(f"{options.file} is damaged: {error!r}.") from error
    if options.output is not None or options.image is None:
        _write(options.output or Path("cost.html" if options.cost else "results.html"), page.html().encode())
    if options.image is not None:
        _write(options.image, picture.render(page, kind, browser=browser))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    print(f"{path}: {len(content) / 1e6:.1f} MB")
