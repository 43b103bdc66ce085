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
        `part`, `subject`, `side`, `measure`; `n` values of so many `processes`, their `median`, `least` and `most`;
        `to_ours` and `to_limit`, the median's ratio to that of ours and of the limit, or None where that was not
        measured or is 0. Calls of all processes count alike.
    """
    values: dict[tuple[str, str, str, str], list[list[float]]] = {}
    for each in observations:
        if each.round >= 0:
            for measure, value in each.measured.items():
                key = (each.part, each.subject, each.side, measure)
                values.setdefault(key, []).append(value if isinstance(value, list) else [value])
    pooled = {key: [value for process in lists for value in process] for key, lists in values.items()}
    medians = {key: median(numbers) for key, numbers in pooled.items() if numbers}

    def ratio(key: tuple[str, str, str, str], side: str) -> float | None:
        part, subject, _, measure = key
        base = medians.get((part, subject, side, measure))
        return medians[key] / base if base else None

    return [
        {
            **dict(zip(("part", "subject", "side", "measure"), key, strict=True)),
            "processes": len(values[key]),
            "n": len(pooled[key]),
            "median": middle,
            "least": min(pooled[key]),
            "most": max(pooled[key]),
            "to_ours": ratio(key, OURS),
            "to_limit": ratio(key, LIMIT_OF[key[0]]),
        }
        for key, middle in medians.items()
    ]
