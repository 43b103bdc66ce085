"""The defaults of a scenario by the model's kind of input: what was measured with the model of that kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossover.cost.scenario import Scenario


@dataclass(frozen=True, kw_only=True)
class MeasuredKind:
    """What was measured of a model that the project brings.

    Attributes:
        on: the file that it was measured with.
        values: by the names of a scenario's fields, where they differ from the scenario's own defaults.
    """

    on: str
    values: Mapping[str, Any]


DEFAULT_KIND = "audio"
KINDS: Mapping[str, MeasuredKind] = {
    "audio": MeasuredKind(on="a clip of 7.1 s", values={}),
    "image": MeasuredKind(
        on="a JPEG of 600 x 400 pixels",
        values={"file_mb": 0.072, "cpu_seconds": 0.037, "model_mb": 4.8},
    ),
}
"""All on two shared cores, not on AWS (docs/performance.md). There is no model of tensors to measure.

INIT is the audio model's for both: the image model's was measured while other work took most of the cores, which made
it twice as long, and nearly as much so the audio model's in the same run.
"""


def scenario_of(kind: str) -> Scenario:
    """A scenario with the defaults of a kind; the audio model's where there is no model of the kind."""
    return Scenario(**KINDS[kind if kind in KINDS else DEFAULT_KIND].values)
