"""An output of the graph that is a map over the picture, drawn as a picture of the same size."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ...input_error import InputError
from ...kinds import Placement, Tensor
from ...shapes import DTYPES, describe, is_batch, shorten
from ..labels import FLOATS
from .class_labels import read_class_labels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAPS = ("classes", "levels")
MAX_CLASSES = 256  # the levels of gray of a PNG with 8 bits
TOLERANCE = 0.001
"""By how much levels may leave the range from 0 to 1, as sums of rounded numbers do."""


@dataclass(frozen=True, kw_only=True)
class PictureMap:
    """How the output is drawn.

    Attributes:
        name: of the output.
        of: "classes": each pixel's level of gray is the id of its class; "levels": it is 255 times the output.
        class_axis: of the output's last three, which has a score for each class; None where the output has class ids.
        labels: by class id; may be empty.
        activation: that turns the output into levels: "sigmoid" or "".
    """

    name: str
    of: str
    class_axis: int | None
    labels: Mapping[int, str]
    activation: str

    @classmethod
    def read(
        cls, metadata: Mapping[str, str], outputs: Sequence[Tensor], faults: list[str], input_kind: str
    ) -> Self | None:
        """Read what the model declares.

        Args:
            outputs: that are chosen.
            faults: gets a clause for each fault; None is returned then.
        """
        before = len(faults)
        of, activation = metadata["map"], metadata.get("activation", "")
        labels = read_class_labels(metadata, 0, faults) if metadata.get("labels") else {}
        if of not in MAPS:
            faults.append(f"its map is {shorten(repr(of))}, but must be 'classes' or 'levels', or be left out")
        if input_kind != "image":
            faults.append("it has a map, but must have none where its input_kind is not 'image'")
        if metadata.get("resize") == "crop":
            faults.append("its resize is 'crop', but must be another for a map, which would lack what is cut off")
        if activation not in ("", "sigmoid") or (activation and of == "classes"):
            faults.append(
                f"its activation is {shorten(repr(activation))}, but must be 'sigmoid', for a map of levels only"
            )
        if len(outputs) > 1:
            faults.append(
                f"its map could be each of {describe(outputs)}; name one of them in the metadata outputs, a JSON list"
            )
        if len(faults) > before:
            return None
        (output,) = outputs
        class_axis = _class_axis(output, len(labels)) if of == "classes" else None
        shape = list(output.shape)
        if class_axis is not None:
            classes = shape[class_axis]
            if labels and isinstance(classes, int) and classes != len(labels):
                faults.append(
                    f"its output is {describe(outputs)}, but must have one score for each of {len(labels)} labels"
                )
            if isinstance(classes, int) and not 2 <= classes <= MAX_CLASSES:
                needed = f"from 2 to {MAX_CLASSES} for a map of classes (one alone is a map of levels)"
                faults.append(f"its output has scores of {classes} classes, but must have {needed}")
        elif of == "levels" and (output.type not in FLOATS or not _is_plane(shape)):
            faults.append(f"its output is {describe(outputs)}, but must be levels, float [1, 1, height, width]")
        elif of == "classes" and (output.type in FLOATS or not _is_integer(output) or not _is_plane(shape)):
            needed = "scores, float [1, classes, height, width], or class ids, int [1, height, width]"
            faults.append(f"its output is {describe(outputs)}, but must be {needed}")
        if max(labels, default=0) >= MAX_CLASSES:
            faults.append(f"its labels go to class {max(labels)}, but a map's classes must be below {MAX_CLASSES}")
        if len(faults) > before:
            return None
        return cls(name=output.name, of=of, class_axis=class_axis, labels=labels, activation=activation)

    def draw(self, array: "NDArray[Any]", placement: Placement) -> tuple[dict[str, Any], bytes]:
        """The picture as PNG, and the item's `class_shares`: the share of the pixels of each class that occurs.

        Raises:
            InputError: UNEXPECTED_OUTPUT or UNKNOWN_CLASS_ID.
        """
        import numpy as np

        from . import maps
        from .png import to_png

        if self.of == "levels":
            bands = maps.bilinear(self._levels(array), placement)
            return {}, to_png(placement.width, placement.height, bands)
        classes = self._classes(array)
        counts = maps.counts(classes, placement)
        found = {int(class_id): int(counts[class_id]) for class_id in np.flatnonzero(counts)}
        if unknown := [class_id for class_id in found if self.labels and class_id not in self.labels]:
            raise InputError("UNKNOWN_CLASS_ID", f"The model found the class {unknown[0]}, but has no label for it.")
        pixels = placement.width * placement.height
        by_label: dict[str, int] = {}
        for class_id, count in found.items():
            label = self.labels.get(class_id) or str(class_id)
            by_label[label] = by_label.get(label, 0) + count
        shares = {label: round(count / pixels, 6) for label, count in by_label.items()}
        bands = maps.nearest(classes, placement)
        return {"class_shares": shares}, to_png(placement.width, placement.height, bands)

    def _classes(self, array: "NDArray[Any]") -> "NDArray[np.uint8]":
        """Class ids [rows, columns]."""
        import numpy as np

        if self.class_axis is not None:
            array = array.argmax(axis=self.class_axis)
        classes = self._plane(array)
        if classes.size and not 0 <= classes.min() <= classes.max() < MAX_CLASSES:
            raise InputError(
                "UNKNOWN_CLASS_ID",
                f"The model found classes from {classes.min()} to {classes.max()}, but a map's must be from 0 to "
                f"{MAX_CLASSES - 1}.",
            )
        return classes.astype(np.uint8)

    def _levels(self, array: "NDArray[Any]") -> "NDArray[np.float32]":
        """Levels [rows, columns] from 0 to 1."""
        import numpy as np

        levels = self._plane(array).astype(np.float32)
        if self.activation:
            with np.errstate(over="ignore"):
                levels = (1 / (1 + np.exp(-levels))).astype(np.float32)
        least, most = float(levels.min()), float(levels.max())
        if least < -TOLERANCE or most > 1 + TOLERANCE:
            raise InputError(
                "UNEXPECTED_OUTPUT",
                f"The model's output {self.name!r} is from {least:g} to {most:g} for this input, but levels must be "
                "from 0 to 1: set its activation to 'sigmoid', or leave out its map.",
            )
        return np.clip(levels, 0, 1)

    def _plane(self, array: "NDArray[Any]") -> "NDArray[Any]":
        """[rows, columns], without dimensions of 1 before and behind."""
        shape = array.shape
        while len(shape) > 2 and 1 in (shape[0], shape[-1]):
            shape = shape[1:] if shape[0] == 1 else shape[:-1]
        if len(shape) != 2 or not math.prod(shape):
            raise InputError(
                "UNEXPECTED_OUTPUT",
                f"The model's output {self.name!r} is {list(array.shape)} for this input, but must be one map.",
            )
        return array.reshape(shape)


def _class_axis(output: Tensor, labels: int) -> int | None:
    """Counted from the end: -3, or -1 where only that has as many scores as there are labels, or is shorter."""
    shape = list(output.shape)
    if output.type not in FLOATS or len(shape) not in (3, 4) or (len(shape) == 3 and is_batch(shape[0])):
        return None
    first, last = shape[-3], shape[-1]
    if not isinstance(last, int) or first == labels:
        return -3
    is_shorter = not labels and isinstance(first, int) and last < first
    return -1 if last == labels or is_shorter else -3


def _is_integer(output: Tensor) -> bool:
    return "int" in DTYPES.get(output.type, "")


def _is_plane(shape: Sequence[int | str | None]) -> bool:
    """Whether these can be two dimensions, with dimensions of 1 before and behind."""
    return not shape or any(
        all(map(is_batch, shape[:start])) and all(map(is_batch, shape[start + 2 :])) for start in range(len(shape) - 1)
    )
