"""What the model says about one file, on its way from a predictor to the table."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Any, NamedTuple, Self

TOP_LABELS = 5


class LabelScore(NamedTuple):
    """A label of the model with its score in [0, 1]."""

    label: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The answer for one file.

    Attributes:
        top_labels: the best labels, highest score first; never empty.
        audio_seconds: duration of the audio, s.
        model_sha256: which artifact answered, hexadecimal.
        etag: of the object that was really read; empty for plain bytes.
        timings_ms: wall time of `download`, `decode` and `inference`, ms.
    """

    top_labels: tuple[LabelScore, ...]
    audio_seconds: float
    model_sha256: str
    etag: str = ""
    timings_ms: Mapping[str, float]

    @property
    def label(self) -> str:
        return self.top_labels[0].label

    @property
    def score(self) -> float:
        return self.top_labels[0].score

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the container's answer."""
        return {**asdict(self), "top_labels": [item._asdict() for item in self.top_labels]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises:
            KeyError, TypeError: `values` is not such an answer.
        """
        return cls(**{**values, "top_labels": tuple(LabelScore(**item) for item in values["top_labels"])})


def top_labels(labels: Sequence[str], scores: Sequence[float], count: int = TOP_LABELS) -> tuple[LabelScore, ...]:
    """The `count` best labels; on a tie the earlier class comes first. `labels` and `scores` are both [classes]."""
    best = heapq.nlargest(count, enumerate(scores), key=itemgetter(1))
    return tuple(LabelScore(labels[index], round(float(score), 6)) for index, score in best)
