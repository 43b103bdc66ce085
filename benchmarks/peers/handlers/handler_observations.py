"""What was observed of the handlers, and their medians and ratios."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TypedDict

from crossover.deployed import LabelScore

OURS, BASELINE = "ours", "baseline"
BASELINE_OF = {"handler": BASELINE, "decode": BASELINE, "model": OURS}  # of the model, ours is the bare session.run


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One fresh process.

    Attributes:
        part: what was measured: `handler`, `decode` or `model`.
        subject: what it was measured on: a file, or a number of threads.
        implementation: its name; `baseline` for the least that must be done.
        round: from 0; -1 for the very first, which only warms the disk cache and is in no summary.
        measured: by the name of the measure, which ends in its unit: a number, or one for each call.
        error: why nothing was measured; empty where something was.
    """

    part: str
    subject: str
    implementation: str
    round: int
    measured: Mapping[str, float | Sequence[float]] = field(default_factory=dict)
    error: str = ""

    def to_json(self) -> Mapping[str, object]:
        """The observation in a result."""
        return asdict(self)


class Answer(TypedDict):
    """The prediction that a handler writes for the speech clip."""

    label: str
    top_labels: list[LabelScore]


class About(TypedDict, total=False):
    """An implementation: its description, sizes and answer, or why it is unavailable."""

    description: str
    unavailable: str | None
    package_bytes: int
    model_bytes: int
    answer: Answer


class Clip(TypedDict):
    """A file that was decoded."""

    name: str
    bytes: int
    sha256: str


class Row(TypedDict):
    """A measure of an implementation: `n` values of `processes` processes, calls of all processes alike.

    `ratio_to_ours` and `ratio_to_baseline` are the medians of its ratios to our value and the baseline's in the same
    turn, which need not be the ratios of the medians; None where that was not measured or is 0.
    """

    part: str
    subject: str
    implementation: str
    measure: str
    processes: int
    n: int
    median: float
    min: float
    max: float
    ratio_to_ours: float | None
    ratio_to_baseline: float | None


class Section(TypedDict):
    """The handlers in a result; `speech` is the clip that handlers and model were measured on."""

    processes: int
    calls: int
    speech: str
    implementations: dict[str, About]
    clips: list[Clip]
    observations: list[Mapping[str, object]]
    summary: list[Row]


def sum_up(observations: Sequence[Observation]) -> list[Row]:
    """A row for each part, subject, implementation and measure, in the order in which they were first observed."""
    values: dict[tuple[str, str, str, str], dict[tuple[int, int], float]] = {}
    for each in observations:
        if each.round >= 0:
            for measure, value in each.measured.items():
                turns = values.setdefault((each.part, each.subject, each.implementation, measure), {})
                for turn, number in enumerate(value if isinstance(value, Sequence) else [value]):
                    turns[each.round, turn] = number

    def ratio(key: tuple[str, str, str, str], implementation: str) -> float | None:
        part, subject, _, measure = key
        base = values.get((part, subject, implementation, measure), {})
        ratios = [number / base[turn] for turn, number in values[key].items() if base.get(turn)]
        return median(ratios) if ratios else None

    return [
        {
            "part": key[0],
            "subject": key[1],
            "implementation": key[2],
            "measure": key[3],
            "processes": len({number for number, _ in turns}),
            "n": len(turns),
            "median": median(turns.values()),
            "min": min(turns.values()),
            "max": max(turns.values()),
            "ratio_to_ours": ratio(key, OURS),
            "ratio_to_baseline": ratio(key, BASELINE_OF[key[0]]),
        }
        for key, turns in values.items()
        if turns
    ]
