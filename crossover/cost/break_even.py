"""At which traffic the cheapest variant changes: all break-even points of any candidates, in many scenarios at once.

Instances make a bill a step function of the traffic, so two variants can have many break-even points. Changes are
looked for on a grid of traffic that has both sides of every step; the interval of each is then narrowed down by
evaluating several points in all intervals at once, since a bill of thousands of scenarios takes hardly longer than one.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossover.cost.candidates import Candidate, Floats
from crossover.cost.prices import Prices
from crossover.cost.scenario import MINUTES_PER_MONTH, Scenario

Indices = NDArray[np.int64]

LOWEST_RPM, HIGHEST_RPM = 0.1, 10_000.0
LOWEST, HIGHEST = LOWEST_RPM * MINUTES_PER_MONTH, HIGHEST_RPM * MINUTES_PER_MONTH  # requests a month
POINTS_PER_DECADE = 200  # of the grid, besides the steps
MAX_STEPS = 200  # of one candidate in the grid; beyond, a further instance is less than half a percent
PRECISION = 1e-14  # of a break-even point or a step, relative
MAX_ROUNDS = 40  # of narrowing; 4 are usual, and 20 are enough where a bill jumps
# Points in an interval, as parts of its width. EVEN where the bills do not say where they meet; else QUARTERS, and NEAR
# on both sides of where they would meet if they were straight lines, which they nearly are in so short an interval.
EVEN = np.arange(1, 17) / 17
QUARTERS = np.arange(1, 4) / 4
NEAR = np.array([0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
NONE_POSSIBLE = -1  # instead of a candidate's index: none is possible
NONE_POSSIBLE_USD = 1e300  # USD where no candidate is possible: above every real cost, below infinity


class Cause(Enum):
    """Why the cheapest candidate changes."""

    LINES = "lines"  # both cost the same here
    INSTANCE = "instance"  # one of them needs a further instance
    LIMIT = "limit"  # one of them becomes possible or ceases to be


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """Traffic from which on another candidate is the cheapest.

    Attributes:
        requests: a month, from which on `above` is the cheapest.
        below, above: keys of the cheapest candidates on both sides; None where none is possible.
        usd: a month, of the one above; of the one below where there is none above.
        cause: of the change.
    """

    requests: float
    below: str | None
    above: str | None
    usd: float
    cause: Cause

    @property
    def rpm(self) -> float:
        """Requests a minute."""
        return self.requests / MINUTES_PER_MONTH

    @property
    def is_step(self) -> bool:
        """Whether a bill jumps here; else two lines meet."""
        return self.cause is not Cause.LINES


@dataclass(frozen=True, kw_only=True)
class Band:
    """A range of requests a month in which one candidate is the cheapest, by its key; None where none is possible."""

    variant: str | None
    lowest: float
    highest: float


@dataclass(frozen=True, kw_only=True)
class BreakEvens:
    """The cheapest of some candidates over a range of traffic.

    Attributes:
        first: key of the cheapest at the lowest traffic; None where none is possible.
        points: every change from there on, ascending.
        lowest, highest: ends of the range, requests a month.
    """

    first: str | None
    points: tuple[BreakEven, ...]
    lowest: float
    highest: float

    @property
    def bands(self) -> list[Band]:
        """The ranges between the points."""
        keys = [self.first, *[point.above for point in self.points]]
        edges = [self.lowest, *[point.requests for point in self.points], self.highest]
        return [
            Band(variant=key, lowest=low, highest=high) for key, (low, high) in zip(keys, pairwise(edges), strict=True)
        ]


def break_evens(
    candidates: Sequence[Candidate],
    scenario: Scenario,
    prices: Prices,
    *,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
) -> list[BreakEvens]:
    """The cheapest of these candidates over a range of traffic, in each case of the scenario.

    Args:
        candidates: of those that cost the same, the first counts as the cheapest.
        scenario: one or many; its own traffic does not matter.
        lowest, highest: requests a month.

    Raises:
        ValueError: the range does not ascend from above 0.
    """
    grid = CostGrid(candidates, [scenario], prices, lowest=lowest, highest=highest)
    return grid.break_evens([range(len(candidates))])[0]


class CostGrid:
    """What every candidate costs over a range of traffic, in every case of the scenarios.

    Two break-even points closer together than a 200th of a decade may both be missed, unless a step of the first
    MAX_STEPS instances is between them.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        scenarios: Sequence[Scenario],
        prices: Prices,
        *,
        lowest: float = LOWEST,
        highest: float = HIGHEST,
        at: Floats | Sequence[float] = (),
    ) -> None:
        """Nothing is computed before it is asked for.

        Args:
            candidates: of which the bills are.
            scenarios: each of one case or of many, numbered through; their own traffic does not matter.
            prices: of the region.
            lowest, highest: requests a month.
            at: more points of the grid, requests a month.

        Raises:
            ValueError: the range does not ascend from above 0.
        """
        if not 0 < lowest < highest:
            raise ValueError(f"The range is from {lowest} to {highest}; it must ascend, from above 0.")
        self.candidates, self.prices = list(candidates), prices
        self.lowest, self.highest = float(lowest), float(highest)
        self._scenarios = [replace(each, requests=lowest) for each in scenarios]
        self._sizes = [each.cases for each in self._scenarios]
        self._at = np.asarray(at, dtype=float)

    @property
    def cases(self) -> int:
        """How many cases the scenarios have together."""
        return sum(self._sizes)

    @cached_property
    def steps(self) -> list[Floats]:
        """Of each candidate, both sides of each traffic at which it needs a further instance, in any of the cases."""
        distinct: list[Scenario] = []
        for scenario, size in zip(self._scenarios, self._sizes, strict=True):
            without = replace(scenario, cold_share=None)  # the number of instances does not depend on it
            if size == 1 or without.cases > 1 or without not in distinct:
                distinct.append(without)
        return [
            np.unique(np.concatenate([self._steps(each, scenario) for scenario in distinct]))
            for each in self.candidates
        ]

    @cached_property
    def volumes(self) -> Floats:
        """Requests a month, ascending: the points of the grid."""
        return np.unique(np.concatenate([self._even_grid, self._at, *self.steps]))

    @cached_property
    def costs(self) -> Floats:
        """USD a month, [candidate, case, volume]; infinite where a candidate is not possible."""
        cases = np.repeat(np.arange(self.cases), self.volumes.size)
        volumes = np.tile(self.volumes, self.cases)
        flat = np.stack([self._costs(each, cases, volumes) for each in self.candidates])
        return flat.reshape(len(self.candidates), self.cases, self.volumes.size)

    def costs_at(self, requests: float) -> Floats:
        """USD a month at one traffic, [candidate, case]; infinite where a candidate is not possible."""
        cases = np.arange(self.cases)
        return np.stack([self._costs(each, cases, np.full(cases.shape, requests)) for each in self.candidates])

    @cached_property
    def instances(self) -> Floats:
        """How many instances run in the first case, [candidate, volume]; not a number where a candidate keeps none."""
        first = self._scenarios[0].pick(np.zeros(1, dtype=int), requests=self.volumes)
        counts = [each.instances(first) for each in self.candidates]
        return np.array([np.full_like(self.volumes, np.nan) if count is None else count for count in counts])

    def break_evens(self, groups: Sequence[Sequence[int]]) -> list[list[BreakEvens]]:
        """The cheapest of each group of candidates, [group][case].

        Args:
            groups: indices of candidates; of those that cost the same, the group's first counts as the cheapest.
        """
        firsts = []
        changes: list[_Changes] = []
        for number, group in enumerate(groups):
            cheapest = _cheapest(self.costs[list(group)], np.array(group))
            firsts.append(cheapest[:, 0].tolist())
            case, index = np.nonzero(cheapest[:, 1:] != cheapest[:, :-1])
            below, above = cheapest[case, index], cheapest[case, index + 1]
            ends = self.costs[:, case[:, None], np.column_stack([index, index + 1])]
            gap_low, gap_high = _gaps(ends, below, above).T
            changes.append(
                _Changes(
                    group=np.full(case.shape, number),
                    case=case,
                    low=self.volumes[index],
                    high=self.volumes[index + 1],
                    below=below,
                    above=above,
                    gap_low=gap_low,
                    gap_high=gap_high,
                )
            )
        points: list[list[list[BreakEven]]] = [[[] for _ in range(self.cases)] for _ in groups]
        for of_group, of_case, point in self._points(self._narrowed(_joined(changes), groups)):
            points[of_group][of_case].append(point)
        return [
            [
                BreakEvens(first=self._key(first), points=tuple(found), lowest=self.lowest, highest=self.highest)
                for first, found in zip(cases, its_points, strict=True)
            ]
            for cases, its_points in zip(firsts, points, strict=True)
        ]

    @cached_property
    def _even_grid(self) -> Floats:
        count = max(2, int(np.ceil(POINTS_PER_DECADE * np.log10(self.highest / self.lowest))) + 1)
        grid = np.geomspace(self.lowest, self.highest, count)
        grid[[0, -1]] = self.lowest, self.highest
        return grid

    def _steps(self, candidate: Candidate, scenario: Scenario) -> Floats:
        """Both sides of each step in these cases, looked for in all intervals at once."""
        cases, grid = np.arange(scenario.cases), self._even_grid

        def instances(case: Indices, volumes: Floats) -> Floats:
            found = candidate.instances(scenario.pick(case, requests=volumes))
            return np.zeros_like(volumes) if found is None else found

        counts = instances(np.repeat(cases, grid.size), np.tile(grid, cases.size)).reshape(cases.size, grid.size)
        case, index = np.nonzero((counts[:, 1:] > counts[:, :-1]) & (counts[:, :-1] < MAX_STEPS))
        if not case.size:
            return np.empty(0)
        # One interval for each step of one instance within it.
        risen = (counts[case, index + 1] - counts[case, index]).astype(int)
        case, index = np.repeat(case, risen), np.repeat(index, risen)
        target = counts[case, index] + [number for rise in risen for number in range(1, rise + 1)]
        low, high = grid[index], grid[index + 1]
        while np.any(high - low > PRECISION * high):
            points = low[:, None] + (high - low)[:, None] * EVEN
            counted = instances(np.repeat(case, EVEN.size), points.ravel()).reshape(points.shape)
            edges = np.column_stack([low, points, high])
            last = (counted < target[:, None]).sum(axis=1)  # number of the edge before the step
            low, high = edges[np.arange(last.size), last], edges[np.arange(last.size), last + 1]
        return np.concatenate([low, high])

    def _narrowed(self, changes: "_Changes", groups: Sequence[Sequence[int]]) -> "_Changes":
        """The same, as narrow as PRECISION; more where a third candidate is the cheapest in between."""
        for _ in range(MAX_ROUNDS):
            is_open = changes.high - changes.low > PRECISION * changes.high
            if not is_open.any():
                break
            opened = self._split(changes.take(np.flatnonzero(is_open)), groups)
            changes = _joined([changes.take(np.flatnonzero(~is_open)), *opened])
        return changes.take(np.lexsort((changes.high, changes.case, changes.group)))

    def _split(self, changes: "_Changes", groups: Sequence[Sequence[int]]) -> "list[_Changes]":
        """Where `below` ceases to be the cheapest in each interval; and what is beyond if a third candidate is next."""
        points = changes.points()
        rows, shape = np.arange(points.shape[0]), points.shape
        usd = self._usd_at(changes, points, groups)
        cheapest = np.empty(shape, dtype=np.int64)
        for number in np.unique(changes.group):
            at = np.flatnonzero(changes.group == number)
            own = np.array(groups[number])
            cheapest[at] = _cheapest(usd[own][:, at], own)
        # At the ends the grid's answer counts: bills computed there again may differ by rounding.
        cheapest = np.where(points <= changes.low[:, None], changes.below[:, None], cheapest)
        cheapest = np.where(points >= changes.high[:, None], changes.above[:, None], cheapest)
        edges = np.column_stack([changes.low, points, changes.high])
        keys = np.column_stack([changes.below, cheapest, changes.above])
        # The last one, so that bills that are equal but for rounding do not change places again and again.
        last = keys.shape[1] - 2 - (keys[:, -2::-1] == changes.below[:, None]).argmax(axis=1)
        third = keys[rows, last + 1]
        gaps = np.column_stack([changes.gap_low, _gaps(usd, changes.below, changes.above), changes.gap_high])
        is_third = third != changes.above
        first = _Changes(
            group=changes.group,
            case=changes.case,
            low=edges[rows, last],
            high=edges[rows, last + 1],
            below=changes.below,
            above=third,
            gap_low=np.where(is_third, np.nan, gaps[rows, last]),
            gap_high=np.where(is_third, np.nan, gaps[rows, last + 1]),
        )
        beyond = changes.take(np.flatnonzero(is_third))
        beyond.low, beyond.below = first.high[is_third], third[is_third]
        beyond.gap_low, beyond.gap_high = np.full((2, beyond.low.size), np.nan)
        return [first, beyond]

    def _usd_at(self, changes: "_Changes", points: Floats, groups: Sequence[Sequence[int]]) -> Floats:
        """USD a month at points of each change, [candidate, change, point]; infinite outside the change's group."""
        usd = np.full((len(self.candidates), *points.shape), np.inf)
        for index, candidate in enumerate(self.candidates):
            members = [number for number, group in enumerate(groups) if index in group]
            at = np.flatnonzero(np.isin(changes.group, members))
            if at.size:
                found = self._costs(candidate, np.repeat(changes.case[at], points.shape[1]), points[at].ravel())
                usd[index, at] = found.reshape(at.size, points.shape[1])
        return usd

    def _points(self, changes: "_Changes") -> Iterator[tuple[int, int, BreakEven]]:
        """(group, case, point) of each change."""
        usd = self._costs_each(
            np.concatenate([changes.below, changes.above] * 2),
            np.tile(changes.case, 4),
            np.repeat([changes.low, changes.high], 2, axis=0).ravel(),
        ).reshape(2, 2, -1)  # [before or after, below or above, change]
        for number, (group, case, requests) in enumerate(
            zip(changes.group.tolist(), changes.case.tolist(), changes.high.tolist(), strict=True)
        ):
            below, above = self._key(changes.below[number]), self._key(changes.above[number])
            (below_before, above_before), (below_after, above_after) = usd[:, :, number].tolist()
            yield (
                group,
                case,
                BreakEven(
                    requests=requests,
                    below=below,
                    above=above,
                    usd=below_before if above is None else above_after,
                    cause=cause_of((below_before, below_after), (above_before, above_after)),
                ),
            )

    def _costs_each(self, candidates: Indices, cases: Indices, volumes: Floats) -> Floats:
        """USD a month of one candidate in one case at one volume, each; NONE_POSSIBLE_USD where it is NONE_POSSIBLE."""
        usd = np.full(volumes.shape, NONE_POSSIBLE_USD)
        for index, candidate in enumerate(self.candidates):
            at = np.flatnonzero(candidates == index)
            if at.size:
                usd[at] = self._costs(candidate, cases[at], volumes[at])
        return usd

    def _costs(self, candidate: Candidate, cases: Indices, volumes: Floats) -> Floats:
        """USD a month of one candidate for cases and volumes, [pairs] each."""
        usd = np.empty(volumes.shape)
        start = 0
        for scenario, size in zip(self._scenarios, self._sizes, strict=True):
            at = np.flatnonzero((cases >= start) & (cases < start + size))
            if at.size:
                own = scenario.pick(cases[at] - start, requests=volumes[at])
                usd[at] = candidate.costs(own, self.prices)
            start += size
        return usd

    def _key(self, index: int) -> str | None:
        return None if index == NONE_POSSIBLE else self.candidates[index].key


@dataclass
class _Changes:
    """Intervals of volume in which the cheapest of a group changes from `below` to `above`, [changes] each.

    `gap_low` and `gap_high` are how much more `above` costs than `below` at the ends, USD; not finite where that is not
    known.
    """

    group: Indices
    case: Indices
    low: Floats
    high: Floats
    below: Indices
    above: Indices
    gap_low: Floats
    gap_high: Floats

    def take(self, indices: Indices) -> "_Changes":
        """A copy of those."""
        return _Changes(**{name: values[indices] for name, values in vars(self).items()})

    def points(self) -> Floats:
        """Where to look in each interval, ascending, [changes, points]."""
        is_known = np.isfinite(self.gap_low) & np.isfinite(self.gap_high) & (self.gap_low > self.gap_high)
        rise = np.where(is_known, self.gap_low - self.gap_high, 1.0)
        meeting = np.clip(np.where(is_known, self.gap_low, 0.5) / rise, 0.0, 1.0)
        near = np.clip(meeting[:, None] + np.concatenate([-NEAR[:0:-1], NEAR]), 0.0, 1.0)
        parts = np.column_stack([near, np.tile(QUARTERS, (meeting.size, 1))])
        parts[~is_known] = EVEN
        parts.sort(axis=1)
        found: Floats = self.low[:, None] + (self.high - self.low)[:, None] * parts
        return found


def _gaps(usd: Floats, below: Indices, above: Indices) -> Floats:
    """[candidate, change, point] -> how much more `above` costs than `below`, [change, point]; NaN without a bill."""
    rows = np.arange(below.size)
    with np.errstate(invalid="ignore"):  # infinite less infinite
        gaps: Floats = usd[above, rows] - usd[below, rows]
    gaps[(below == NONE_POSSIBLE) | (above == NONE_POSSIBLE)] = np.nan
    return gaps


def _joined(changes: Sequence[_Changes]) -> _Changes:
    return _Changes(**{name: np.concatenate([vars(each)[name] for each in changes]) for name in vars(changes[0])})


def _cheapest(costs: Floats, members: Indices) -> Indices:
    """[members, ...] -> the cheapest one's index among the candidates, [...]; NONE_POSSIBLE where none is possible."""
    # Member by member: argmin along the first axis takes three times as long.
    least, cheapest = costs[0], np.full(costs.shape[1:], members[0])
    for usd, member in zip(costs[1:], members[1:], strict=True):
        cheapest[usd < least] = member
        least = np.minimum(least, usd)
    return np.where(np.isfinite(least), cheapest, NONE_POSSIBLE)


def cause_of(below: tuple[float, float], above: tuple[float, float]) -> Cause:
    """From what each of the two costs just before the change and just after it, USD."""
    if any(usd >= NONE_POSSIBLE_USD for side in (below, above) for usd in side):
        return Cause.LIMIT
    smooth = all(math.isclose(before, after, rel_tol=1e-9) for before, after in (below, above))
    return Cause.LINES if smooth else Cause.INSTANCE
