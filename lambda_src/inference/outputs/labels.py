"""Labels: one score for each, of which the item gets the best."""

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..input_error import InputError
from ..kinds import Decoded, Outcome, Tensor
from ..shapes import describe, is_batch, shorten
from .parts.class_labels import MAX_LABEL_BYTES, is_label

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOP_LABELS = 5
ACTIVATIONS = ("", "softmax", "sigmoid")
FLOATS = ("tensor(float)", "tensor(float16)", "tensor(double)")


@dataclass(frozen=True, kw_only=True)
class LabelsOutput:
    """A model that gives a score for each label.

    Attributes:
        labels: in the order of the scores.
        scores: name of the graph's output: float [classes] or [1, classes], or the map of scores by label that
            scikit-learn's classifiers give.
        activation: that turns the output into scores in [0, 1]: "softmax", "sigmoid" or "" for none.
    """

    kind: ClassVar[str] = "labels"
    fields: ClassVar[tuple[str, ...]] = ("labels", "scores", "activation")
    stores_files: ClassVar[bool] = False

    labels: tuple[str, ...]
    scores: str
    activation: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.scores,)

    @classmethod
    def read(
        cls, metadata: Mapping[str, str], outputs: Sequence[Tensor], faults: list[str], input_kind: str
    ) -> Self | None:
        before = len(faults)
        text, activation = metadata.get("labels", ""), metadata.get("activation", "")
        labels = list_of_strings(text)
        if not labels:
            needed = f"a JSON list of strings of at most {MAX_LABEL_BYTES:,} bytes of Unicode text"
            faults.append(f"its labels are {shorten(repr(text))}, but must be {needed}")
        if activation not in ACTIVATIONS:
            faults.append(f"its activation is {activation[:50]!r}, but must be 'softmax' or 'sigmoid', or be left out")
        elif activation == "softmax" and len(labels) == 1:
            faults.append(
                "its activation is 'softmax', which of one label is always 1, but must be 'sigmoid' or left out"
            )
        scores = _scores(outputs, metadata.get("scores", ""), len(labels), input_kind)
        if scores is None:
            classes = len(labels) or "classes"
            needed = f"scores, float [{classes}] or [1, {classes}], one score for each label"
            if any(_fits(each, len(labels), "") and not _fits(each, len(labels), input_kind) for each in outputs):
                needed += " (of an open dimension alone they could be one for each row)"
            faults.append(f"its output is {describe(outputs)}, but must be {needed}")
        if len(faults) > before or scores is None:
            return None
        return cls(labels=tuple(labels), scores=scores.name, activation=activation)

    def outcome(self, results: Sequence[Mapping[str, Any]], decoded: Decoded) -> Outcome:
        """The values are `label`, `score` and `top_labels`.

        Raises:
            InputError: NON_FINITE_SCORES, TOO_MANY_ROWS or UNEXPECTED_OUTPUT.
        """
        import numpy as np

        scores = np.stack(
            [self._activated(result[self.scores], int(decoded.facts.get("rows", 1))) for result in results]
        )
        joined = scores.max(axis=0) if decoded.join == "max" else scores.mean(axis=0)
        if not np.isfinite(joined).all():
            raise InputError("NON_FINITE_SCORES", "The model's scores for this input are not finite numbers.")
        best = top_labels(self.labels, joined.tolist())
        return Outcome(values={"label": best[0]["label"], "score": best[0]["score"], "top_labels": best})

    def _activated(self, output: Any, rows: int) -> "NDArray[np.float32]":
        """The graph's output, for one feed of so many rows, to scores, float32 [classes]."""
        import numpy as np

        if isinstance(output, list):
            output = [self._in_order(by_label) for by_label in output]
        values: NDArray[np.float32] = np.asarray(output, np.float32)
        if values.size != len(self.labels) or values.shape[-1:] != (len(self.labels),):
            if rows > 1 and values.size == rows * len(self.labels):
                raise InputError(
                    "TOO_MANY_ROWS",
                    f"The file has {rows:,} rows, but a model of labels predicts one for each file: send one row, or "
                    "declare the model's output_kind as tensors.",
                )
            raise InputError(
                "UNEXPECTED_OUTPUT",
                f"The model gave scores of the shape {list(values.shape)} for this input, but it has "
                f"{len(self.labels)} labels.",
            )
        values = values.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later
            if self.activation == "softmax":
                powers = np.exp(values - values.max())
                values = (powers / powers.sum()).astype(np.float32)
            elif self.activation == "sigmoid":
                values = (1 / (1 + np.exp(-values))).astype(np.float32)
        return values

    def _in_order(self, by_label: Mapping[Any, float]) -> list[float]:
        """The scores of a map by label; one by class number, 0 and up, is in the order of the labels."""
        scores = {str(label): score for label, score in by_label.items()}
        if set(by_label) == set(range(len(self.labels))) and set(scores) != set(self.labels):
            return [by_label[number] for number in range(len(self.labels))]
        if set(scores) != set(self.labels):
            raise InputError(
                "UNEXPECTED_OUTPUT",
                f"The model gave scores for {shorten(', '.join(map(repr, scores)))}, but its labels are "
                f"{shorten(', '.join(map(repr, self.labels)))}.",
            )
        return [scores[label] for label in self.labels]


def _scores(outputs: Sequence[Tensor], name: str, classes: int, input_kind: str) -> Tensor | None:
    """The output with the scores: the one that is named, else `scores`, else the only one that can be."""
    fitting = [each for each in outputs if _fits(each, classes, input_kind)]
    for wanted in (name,) if name else ("scores",):
        for each in fitting:
            if each.name == wanted:
                return each
    return fitting[0] if len(fitting) == 1 and not name else None


def _fits(output: Tensor, classes: int, input_kind: str) -> bool:
    if output.type.startswith("seq(map("):
        return output.type.endswith(",tensor(float)))")
    shape = output.shape
    if output.type not in FLOATS or not shape or not all(map(is_batch, shape[:-1])):
        return False
    if isinstance(shape[-1], int) and shape[-1] >= 0:
        return not classes or shape[-1] == classes
    return input_kind != "tensor" or len(shape) > 1 or classes < 2  # else as many rows as labels would pass for them


def top_labels(labels: Sequence[str], scores: Sequence[float], count: int = TOP_LABELS) -> list[dict[str, Any]]:
    """The `count` best labels; on a tie the earlier class comes first. `labels` and `scores` are both [classes]."""
    best = heapq.nlargest(count, enumerate(scores), key=itemgetter(1))
    return [{"label": labels[index], "score": round(float(score), 6)} for index, score in best]


def list_of_strings(text: str) -> list[str]:
    """The JSON list of labels; empty for anything else."""
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if isinstance(parsed, list) and all(map(is_label, parsed)):
        return parsed
    return []
