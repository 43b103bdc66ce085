"""One thing measured against its yardstick, and the limit that was promised."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One thing measured against its yardstick.

    Attributes:
        name: what was measured.
        unit: of the observations.
        observed: one figure a run.
        yardstick_name, yardstick: what it is compared with, measured in the same run; empty for an absolute limit.
        limit: what the ratio, or without a yardstick the median, may be at most; None where nothing was promised.
    """

    name: str
    unit: str
    observed: list[float]
    yardstick_name: str
    yardstick: list[float]
    limit: float | None

    @property
    def result(self) -> float:
        """Ratio of the medians, or the median where there is no yardstick."""
        return median(self.observed) / (median(self.yardstick) if self.yardstick else 1.0)

    @property
    def holds(self) -> bool:
        return self.limit is None or self.result <= self.limit

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "result": round(self.result, 4), "holds": self.holds}
