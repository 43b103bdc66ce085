"""A variant's monthly bill, line by line."""

from dataclasses import dataclass

import numpy as np

from crossover.cost.numbers import Amount
from crossover.cost.prices import Price


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a bill.

    Attributes:
        name: what is paid for.
        quantity: how much of it a month, in the unit that the price is for.
        price: of one.
        usd: a month, with tiers, free tier and discount.
    """

    name: str
    quantity: Amount
    price: Price
    usd: Amount


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What makes a variant impossible in some scenarios, or a caveat about it.

    Attributes:
        text: a sentence.
        where: the scenarios that it concerns.
        fatal: whether the variant is impossible there.
    """

    text: str
    where: Amount = True
    fatal: bool = True


@dataclass(frozen=True, kw_only=True)
class Bill:
    """A variant's monthly bill in one scenario, or in many at once.

    Attributes:
        lines: what is paid for.
        instances: how many run all the time; None where the variant keeps none.
        problems: what makes the variant impossible, and caveats.
        assumes_one_instance: the number of instances is the published tables' assumption, not what the load needs.
    """

    lines: tuple[Line, ...]
    instances: Amount | None = None
    problems: tuple[Problem, ...] = ()
    assumes_one_instance: bool = False

    @property
    def usd(self) -> Amount:
        """The sum, USD a month."""
        total: Amount = sum((line.usd for line in self.lines), 0.0)
        return total

    @property
    def is_possible(self) -> Amount:
        """Whether the variant is possible, for each scenario."""
        possible: Amount = np.asarray(True)
        for problem in self.problems:
            if problem.fatal:
                possible = possible & ~np.asarray(problem.where, dtype=bool)
        return possible

    @property
    def comparable(self) -> Amount:
        """The sum; infinite where the variant is impossible."""
        return np.where(self.is_possible, self.usd, np.inf)


def line(name: str, quantity: Amount, price: Price, *, free: float = 0.0, discount: Amount = 0.0) -> Line:
    """A quantity at its price, without what is free each month, less a discount (0 to 1)."""
    charged = np.maximum(np.asarray(quantity) - free, 0.0)
    return Line(name=name, quantity=quantity, price=price, usd=price.of(charged) * (1.0 - np.asarray(discount)))
