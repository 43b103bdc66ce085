"""What a model of detections declares in its metadata, and where in the graph's outputs each part lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...kinds import Tensor
from ...shapes import DTYPES, describe, shorten
from ..labels import FLOATS
from .item_size import ITEM_BYTES

BOXES_FORMATS = ("xyxy", "yxyx", "xywh", "cxcywh")
BOXES_UNITS = ("pixels", "fraction")
COLUMNS = ("scores", "objectness", "class")
COUNT_NAMES = ("num_detections", "num_dets")
ROLES = {
    "boxes": ("boxes", "detection_boxes"),
    "scores": ("scores", "detection_scores"),
    "classes": ("classes", "labels", "detection_classes"),
}
"""Names that TensorFlow's and torchvision's exports give their outputs."""
WORDS = {"boxes": ("box",), "scores": ("score", "conf", "logit"), "classes": ("class", "label")}
DETECTION_BYTES = 100
"""More than a detection takes of an item but for its label."""
MAX_DETECTIONS = 1000


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Names of the graph's outputs by what they hold.

    Attributes:
        boxes: the boxes; where there are no scores, rows with all of a box.
        scores: one for each box, or where there are no classes, one for each box and class.
        classes: the id of the class of each box.
        count: how many of the boxes are filled.
    """

    boxes: str
    scores: str = ""
    classes: str = ""
    count: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.boxes, self.scores, self.classes, self.count)))


def roles(metadata: Mapping[str, str], outputs: Sequence[Tensor], faults: list[str]) -> Roles | None:
    """Which output holds what: by the metadata, else by the outputs' names, else by their types and shapes."""
    counts = [each.name for each in outputs if each.name in COUNT_NAMES]
    left = [each for each in outputs if each.name not in COUNT_NAMES]
    found = {}
    for role in ROLES:
        name = metadata.get(role, "")
        if name and name not in {each.name for each in left}:
            faults.append(f"its {role} is {shorten(repr(name))}, but must be one of its outputs ({describe(outputs)})")
            return None
        if name:
            found[role] = name
    if "boxes" not in found and len(left) == 1:
        found["boxes"] = left[0].name
    elif not (set(found) == {"boxes"} and _holds_more(found["boxes"], outputs)):
        for fitting in (_named, _worded, _shaped):
            for role in ROLES:
                candidates = [each for each in left if each.name not in found.values() and fitting(role, each)]
                if role not in found and len(candidates) == 1:
                    found[role] = candidates[0].name
    if "boxes" not in found or (len(found) == 1 and len(left) > 1 and "boxes" not in metadata):
        faults.append(
            f"its outputs are {describe(outputs)}, which do not tell the boxes, scores and classes; name each of them "
            "in the metadata boxes, scores and classes"
        )
        return None
    if "classes" in found and "scores" not in found:
        faults.append(
            f"its outputs are {describe(outputs)}, which have classes but no scores; name these in the metadata"
        )
        return None
    return Roles(**found, count=counts[0] if counts and "classes" in found else "")


def _holds_more(name: str, outputs: Sequence[Tensor]) -> bool:
    """Whether an output has more than the four numbers of a box."""
    return any(each.name == name and each.shape[-1:] and each.shape[-1] != 4 for each in outputs)


def _named(role: str, output: Tensor) -> bool:
    return output.name in ROLES[role]


def _worded(role: str, output: Tensor) -> bool:
    return any(word in output.name.lower() for word in WORDS[role])


def _shaped(role: str, output: Tensor) -> bool:
    is_box = output.type in FLOATS and len(output.shape) >= 2 and output.shape[-1] == 4
    if role == "boxes":
        return is_box
    if role == "classes":
        return output.type not in FLOATS and 1 <= len(output.shape) <= 2
    return output.type in FLOATS and not is_box and 1 <= len(output.shape) <= 3


def choice(metadata: Mapping[str, str], field: str, allowed: Sequence[str], default: str, faults: list[str]) -> str:
    """One of the values that are allowed."""
    value = metadata.get(field) or default
    if value not in allowed:
        names = ", ".join(filter(None, allowed))
        faults.append(f"its {field} is {shorten(repr(metadata.get(field, '')))}, but must be one of {names}")
    return value


def number(
    metadata: Mapping[str, str], field: str, default: float, least: float, most: float, faults: list[str]
) -> float:
    """A number from `least` to `most`; a whole one where the default is one."""
    text = metadata.get(field, "")
    if not text:
        return default
    try:
        value = int(text) if isinstance(default, int) else float(text)
    except ValueError:
        value = float("nan")
    if least <= value <= most:
        return value
    number = "a whole number" if isinstance(default, int) else "a number"
    faults.append(f"its {field} is {shorten(repr(text))}, but must be {number} from {least:,} to {most:,}")
    return default


def most(labels: Mapping[int, str]) -> int:
    """Detections that fit an item, whichever of the labels they have."""
    longest = max((len(label.encode()) for label in labels.values()), default=0)
    return min(MAX_DETECTIONS, ITEM_BYTES // (DETECTION_BYTES + longest))


def columns(metadata: Mapping[str, str], name: str, outputs: Sequence[Tensor], classes: int, faults: list[str]) -> str:
    """What the rows of the one output hold behind the box; empty where that is not told."""
    (output,) = (each for each in outputs if each.name == name)
    counts = column_counts(classes)
    declared = choice(metadata, "columns", ("", *COLUMNS), "", faults)
    if declared and declared in counts:
        if _fits(output, counts[declared]):
            return declared
        faults.append(f"its output is {describe([output])}, but must have {counts[declared]} columns")
        return ""
    told = [name for name, count in counts.items() if count in output.shape[-2:]]
    if len(told) == 1:
        return told[0]
    if not declared:
        needed = ", ".join(f"{count} ({name})" for name, count in counts.items())
        problem = (
            "does not tell its columns; set the metadata columns" if told else "but must have the columns of one of"
        )
        faults.append(f"its output is {describe([output])}, {problem}: {needed}")
    return ""


def column_counts(classes: int) -> dict[str, int]:
    """Columns of rows by what they hold behind the box."""
    return {"scores": 4 + classes, "objectness": 5 + classes, "class": 6}


def is_turned(roles: Roles, outputs: Sequence[Tensor], columns: int) -> bool | None:
    """Whether the rows, or the scores of each class, are [columns, N]; None where the graph leaves both sizes open.

    Sizes at a run are no help where N happens to be the number of columns.
    """
    (shape,) = (list(each.shape) for each in outputs if each.name == (roles.scores or roles.boxes))
    rows, last = shape[-2:] if len(shape) > 1 else (None, None)
    if not _is_open(last):
        return last != columns
    return None if _is_open(rows) else rows == columns


def check_outputs(roles: Roles, outputs: Sequence[Tensor], classes: int, faults: list[str]) -> None:
    """Append what is wrong with the outputs' types and shapes.

    Args:
        classes: that each box has a score for; 0 where it has only one.
    """
    by_name = {each.name: each for each in outputs}
    boxes, scores, ids, count = (by_name.get(name) for name in (roles.boxes, roles.scores, roles.classes, roles.count))
    for each in (boxes, scores):
        if each and each.type not in FLOATS:
            faults.append(f"its output is {describe([each])}, but must be of floating-point numbers")
    if boxes and scores and boxes.shape and not _can_be_boxes(boxes.shape):
        faults.append(f"its boxes are {describe([boxes])}, but must be [N, 4]")
    if scores and classes and not _fits(scores, classes):
        faults.append(f"its scores are {describe([scores])}, but must be [N, {classes}], one for each class")
    for what, each in (("classes", ids), ("counts", count)):
        if each and each.type not in DTYPES.keys() - {"tensor(bool)", "tensor(string)"}:
            faults.append(f"its {what} are {describe([each])}, but must be numbers")


def _fits(output: Tensor, columns: int) -> bool:
    """Whether one of the last two dimensions can be that of the columns."""
    if len(output.shape) == 1:
        return columns == 1
    return not output.shape or any(_can_be(size, columns) for size in output.shape[-2:])


def _can_be_boxes(shape: Sequence[int | str | None]) -> bool:
    """Whether it ends in 4, or can; but [4, N], with only the 4 known, is boxes the other way round."""
    return shape[-1] == 4 or (_is_open(shape[-1]) and list(shape[-2:-1]) != [4])


def _can_be(size: int | str | None, wanted: int) -> bool:
    """Whether a dimension has this size, or is open."""
    return size == wanted or _is_open(size)


def _is_open(size: int | str | None) -> bool:
    return not isinstance(size, int) or size < 0
