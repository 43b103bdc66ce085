"""Every contender's costs at every position of the cold-start lever, and where they cross: all at once.

crossover.cost.crossings answers for one pair and one position in some tenths of a second; the page has a thousand and
more of them. The answers are the same; the tests compare them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crossover.cost.crossings import MOST_STEPS
from crossover.cost.prices import Prices
from crossover.cost.scenario import MINUTES_A_MONTH, Scenario
from crossover.report.contenders import Contender

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
LOWEST_RPM, HIGHEST_RPM = 0.1, 10_000.0
POINTS_A_DECADE = 200  # on which changes are looked for, besides the steps
DRAWN_A_DECADE = 40  # of the points of a line
NOTHING = -1  # instead of a contender's index: none can be had
BEYOND = 1e300  # USD of nothing: above every cost, below that of what cannot be had
HALVINGS = 32  # of an interval that is 1 % wide: to a few parts in a million million
MEET, MACHINE, LIMIT = "meet", "machine", "limit"


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Where the cheaper one of several changes.

    Attributes:
        requests: a month; `above` is the cheapest from here on.
        below, above: which of them, as an index; None where none can be had.
        usd: a month, of the one above; None where there is none.
        cause: the lines MEET, one needs a MACHINE more, or a LIMIT ends what one can do.
    """

    requests: float
    below: int | None
    above: int | None
    usd: float | None
    cause: str

    @property
    def rpm(self) -> float:
        """Requests a minute."""
        return self.requests / MINUTES_A_MONTH


@dataclass(frozen=True, kw_only=True)
class Race:
    """Who is the cheapest at the lowest volume, as an index or None, and every change from there on, ascending."""

    first: int | None
    crossings: tuple[Crossing, ...]


@dataclass(frozen=True)
class Field:
    """All contenders over all volumes, at each position of the lever.

    Attributes:
        contenders: whose costs.
        cold_shares: the lever's positions, 0 to 1; None as the arrivals give it.
    """

    contenders: Sequence[Contender]
    scenario: Scenario
    prices: Prices
    cold_shares: Sequence[float | None]

    @cached_property
    def drawn(self) -> Array:
        """Requests a month of the points that each line has: round numbers a minute, and the scenario's own."""
        decades = np.log10(HIGHEST_RPM / LOWEST_RPM)
        even = np.geomspace(LOWEST_RPM, HIGHEST_RPM, round(DRAWN_A_DECADE * decades) + 1)
        digits = 2 - np.floor(np.log10(even)).astype(int)
        rounded = [round(value, digit) for value, digit in zip(even.tolist(), digits.tolist(), strict=True)]
        own = float(np.clip(float(np.asarray(self.scenario.rpm)), LOWEST_RPM, HIGHEST_RPM))
        return np.unique([*rounded, own]) * MINUTES_A_MONTH

    @cached_property
    def steps(self) -> list[Array]:
        """Of each contender, both sides of every volume at which it needs a machine more, requests a month."""
        return [self._steps(contender) for contender in self.contenders]

    @cached_property
    def volumes(self) -> Array:
        """Requests a month, ascending: close together, with all points that are drawn and both sides of all steps."""
        return np.unique(np.concatenate([self._even, self.drawn, *self.steps]))

    @cached_property
    def costs(self) -> Array:
        """USD a month [contender, position, volume]; infinite where it cannot be had."""
        return np.array(
            [
                [contender.costs(self._at(cold_share, self.volumes), self.prices) for cold_share in self.cold_shares]
                for contender in self.contenders
            ]
        )

    @cached_property
    def machines(self) -> Array:
        """How many machines [contender, volume], whatever the position; not a number where a contender has none."""
        counts = [contender.machines(self._at(None, self.volumes)) for contender in self.contenders]
        return np.array([np.full_like(self.volumes, np.nan) if count is None else count for count in counts])

    def races(self, groups: Sequence[Sequence[int]]) -> list[list[Race]]:
        """Who is the cheapest of each group of contenders, at each position: [group][position].

        All indices are those of the contenders; of those that cost the same, the group's first counts as the cheapest.
        """
        firsts: list[list[int]] = []
        edges: list[_Edge] = []
        for number, group in enumerate(groups):
            members = np.array([*group, NOTHING])
            costs = self.costs[list(group)]
            winners = members[np.where(np.isfinite(costs.min(axis=0)), costs.argmin(axis=0), -1)]
            firsts.append(winners[:, 0].tolist())
            for position, index in np.argwhere(winners[:, 1:] != winners[:, :-1]).tolist():
                below, above = winners[position, [index, index + 1]].tolist()
                edges.append(_Edge(group=number, position=position, below=below, above=above, index=index))
        found: list[list[list[Crossing]]] = [[[] for _ in self.cold_shares] for _ in groups]
        for edge, crossing in zip(edges, self._refined(edges), strict=True):
            found[edge.group][edge.position].append(crossing)
        return [
            [Race(first=_known(first), crossings=tuple(each)) for first, each in zip(row, crossings, strict=True)]
            for row, crossings in zip(firsts, found, strict=True)
        ]

    @cached_property
    def _even(self) -> Array:
        decades = np.log10(HIGHEST_RPM / LOWEST_RPM)
        grid = np.geomspace(LOWEST_RPM, HIGHEST_RPM, round(POINTS_A_DECADE * decades) + 1) * MINUTES_A_MONTH
        grid[[0, -1]] = LOWEST_RPM * MINUTES_A_MONTH, HIGHEST_RPM * MINUTES_A_MONTH
        return grid

    def _at(self, cold_share: float | Array | None, requests: Array) -> Scenario:
        return replace(self.scenario, cold_share=cold_share, requests=requests)

    def _steps(self, contender: Contender) -> Array:
        counts = contender.machines(self._at(None, self._even))
        if counts is None or counts[0] == counts[-1]:
            return np.empty(0)
        risen = np.where(counts[:-1] < MOST_STEPS, np.maximum(np.diff(counts), 0), 0).astype(int)
        at = np.repeat(np.arange(risen.size), risen)  # one interval for each further machine
        target = counts[at] + np.concatenate([np.arange(1, rise + 1) for rise in risen])
        low, high = self._even[at], self._even[at + 1]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            is_below = contender.machines(self._at(None, middle)) < target
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        return np.concatenate([low, high])

    def _refined(self, edges: Sequence["_Edge"]) -> list[Crossing]:
        """The crossing within each edge, all of them halved together."""
        below, above = (np.array([getattr(edge, side) for edge in edges], dtype=int) for side in ("below", "above"))
        positions = np.array([edge.position for edge in edges], dtype=int)
        index = np.array([edge.index for edge in edges], dtype=int)
        low, high = self.volumes[index], self.volumes[index + 1]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            is_below = self._spot(below, positions, middle) < self._spot(above, positions, middle)
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        sides = [self._spot(who, positions, at) for who in (below, above) for at in (low, high)]
        return [
            Crossing(
                requests=requests,
                below=_known(edge.below),
                above=_known(edge.above),
                usd=None if edge.above == NOTHING else usd[3],
                cause=_cause(*usd),
            )
            for edge, requests, usd in zip(edges, high.tolist(), np.transpose(sides).tolist(), strict=True)
        ]

    def _spot(self, who: Indices, positions: Indices, volumes: Array) -> Array:
        """USD a month of one contender, at one position and volume, each."""
        usd = np.full(volumes.shape, BEYOND)
        shares = np.array([np.nan if share is None else share for share in self.cold_shares])[positions]
        for number, contender in enumerate(self.contenders):
            for measured in (False, True):
                at = np.flatnonzero((who == number) & (np.isfinite(shares) == measured))
                if at.size:
                    usd[at] = contender.costs(self._at(shares[at] if measured else None, volumes[at]), self.prices)
        return usd


@dataclass(frozen=True, kw_only=True)
class _Edge:
    """Two neighbouring volumes, the lower one's index given, with different winners in a group at a position."""

    group: int
    position: int
    below: int
    above: int
    index: int


def _known(index: int) -> int | None:
    return None if index == NOTHING else index


def _cause(below_before: float, below_after: float, above_before: float, above_after: float) -> str:
    before_and_after = [(below_before, below_after), (above_before, above_after)]
    if any(usd >= BEYOND for pair in before_and_after for usd in pair):
        return LIMIT
    return MEET if all(math.isclose(before, after, rel_tol=1e-9) for before, after in before_and_after) else MACHINE
