"""The picture of the cost curves, docs/images/cost-curves.svg. `make pictures` writes it, a test compares it.

Every deployable variant's bill by traffic, at the cost model's defaults, with the break-even points of the cheapest. It
has its own background, so it reads on a light and on a dark page.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from crossover.cost.break_even import BreakEvens, CostGrid
from crossover.cost.candidates import Candidate, Floats, candidates_named
from crossover.cost.numbers import number, usd
from crossover.cost.prices import dates_of, load
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario
from crossover.cost.variants import by_default, style_of
from crossover.report.page import FOLDER

PICTURE = Path(__file__).resolve().parents[1] / "docs/images/cost-curves.svg"

REGION = "us-east-1"
LOWEST_RPM, HIGHEST_RPM = 1.0, 10_000.0
WIDTH, HEIGHT = 960, 520
LEFT, RIGHT, TOP, BOTTOM = 84, 826, 96, 440  # of the plot
NAME_HEIGHT = 19  # of a name at the end of a line
RIBBON = 7  # height of the band that shows the cheapest
FONTS = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"
STROKES = {
    "solid": "",
    "dash": "9 5",
    "dot": "2 4",
    "dashdot": "9 4 2 4",
    "longdash": "15 5",
    "longdashdot": "15 4 2 4",
}


def svg() -> str:
    """The picture, as text."""
    scenario, prices = Scenario(), load(REGION)
    candidates = candidates_named(by_default())
    lowest, highest = LOWEST_RPM * MINUTES_PER_MONTH, HIGHEST_RPM * MINUTES_PER_MONTH
    grid = CostGrid(candidates, [scenario], prices, lowest=lowest, highest=highest)
    ((found,),) = grid.break_evens([range(len(candidates))])
    plot = _Plot(grid.costs[:, 0])
    used = {line.price for each in candidates for line in each.bill(scenario, prices).lines}
    parts = [
        _text(24, 38, _headline(found, candidates), size=17, weight=700),
        _text(24, 62, "USD a month by traffic, on logarithmic axes", colour="quiet"),
        *plot.axes(),
        *plot.ribbon(found, candidates),
        *plot.lines(grid.volumes, grid.costs[:, 0], candidates),
        *plot.points(found),
        _text((LEFT + RIGHT) / 2, BOTTOM + 44, "requests a minute", anchor="middle", colour="quiet"),
        _text(
            24,
            HEIGHT - 14,
            f"{REGION}, {dates_of(used)}; {1000 * float(scenario.cpu_seconds):g} ms of CPU time a request, functions of"
            f" {number(float(scenario.memory_mb))} MB, endpoint of {scenario.instance_type} instances.",
            size=12,
            colour="quiet",
        ),
    ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' role="img" aria-label="{escape(_headline(found, candidates))}" font-family="{FONTS}">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{_colour("paper")}"/>\n{body}\n</svg>\n'
    )


def _headline(found: BreakEvens, candidates: Sequence[Candidate]) -> str:
    titles = {each.key: each.title for each in candidates}
    keys = [found.first, *[point.above for point in found.points]]
    cheapest = ["none" if key is None else titles[key] for key in keys]
    if not found.points:
        return f"{cheapest[0]} is the cheapest at any traffic"
    said = f"{cheapest[0]} is the cheapest up to {number(found.points[0].rpm)} requests a minute"
    return f"{said}, {cheapest[-1]} from {number(found.points[-1].rpm)} on"


class _Plot:
    """From traffic and USD to pixels, on logarithmic axes."""

    def __init__(self, costs: Floats) -> None:
        possible = costs[np.isfinite(costs)]
        self.low = float(np.log10(possible.min() / 1.5))
        self.high = float(np.log10(possible.max() * 1.3))

    def x(self, rpm: float) -> float:
        share = np.log10(rpm / LOWEST_RPM) / np.log10(HIGHEST_RPM / LOWEST_RPM)
        return round(float(LEFT + share * (RIGHT - LEFT)), 1)

    def y(self, cost: float) -> float:
        share = (np.log10(cost) - self.low) / (self.high - self.low)
        return round(float(BOTTOM - share * (BOTTOM - TOP)), 1)

    def axes(self) -> Iterator[str]:
        """A rule at every power of ten, with its number."""
        for power in range(round(np.log10(LOWEST_RPM)), round(np.log10(HIGHEST_RPM)) + 1):
            x = self.x(10.0**power)
            yield _line(x, TOP, x, BOTTOM)
            yield _text(x, BOTTOM + 22, number(10.0**power), anchor="middle", colour="quiet")
        for power in range(int(np.ceil(self.low)), int(np.floor(self.high)) + 1):
            y = self.y(10.0**power)
            yield _line(LEFT, y, RIGHT, y)
            yield _text(LEFT - 10, y + 5, number(10.0**power), anchor="end", colour="quiet")

    def lines(self, volumes: Floats, costs: Floats, candidates: Sequence[Candidate]) -> Iterator[str]:
        """Each candidate's line, and its name at the right end; names are moved apart where they would overlap."""
        ends = []
        for candidate, usd_a_month in zip(candidates, costs, strict=True):
            style = style_of(candidate.variant.name)
            points: list[str] = []
            for requests, cost in zip(volumes.tolist(), usd_a_month.tolist(), strict=True):
                if np.isfinite(cost):
                    point = f"{self.x(requests / MINUTES_PER_MONTH):g},{self.y(cost):g}"
                    points += [point] if points[-1:] != [point] else []
            dashes = f' stroke-dasharray="{STROKES[style.dash]}"' if STROKES[style.dash] else ""
            stroke = f'fill="none" stroke="{_colour(style.colour)}" stroke-width="3"{dashes} stroke-linejoin="round"'
            yield f'<polyline points="{" ".join(points)}" {stroke}/>'
            ends.append((float(points[-1].split(",")[1]), candidate, style.colour))
        place = -np.inf
        for y, candidate, colour in sorted(ends, key=lambda end: end[0]):
            place = max(y, place + NAME_HEIGHT)
            yield _text(RIGHT + 12, place + 5, candidate.short, colour=colour, weight=600, size=15)

    def ribbon(self, found: BreakEvens, candidates: Sequence[Candidate]) -> Iterator[str]:
        """A band at the foot of the plot in the colour of the cheapest."""
        names = {each.key: each.variant.name for each in candidates}
        for band in found.bands:
            if band.variant is not None:
                start, end = (self.x(edge / MINUTES_PER_MONTH) for edge in (band.lowest, band.highest))
                colour = _colour(style_of(names[band.variant]).colour)
                yield (
                    f'<rect x="{start:g}" y="{BOTTOM - RIBBON}" width="{round(end - start, 1):g}" height="{RIBBON}"'
                    f' fill="{colour}"/>'
                )

    def points(self, found: BreakEvens) -> Iterator[str]:
        """The break-even points; the first and the last one with their numbers."""
        for point in found.points:
            x, y = self.x(point.rpm), self.y(point.usd)
            yield (
                f'<circle cx="{x:g}" cy="{y:g}" r="6" fill="{_colour("paper")}" stroke="{_colour("ink")}"'
                ' stroke-width="2.5"/>'
            )
        for point in dict.fromkeys((*found.points[:1], *found.points[-1:])):
            x, y = self.x(point.rpm), self.y(point.usd)
            yield _text(x - 14, y - 30, f"{number(point.rpm)} a minute", anchor="end", weight=700)
            yield _text(x - 14, y - 12, f"{usd(point.usd)} USD a month", anchor="end")


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float = 14,
    weight: int = 400,
    colour: str = "ink",
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}" text-anchor="{anchor}"'
        f' fill="{_colour(colour)}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{_colour("rule")}"/>'


def _colour(name: str) -> str:
    """As the report's page has it on a light ground."""
    css = (FOLDER / "page.css").read_text()
    found = re.search(rf"--{name}: (#[0-9a-f]+);", css)
    assert found is not None, name
    return found[1]


if __name__ == "__main__":
    PICTURE.write_text(svg())
