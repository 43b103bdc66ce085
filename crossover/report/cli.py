"""`crossover report`: pages and pictures."""

from pathlib import Path
from typing import Annotated

import typer

from crossover.cost.measured import ONE_MACHINE_MARK, REHEARSAL_MARK
from crossover.cost.options import Inputs, takes_scenario
from crossover.errors import UsageError
from crossover.report import picture
from crossover.report.cost_page import cost_page

app = typer.Typer(help="Pages and pictures of benchmarks and of what things cost.", add_completion=False)


def _as_measured(context: typer.Context, file: Path | None) -> Path | None:
    """Let a result's measurements count as with --from, in its own region, before any other option is read."""
    if file is not None:
        from crossover.report import result_charts  # the bench's half, which a page of costs does without

        document, _ = result_charts.read(file)
        context.default_map = {"results": str(file), "region": document["environment"]["region"]}
    return file


@app.command()
@takes_scenario()
def report(
    inputs: Inputs,
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="RESULTS", help="A result of `crossover bench run`.", callback=_as_measured, is_eager=True
        ),
    ] = None,
    cost: Annotated[bool, typer.Option("--cost", help="Monthly cost by traffic, with the break-even points.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="The page, one HTML file: results.html, or cost.html with --cost.")
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option(
            help="A picture of the first chart, .png or .svg, instead of the page, or as well with --output; needs"
            " Chromium or Chrome."
        ),
    ] = None,
) -> None:
    """One HTML file of a benchmark's result, with what follows for the costs; with --cost of the costs only.

    What it shows can be varied, and it needs no network.
    """
    if file is None and not cost:
        raise UsageError("There is nothing to report; name a result of `crossover bench run`, or add --cost.")
    if file is not None and context.params["results"] != file:
        raise UsageError("Both a result and --from are given; give one of them.")
    if image is not None:
        kind, browser = picture.kind_of(image), picture.find_browser()
    if file is None or cost:
        mark = REHEARSAL_MARK if inputs.is_rehearsal else ONE_MACHINE_MARK if inputs.is_one_machine else ""
        page = cost_page(inputs.scenario, inputs.prices, inputs.candidates, mark=mark)
    else:
        from crossover.report import result_charts
        from crossover.report.results_page import results_page

        try:
            page = results_page(*result_charts.read(file), inputs)
        except (KeyError, TypeError) as error:
            raise UsageError(f"{file} is damaged: {error!r}.") from error
    if output is not None or image is None:
        _write(output or Path("cost.html" if cost else "results.html"), page.html().encode())
    if image is not None:
        _write(image, picture.render(page, kind, browser=browser))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    print(f"{path}: {len(content) / 1e6:.1f} MB")
