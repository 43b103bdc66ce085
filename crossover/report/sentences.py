"""The sentences of the page: which variant is cheaper, and from which traffic on."""

from collections.abc import Mapping

from crossover.cost.break_even import HIGHEST_RPM, LOWEST_RPM, BreakEvens
from crossover.cost.numbers import number, usd

RANGE = f"from {number(LOWEST_RPM)} to {number(HIGHEST_RPM)} requests a minute"


def verdict(found: BreakEvens, titles: Mapping[str, str]) -> str:
    """Which of two candidates to use, and at which traffic to switch.

    Args:
        found: of the two.
        titles: of the candidates, by their keys.
    """
    edges = [number(point.rpm) for point in found.points]
    keys = [found.first, *[point.above for point in found.points]]
    cheaper = ["neither" if key is None else titles[key] for key in keys]
    first, last = cheaper[0], cheaper[-1]
    if not edges:
        said = "neither is possible" if found.first is None else f"{first} is cheaper at any traffic"
        said += f" {RANGE}"
    elif len(edges) == 1:
        said = f"{first} is cheaper up to {edges[0]} requests a minute, {last} from there on"
    else:
        said = f"{first} is cheaper up to {edges[0]} requests a minute"
        said += f" and again from {edges[-1]} on" if first == last else f", {last} from {edges[-1]} on"
        changes = len(edges) - 2
        said += f"; in between, {f'the cheaper one changes {_times(changes)}' if changes else f'{cheaper[1]} is'}"
    return f"{said[0].upper()}{said[1:]}."


def at_traffic(rpm: float, requests: float, costs: Mapping[str, float | None]) -> str:
    """What two candidates, by title, cost at the scenario's own traffic; None where one is not possible there."""
    where = f"At {number(rpm)} requests a minute, {number(requests)} a month"
    parts = [
        f"{title} {'is not possible' if cost is None else f'costs {usd(cost)} USD a month'}"
        for title, cost in costs.items()
    ]
    return f"{where}: {', '.join(parts)}."


def span(lowest: float, highest: float) -> str:
    """A range of requests a minute, open where it is the whole range's end."""
    if lowest <= LOWEST_RPM and highest >= HIGHEST_RPM:
        return f"{number(lowest)} to {number(highest)}"
    if lowest <= LOWEST_RPM:
        return f"up to {number(highest)}"
    return f"from {number(lowest)} on" if highest >= HIGHEST_RPM else f"{number(lowest)} to {number(highest)}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
