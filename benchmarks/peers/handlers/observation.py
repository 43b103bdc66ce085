"""What was observed, and what follows from it: medians and ratios."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

OURS, LIMIT = "ours", "limit"
LIMIT_OF = {"handler": LIMIT, "decode": LIMIT, "model": OURS}  # our part of the model is the bare session.run


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One fresh process.

    Attributes:
        part: what was measured: `handler`, `decode` or `model`.
        subject: what it was measured on: a file, or a number of threads.
        side: whose it is; `limit` for the least that must be done.
        round: from 0; -1 for the first of all, which only warms the disk and is in no summary.
        measured: by the name of the measure, whose end is its unit: a number, or one for each call.
        error: why there is nothing; empty where it went well.
    """

    part: str
    subject: str
    side: str
    round: int
    measured: dict[str, float | list[float]] = field(default_factory=dict)
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def sum_up(observations: Sequence[Observation]) -> list[dict[str, Any]]:
    """A row for each part, subject, side and measure, in the order in which they were first observed.

    Returns:
        `part`, `subject`, `side`, `measure`; `n` values of so many `processes`, their `median`, `least` and `most`,
        calls of all processes alike; `to_ours` and `to_limit`, the median of the ratios to what ours and the limit took
        in the same turn, or None where that was not measured or is 0. They need not be the ratios of the medians.
    """
    values: dict[tuple[str, str, str, str], dict[tuple[int, int], float]] = {}
    for each in observations:
        if each.round >= 0:
            for measure, value in each.measured.items():
                turns = values.setdefault((each.part, each.subject, each.side, measure), {})
                for turn, number in enumerate(value if isinstance(value, list) else [value]):
                    turns[each.round, turn] = number

    def ratio(key: tuple[str, str, str, str], side: str) -> float | None:
        part, subject, _, measure = key
        base = values.get((part, subject, side, measure), {})
        ratios = [number / base[turn] for turn, number in values[key].items() if base.get(turn)]
        return median(ratios) if ratios else None

    return [
        {
            **dict(zip(("part", "subject", "side", "measure"), key, strict=True)),
            "processes": len({number for number, _ in turns}),
            "n": len(turns),
            "median": median(turns.values()),
            "least": min(turns.values()),
            "most": max(turns.values()),
            "to_ours": ratio(key, OURS),
            "to_limit": ratio(key, LIMIT_OF[key[0]]),
        }
        for key, turns in values.items()
        if turns
    ]
