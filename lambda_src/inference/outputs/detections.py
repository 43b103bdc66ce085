"""Detections: boxes with labels and scores, in the pixels of the uploaded picture."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..input_error import InputError
from ..kinds import Decoded, Outcome, Placement, Tensor
from .labels import ACTIVATIONS
from .parts import detection_fields as declared
from .parts.class_labels import are_by_id, read_class_labels
from .parts.detection_fields import Roles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_SCORE = 0.25
NMS = 0.45
"""The threshold for YOLO's rows, which all overlap, where the metadata have none."""
MAX_COUNTED = 1000
"""Detections that non-maximum suppression finds at most, to be bounded in time: those beyond an item's are counted."""
MAX_CANDIDATES = 5000
"""Boxes that it looks at, the best, if they give enough: of 25,200 all above the threshold it takes 0.1 s, not 0.3."""


@dataclass(frozen=True, kw_only=True)
class DetectionsOutput:
    """A model that finds things in a picture.

    A box counts for its best class only.

    Attributes:
        roles: what the graph's outputs hold: boxes [N, 4] with either scores [N] and classes [N], or scores
            [N, classes]; or one output of rows, [N, columns] or [columns, N]. A first dimension of 1 may be added.
        labels: by class id; a class whose label is empty is not reported, such as "no object".
        columns: of the rows, behind the box: "scores" of each class, "objectness" and then these scores, or a score and
            a "class"; empty where there are no rows.
        turned: whether these rows, or the scores of each class, are [columns, N]; None where only their size at a run
            tells it.
        boxes_format: "xyxy" (left, top, right, bottom), "yxyx", "xywh" (left, top, width, height) or "cxcywh" (centre,
            width, height).
        boxes_unit: "pixels" of the model's input, or "fraction" of it.
        class_offset: class id of the first of a list of labels: 1 where 0 is the background.
        activation: that turns the output into scores in [0, 1]: "softmax", "sigmoid" or "" for none.
        min_score: below which nothing is reported.
        nms: intersection over union above which only the best of two boxes of a class is reported; None where the graph
            has done that. By default it is None, but NMS where the rows have a score for each class.
        max_detections: that the item gets, the best ones.
    """

    kind: ClassVar[str] = "detections"
    fields: ClassVar[tuple[str, ...]] = (
        *("labels", "boxes", "scores", "classes", "columns", "boxes_format", "boxes_unit", "class_offset"),
        *("activation", "min_score", "nms", "max_detections"),
    )
    stores_files: ClassVar[bool] = False

    roles: Roles
    labels: Mapping[int, str]
    columns: str
    turned: bool | None
    boxes_format: str
    boxes_unit: str
    class_offset: int
    activation: str
    min_score: float
    nms: float | None
    max_detections: int

    @property
    def names(self) -> tuple[str, ...]:
        return self.roles.names

    @classmethod
    def read(
        cls, metadata: Mapping[str, str], outputs: Sequence[Tensor], faults: list[str], input_kind: str
    ) -> Self | None:
        before = len(faults)
        if input_kind != "image":
            faults.append("its output_kind is 'detections', but must be another where its input_kind is not 'image'")
        offset = int(declared.number(metadata, "class_offset", 0, 0, 1_000_000, faults))
        labels = read_class_labels(metadata, offset, faults)
        activation = declared.choice(metadata, "activation", ACTIVATIONS, "", faults)
        roles = declared.roles(metadata, outputs, faults)
        columns, turned = "", None
        if roles and labels:
            classes = len(labels) + offset
            columns = "" if roles.scores else declared.columns(metadata, roles.boxes, outputs, classes, faults)
            per_class = not roles.classes and columns != "class"
            declared.check_outputs(roles, outputs, classes if per_class else 0, faults)
            turned = declared.is_turned(roles, outputs, declared.column_counts(classes).get(columns, classes))
            if roles.scores and metadata.get("columns"):
                faults.append("it has columns, but must have none where its boxes and scores are outputs of their own")
            if offset and are_by_id(metadata):
                faults.append(f"its class_offset is {offset}, but must be 0 where its labels are a JSON object")
            if per_class and are_by_id(metadata):
                faults.append("its labels are a JSON object, but must be a list where each class has its own score")
            if activation == "softmax" and not per_class:
                faults.append("its activation is 'softmax', but must be another where only one class has a score")
            elif activation == "softmax" and classes == 1:
                faults.append("its activation is 'softmax', but must be another for one class, whose score would be 1")
        is_yolo = columns in ("scores", "objectness")
        usual_format, usual_nms = ("cxcywh", NMS) if is_yolo else ("xyxy" if columns else "", None)
        read: dict[str, Any] = {
            "boxes_format": declared.choice(metadata, "boxes_format", declared.BOXES_FORMATS, usual_format, faults),
            "boxes_unit": declared.choice(metadata, "boxes_unit", declared.BOXES_UNITS, "pixels", faults),
            "min_score": declared.number(metadata, "min_score", MIN_SCORE, 0.0, 1.0, faults),
            "nms": declared.number(metadata, "nms", NMS, 0.0, 1.0, faults) if metadata.get("nms") else usual_nms,
            "max_detections": declared.number(metadata, "max_detections", 100, 1, declared.most(labels), faults),
        }
        if len(faults) > before or roles is None:
            return None
        read |= {"columns": columns, "turned": turned, "class_offset": offset, "activation": activation}
        return cls(roles=roles, labels=labels, **read)

    def outcome(self, results: Sequence[Mapping[str, Any]], decoded: Decoded) -> Outcome:
        """The values are `detections`, the highest score first, and `detection_count`.

        A detection is {"label", "score", "box": {"left", "top", "right", "bottom"}}; the box is in pixels of the
        upright picture, from its upper left corner, clipped to it. What has no area within the picture is dropped.
        Where there are more than `max_detections`, `detections_left_out` says how many; after non-maximum suppression
        it counts among the best MAX_CANDIDATES boxes, and up to MAX_COUNTED detections in all.

        Raises:
            InputError: NON_FINITE_SCORES, NON_FINITE_OUTPUT, UNKNOWN_CLASS_ID or UNEXPECTED_OUTPUT.
        """
        import numpy as np

        from .parts.overlap import suppress

        assert decoded.placement is not None  # of every picture
        (result,) = results
        boxes, scores, classes = self._found(result)
        boxes = in_picture(self._corners(boxes, decoded.placement), decoded.placement)
        rounded = np.round(boxes, 1)
        order = np.argsort(-scores, kind="stable")
        order = order[(rounded[order, :2] < rounded[order, 2:]).all(axis=1)]
        if self.nms is not None:
            for candidates in (order[:MAX_CANDIDATES], order):
                kept = suppress(boxes[candidates], classes[candidates], self.nms, MAX_COUNTED)
                if len(kept) >= self.max_detections or len(candidates) == len(order):
                    break
            order = order[kept]
        found = [
            {
                "label": self.labels[class_id],
                "score": round(score, 6),
                "box": dict(zip(("left", "top", "right", "bottom"), box, strict=True)),
            }
            for class_id, score, box in zip(
                *(part[order[: self.max_detections]].tolist() for part in (classes, scores, rounded)), strict=True
            )
        ]
        values: dict[str, Any] = {"detections": found, "detection_count": len(found)}
        if len(order) > len(found):
            values["detections_left_out"] = len(order) - len(found)
        return Outcome(values=values)

    def _found(self, result: Mapping[str, Any]) -> "tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]":
        """Boxes [N, 4] as the graph gives them, scores [N] and class ids [N], of what reaches `min_score`."""
        import numpy as np

        roles = self.roles
        boxes: NDArray[Any]
        scores: NDArray[Any]
        classes: NDArray[Any]
        if roles.scores and roles.classes:
            boxes, scores = box_rows(result[roles.boxes], roles.boxes), floats(result[roles.scores]).reshape(-1)
            classes = result[roles.classes].reshape(-1)
            if roles.count:
                count = counted(result[roles.count], len(boxes), roles.count)
                boxes, scores, classes = boxes[:count], scores[:count], classes[:count]
            scores = activate(scores, self.activation)
        elif self.columns == "class":
            rows = self._rows(result, roles.boxes, 6)
            boxes, scores, classes = rows[:, :4], activate(rows[:, 4], self.activation), rows[:, 5]
        else:
            boxes, scores, classes = self._best_classes(result)
        if not len(boxes) == len(scores) == len(classes):
            raise InputError(
                "UNEXPECTED_OUTPUT",
                f"The model gave {len(boxes)} boxes, {len(scores)} scores and {len(classes)} classes for this input, "
                "but must give as many of each.",
            )
        if not np.isfinite(scores).all():
            raise InputError("NON_FINITE_SCORES", "The model's scores for this input are not finite numbers.")
        kept = np.flatnonzero(scores >= self.min_score)
        if not_reported := [class_id for class_id, label in self.labels.items() if not label]:
            kept = kept[~np.isin(classes[kept], not_reported)]
        boxes, classes = boxes[kept], classes[kept]
        if not np.isfinite(boxes).all():
            raise InputError("NON_FINITE_OUTPUT", f"The model's boxes ({roles.boxes}) for this input are not finite.")
        if unknown := {value for value in classes.tolist() if value not in self.labels}:
            allowed = f"from {min(self.labels)} to {max(self.labels)}"
            raise InputError(
                "UNKNOWN_CLASS_ID",
                f"The model found the class {min(unknown):g}, but its labels are for classes {allowed}.",
            )
        return boxes.astype(np.float64), scores[kept].astype(np.float64), classes.astype(np.int64)

    def _best_classes(self, result: Mapping[str, Any]) -> "tuple[NDArray[Any], NDArray[Any], NDArray[Any]]":
        """All boxes, each with the score and the id of its best class."""
        import numpy as np

        count = len(self.labels) + self.class_offset
        objectness: NDArray[Any] | float = 1.0
        if self.roles.scores:
            boxes = box_rows(result[self.roles.boxes], self.roles.boxes)
            per_class = self._rows(result, self.roles.scores, count)
        else:
            first = 4 + (self.columns == "objectness")
            rows = self._rows(result, self.roles.boxes, first + count)
            boxes, per_class = rows[:, :4], rows[:, first:]
            if self.columns == "objectness":
                objectness = activate(rows[:, 4], "sigmoid" if self.activation else "")
        if self.activation == "softmax":
            per_class = activate(per_class, "softmax")
        per_class = per_class[:, self.class_offset :]
        if "" in self.labels.values():
            per_class = np.where([bool(label) for label in self.labels.values()], per_class, -np.inf)
        best = per_class.max(axis=1)
        if self.activation == "sigmoid":  # which keeps their order
            best = activate(best, "sigmoid")
        with np.errstate(invalid="ignore"):  # what is not finite is refused later
            scores = best * objectness
        classes = np.zeros(len(scores), np.int64)
        kept = np.flatnonzero(scores >= self.min_score)
        classes[kept] = per_class[kept].argmax(axis=1) + self.class_offset
        return boxes, scores, classes

    def _rows(self, result: Mapping[str, Any], name: str, columns: int) -> "NDArray[np.float32]":
        """[N, columns], of an output that is so or the other way round, behind dimensions of 1."""
        array = floats(result[name])
        *batch, rows, last = array.shape if array.ndim > 1 else (array.size, 1)
        turned = last != columns if self.turned is None else self.turned
        if math.prod(batch) != 1 or (rows if turned else last) != columns:
            raise unexpected(array, name, f"have {columns} columns")
        table = array.reshape(rows, last)
        return table.T if turned else table

    def _corners(self, boxes: "NDArray[np.float64]", placement: Placement) -> "NDArray[np.float64]":
        """Left, top, right, bottom, in pixels of the model's input."""
        import numpy as np

        if self.boxes_format == "yxyx":
            boxes = boxes[:, [1, 0, 3, 2]]
        elif self.boxes_format == "xywh":
            boxes = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
        elif self.boxes_format == "cxcywh":
            half = boxes[:, 2:] / 2
            boxes = np.hstack([boxes[:, :2] - half, boxes[:, :2] + half])
        if self.boxes_unit == "fraction":
            boxes = boxes * np.tile([placement.input_width, placement.input_height], 2)
        return boxes


def floats(values: "NDArray[Any]") -> "NDArray[np.float32]":
    """As float32: in float16 a sum or power soon overflows."""
    return values.astype("float32", copy=False)


def in_picture(boxes: "NDArray[np.float64]", placement: Placement) -> "NDArray[np.float64]":
    """Boxes in pixels of the model's input to those of the upright picture, clipped to it."""
    import numpy as np

    offset, scale = [placement.left, placement.top], [placement.scale_x, placement.scale_y]
    mapped = (boxes - np.tile(offset, 2)) / np.tile(scale, 2)
    clipped: NDArray[np.float64] = np.clip(mapped, 0.0, np.tile([placement.width, placement.height], 2))
    return clipped


def box_rows(array: "NDArray[Any]", name: str) -> "NDArray[np.float32]":
    """[N, 4], whatever is before the 4; nothing is no boxes.

    Raises:
        InputError: UNEXPECTED_OUTPUT.
    """
    if array.size and array.shape[-1:] != (4,):
        raise unexpected(array, name, "have 4 columns")
    return floats(array).reshape(-1, 4)


def counted(array: "NDArray[Any]", most: int, name: str) -> int:
    """How many boxes are filled.

    Raises:
        InputError: UNEXPECTED_OUTPUT.
    """
    if array.size != 1:
        raise unexpected(array, name, "be one number")
    count = array.item()
    if not (0 <= count <= most and count == int(count)):
        raise InputError(
            "UNEXPECTED_OUTPUT",
            f"The model's output {name!r} is {count:g} for this input, but must be a whole number from 0 to {most:,}, "
            "the number of its boxes.",
        )
    return int(count)


def unexpected(array: "NDArray[Any]", name: str, needed: str) -> InputError:
    """`needed` completes "but must ..."."""
    message = f"The model's output {name!r} is {list(array.shape)} for this input, but must {needed}."
    return InputError("UNEXPECTED_OUTPUT", message)


def activate(values: "NDArray[Any]", activation: str) -> "NDArray[Any]":
    """Scores in [0, 1]; softmax is over the last axis. What is not finite stays so."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        if activation == "softmax":
            powers = np.exp(values - values.max(axis=-1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
        if activation == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-values)))
    return values
