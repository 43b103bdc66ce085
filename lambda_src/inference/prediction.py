"""The prediction for one file, as predictors return it and the table stores it."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple, Self

TOP_LABELS = 5
# No number of a prediction reaches this; infinity does.
_OUT_OF_RANGE = 1e15


class InvalidPredictionError(ValueError):
    """The container's answer is not a prediction."""


class LabelScore(NamedTuple):
    """A label of the model with its score in [0, 1]."""

    label: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The prediction for one file.

    Attributes:
        top_labels: the best labels, highest score first; never empty.
        audio_seconds: duration of the audio, s.
        model_sha256: of the model's file, hexadecimal.
        etag: of the object that was read; empty for plain bytes.
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
        """The container's answer, ready for JSON."""
        return {**vars(self), "top_labels": [item._asdict() for item in self.top_labels]}

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """The inverse of `to_dict`; unknown keys are ignored.

        Raises:
            InvalidPredictionError: `values` is not such a dict.
        """
        try:
            prediction = cls(
                top_labels=tuple(LabelScore(item["label"], item["score"]) for item in values["top_labels"]),
                audio_seconds=values["audio_seconds"],
                model_sha256=values["model_sha256"],
                etag=values["etag"],
                timings_ms=dict(values["timings_ms"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidPredictionError("The answer lacks a part of a prediction.") from error
        labels, scores = [item.label for item in prediction.top_labels], [item.score for item in prediction.top_labels]
        texts = [*labels, *prediction.timings_ms, prediction.model_sha256, prediction.etag]
        numbers = [*scores, *prediction.timings_ms.values(), prediction.audio_seconds]
        if not (labels and all(isinstance(text, str) for text in texts) and all(map(_is_number, numbers))):
            raise InvalidPredictionError("The answer has values that are not the texts and numbers of a prediction.")
        return prediction


def _is_number(value: Any) -> bool:
    """Whether it is a finite number of a plausible size; NaN is not."""
    return isinstance(value, int | float) and -_OUT_OF_RANGE < value < _OUT_OF_RANGE


def top_labels(labels: Sequence[str], scores: Sequence[float], count: int = TOP_LABELS) -> tuple[LabelScore, ...]:
    """The `count` best labels; on a tie the earlier class comes first. `labels` and `scores` are both [classes]."""
    best = heapq.nlargest(count, enumerate(scores), key=itemgetter(1))
    return tuple(LabelScore(labels[index], round(float(score), 6)) for index, score in best)
