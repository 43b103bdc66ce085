"""The targets of this project in comparison with its peers."""

from collections.abc import Sequence
from typing import NamedTuple, Self


class Target(NamedTuple):
    """One figure and its allowed range. A figure that was not measured is None and does not hold.

    Attributes:
        name: what the figure is.
        value: the figure, a ratio.
        allowed: `at least 0.95`.
        holds: whether the figure is allowed.
        between: the two ends of its 95 % interval, where one is known.
    """

    name: str
    value: float | None
    allowed: str
    holds: bool
    between: Sequence[float] | None = None

    @classmethod
    def at_least(cls, name: str, value: float | None, least: float, between: Sequence[float] | None = None) -> Self:
        return cls(name, value, f"at least {least:g}", value is not None and value >= least, between)

    @classmethod
    def at_most(cls, name: str, value: float | None, most: float) -> Self:
        return cls(name, value, f"at most {most:g}", value is not None and value <= most)

    def __str__(self) -> str:
        """A sentence without a capital."""
        value = "not measured" if self.value is None else f"{self.value:.2f}"
        between = f" (95 %: {self.between[0]:.2f} to {self.between[1]:.2f})" if self.between else ""
        return f"{self.name}: {value}{between}, {self.allowed}: {'holds' if self.holds else 'missed'}."
