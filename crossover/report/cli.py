"""`crossover report`: pages and pictures."""

from pathlib import Path
from typing import Annotated

import typer

from crossover.cost.options import Inputs, takes_scenario
from crossover.errors import UsageError
from crossover.report import picture
from crossover.report.cost_page import cost_page

app = typer.Typer(help="Pages and pictures of what things cost.", add_completion=False)


@app.command()
@takes_scenario()
def report(
    inputs: Inputs,
    cost: Annotated[bool, typer.Option("--cost", help="Monthly cost by traffic, and where the lines cross.")] = False,
    output: Annotated[Path, typer.Option(help="The page, one HTML file.")] = Path("cost.html"),
    image: Annotated[
        Path | None,
        typer.Option(help="A picture of it too, .png or .svg; needs Chromium or Chrome.", show_default=False),
    ] = None,
) -> None:
    """One HTML file with levers for the cold-start share and for who is raced. It asks no network for anything."""
    if not cost:
        raise UsageError("There is nothing to report; add --cost.")
    if image is not None:
        kind, browser = picture.kind_of(image), picture.find_browser()
    page = cost_page(inputs.scenario, inputs.prices, inputs.candidates)
    _write(output, page.html().encode())
    if image is not None:
        _write(image, picture.render(page, kind, browser=browser))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    print(f"{path}: {len(content) / 1e6:.1f} MB")
