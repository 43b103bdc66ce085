"""A page of few lines, which is made in a second."""

from collections.abc import Collection, Sequence

import pytest

from crossover.cost.candidates import Candidate, all_candidates
from crossover.cost.prices import Prices
from crossover.cost.scenario import Scenario
from crossover.report import cost_data, cost_page


def limit(patch: pytest.MonkeyPatch, *, shares: Sequence[float | None], keys: Collection[str] = ()) -> None:
    """From now on pages have these positions of the cold share, and the candidates with these keys; all if none."""

    def few(scenario: Scenario, prices: Prices) -> list[Candidate]:
        return [each for each in all_candidates(scenario, prices) if not keys or each.key in keys]

    patch.setattr(cost_data, "COLD_SHARES", tuple(shares))
    for module in (cost_data, cost_page):
        patch.setattr(module, "all_candidates", few)
