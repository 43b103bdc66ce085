"""What differs between two snapshots of prices."""

from collections.abc import Iterable
from dataclasses import dataclass

from crossover.cost.prices import Price


@dataclass(frozen=True, kw_only=True)
class Change:
    """A price that only one of two snapshots has, or that costs something else in the other one.

    Attributes:
        old: None where it was added.
        new: None where it was removed.
    """

    old: Price | None
    new: Price | None

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        return "added" if self.old is None else "removed" if self.new is None else "changed"

    @property
    def price(self) -> Price:
        """The newer one that there is."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def percent(self) -> float | None:
        """Of the first tier, in percent of the old one; None where there is nothing to compare with."""
        if self.old is None or self.new is None or self.old.value == 0:
            return None
        return (self.new.value / self.old.value - 1) * 100


def changes(old: Iterable[Price], new: Iterable[Price]) -> list[Change]:
    """By name and region. Another source, date or status of the same price is no change."""
    before = {(price.id, price.region): price for price in old}
    after = {(price.id, price.region): price for price in new}
    pairs = [Change(old=before.get(key), new=after.get(key)) for key in sorted(before | after)]
    return [pair for pair in pairs if _costs(pair.old) != _costs(pair.new)]


def _costs(price: Price | None) -> object:
    return None if price is None else (price.tiers, price.unit)
