"""At which traffic the cheapest variant changes: all of the crossings, since stairs can cross a line many times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossover.cost.prices import Prices
from crossover.cost.scenario import MINUTES_A_MONTH, Scenario
from crossover.cost.variants import VARIANTS

LOWEST, HIGHEST = 0.1 * MINUTES_A_MONTH, 10_000.0 * MINUTES_A_MONTH  # requests a month: 0.1 to 10,000 a minute
POINTS_A_DECADE = 200  # of the grid on which changes are looked for, besides the steps
MOST_STEPS = 200  # that are looked at one by one: a further machine is less than half a percent of so many
HALVINGS = 40  # of an interval of the grid: to the 14th digit
NOTHING = -1  # instead of a variant's index: none is possible

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """A volume at which another variant becomes the cheapest.

    Attributes:
        requests: a month, from which on `above` is the cheapest.
        below, above: the cheapest variant on either side; None where none is possible.
        usd: a month, of the one above; of the one below where there is none above.
        is_step: whether a further machine makes it, or the end of what is possible; else two lines meet.
    """

    requests: float
    below: str | None
    above: str | None
    usd: float
    is_step: bool

    @property
    def rpm(self) -> float:
        """Requests a minute."""
        return self.requests / MINUTES_A_MONTH


@dataclass(frozen=True, kw_only=True)
class Band:
    """A range of requests a month in which one variant is the cheapest, None where none is possible."""

    variant: str | None
    lowest: float
    highest: float


def crossings(
    names: Sequence[str], scenario: Scenario, prices: Prices, *, lowest: float = LOWEST, highest: float = HIGHEST
) -> list[Crossing]:
    """Every volume in a range at which the cheapest of these variants changes, ascending.

    All else stays as in the scenario, whose own traffic does not matter. Two crossings closer together than a 200th of
    a decade may both be missed, unless a step of the first MOST_STEPS machines lies between them.

    Args:
        names: of the variants; of those that cost the same, the first counts as the cheapest.
        lowest, highest: requests a month.

    Raises:
        ValueError: there is more than one scenario, or the range is none.
    """
    if replace(scenario, requests=lowest).cases > 1:
        raise ValueError(f"These are {scenario.cases} scenarios; there must be one.")
    return crossings_of_each(names, replace(scenario, requests=lowest), prices, lowest=lowest, highest=highest)[0]


def crossings_of_each(
    names: Sequence[str], scenario: Scenario, prices: Prices, *, lowest: float = LOWEST, highest: float = HIGHEST
) -> list[list[Crossing]]:
    """As `crossings`, for each of the scenarios."""
    if not 0 < lowest < highest:
        raise ValueError(f"The range is from {lowest} to {highest}; it must ascend, from above 0.")
    scenario = replace(scenario, requests=np.full(scenario.cases, lowest))
    cases = np.arange(scenario.cases)
    costs = _costs(names, scenario, prices)
    grid = _grid(names, scenario, lowest, highest)
    winners = _winners(costs(np.repeat(cases, grid.size), np.tile(grid, cases.size))).reshape(cases.size, grid.size)
    case, index = np.nonzero(winners[:, 1:] != winners[:, :-1])
    changes = _Changes(case, grid[index], grid[index + 1], winners[case, index], winners[case, index + 1])
    found = _crossings(names, costs, changes.narrowed(costs))
    return [[crossing for its_case, crossing in found if its_case == number] for number in cases]


def bands(found: Sequence[Crossing], *, first: str | None, lowest: float, highest: float) -> list[Band]:
    """What these crossings part, from `lowest` to `highest` requests a month; `first` is the cheapest at `lowest`."""
    variants = [first, *[crossing.above for crossing in found]]
    edges = [lowest, *[crossing.requests for crossing in found], highest]
    return [
        Band(variant=variant, lowest=start, highest=end)
        for variant, (start, end) in zip(variants, pairwise(edges), strict=True)
    ]


Costs = Callable[[Indices, Floats], Floats]


def _costs(names: Sequence[str], scenario: Scenario, prices: Prices) -> Costs:
    """USD a month for cases and volumes, pair by pair: [pairs] and [pairs] -> [variants, pairs]."""

    def costs(cases: Indices, volumes: Floats) -> Floats:
        at = replace(scenario.pick(cases), requests=volumes)
        return np.stack([np.broadcast_to(VARIANTS[name].bill(at, prices).comparable, volumes.shape) for name in names])

    return costs


def _winners(costs: Floats) -> Indices:
    """[variants, pairs] -> the index of the cheapest, [pairs]."""
    return np.where(np.isfinite(costs.min(axis=0)), costs.argmin(axis=0), NOTHING)


def _grid(names: Sequence[str], scenario: Scenario, lowest: float, highest: float) -> Floats:
    """Volumes close enough together, and both sides of each step at which a variant needs one machine more."""
    count = max(2, int(np.ceil(POINTS_A_DECADE * np.log10(highest / lowest))) + 1)
    grid = np.geomspace(lowest, highest, count)
    grid[[0, -1]] = lowest, highest
    return np.unique(np.concatenate([grid, *[_steps(name, scenario, grid) for name in names]]))


def _steps(name: str, scenario: Scenario, grid: Floats) -> Floats:
    """The volumes just below and at which the number of machines changes, by halving all intervals at once."""
    counted = VARIANTS[name].machines
    if counted is None:
        return np.empty(0)

    def machines(cases: Indices, volumes: Floats) -> Floats:
        return np.broadcast_to(counted(replace(scenario.pick(cases), requests=volumes)), volumes.shape)

    cases = np.arange(scenario.cases)
    counts = machines(np.repeat(cases, grid.size), np.tile(grid, cases.size)).reshape(cases.size, grid.size)
    case, index = np.nonzero((counts[:, 1:] > counts[:, :-1]) & (counts[:, :-1] < MOST_STEPS))
    if not case.size:
        return np.empty(0)
    # One interval for each step of one machine within it.
    risen = (counts[case, index + 1] - counts[case, index]).astype(int)
    case, index = np.repeat(case, risen), np.repeat(index, risen)
    target = counts[case, index] + [number for rise in risen for number in range(1, rise + 1)]
    low, high = grid[index], grid[index + 1]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        is_below = machines(case, middle) < target
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return np.concatenate([low, high])


@dataclass(frozen=True)
class _Changes:
    """Intervals of volume in which the cheapest changes from `below` to `above`, [changes] each."""

    case: Indices
    low: Floats
    high: Floats
    below: Indices
    above: Indices

    def narrowed(self, costs: Costs) -> "_Changes":
        """The same, a 10^-14th wide; more where a third variant is the cheapest in between."""
        case, low, high, below, above = self.case, self.low, self.high, self.below, self.above
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            winner = _winners(costs(case, middle)) if case.size else below
            third = (winner != below) & (winner != above)
            # A third one splits the interval: its lower half stays in place, its upper half comes in addition.
            is_low = winner == below
            low = np.concatenate([np.where(is_low, middle, low), middle[third]])
            high = np.concatenate([np.where(is_low, high, middle), high[third]])
            above = np.concatenate([np.where(third, winner, above), above[third]])
            below = np.concatenate([below, winner[third]])
            case = np.concatenate([case, case[third]])
        order = np.lexsort((high, case))
        return _Changes(case[order], low[order], high[order], below[order], above[order])


def _crossings(names: Sequence[str], costs: Costs, changes: _Changes) -> list[tuple[int, Crossing]]:
    """(case, crossing) for each change. Where two lines meet, both cost the same just below as here; at a step not."""
    if not changes.case.size:
        return []
    just_below, here = costs(changes.case, changes.low), costs(changes.case, changes.high)
    found = []
    for number, (case, below, above) in enumerate(zip(changes.case, changes.below, changes.above, strict=True)):
        sides = [index for index in (below, above) if index != NOTHING]
        smooth = len(sides) == 2 and np.allclose(just_below[sides, number], here[sides, number], rtol=1e-9)
        usd = just_below[below, number] if above == NOTHING else here[above, number]
        crossing = Crossing(
            requests=float(changes.high[number]),
            below=_name(names, below),
            above=_name(names, above),
            usd=float(usd),
            is_step=not smooth,
        )
        found.append((int(case), crossing))
    return found


def _name(names: Sequence[str], index: int) -> str | None:
    return None if index == NOTHING else names[index]
