"""The sentences of the page: who is cheaper, and from where on."""

from collections.abc import Callable

from crossover.report.numbers import number, usd
from crossover.report.races import HIGHEST_RPM, LOWEST_RPM, Race

RANGE = f"from {number(LOWEST_RPM)} to {number(HIGHEST_RPM)} requests a minute"
Name = Callable[[int | None], str]


def verdict(race: Race, name: Name) -> str:
    """Which of two to take, and at which traffic to move; `name` gives a contender's, and "neither" for None."""
    edges = [number(crossing.rpm) for crossing in race.crossings]
    winners = [name(each) for each in (race.first, *[crossing.above for crossing in race.crossings])]
    first, last = winners[0], winners[-1]
    if not edges:
        said = f"{first} is cheaper at any traffic {RANGE}" if race.first is not None else f"neither can be had {RANGE}"
    elif len(edges) == 1:
        said = f"{first} is cheaper up to {edges[0]} requests a minute, {last} from there on"
    else:
        said = f"{first} is cheaper up to {edges[0]} requests a minute"
        said += f" and again from {edges[-1]} on" if first == last else f", {last} from {edges[-1]} on"
        changes = len(edges) - 2
        said += f"; in between, {f'the cheaper one changes {_times(changes)}' if changes else f'{winners[1]} is'}"
    return f"{said[0].upper()}{said[1:]}."


def at_traffic(rpm: float, requests: float, costs: dict[str, float | None]) -> str:
    """What two contenders, by name, cost at the scenario's own traffic; None where one cannot be had there."""
    where = f"At {number(rpm)} requests a minute, {number(requests)} a month"
    parts = [
        f"{name} {'cannot be had' if cost is None else f'costs {usd(cost)} USD a month'}"
        for name, cost in costs.items()
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
