"""Tensors: outputs of the graph as they are, or one of them as a picture."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..input_error import InputError
from ..kinds import Decoded, Outcome, ResultFile, Tensor
from ..shapes import DTYPES, describe, shorten
from .parts.item_size import ITEM_BYTES, LIST_BYTES, item_size
from .parts.picture_map import PictureMap

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_FLOAT, MAX_FLOAT = 1e-130, 9.9e125
"""What DynamoDB's numbers reach; others go into a file.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html"""

MAX_DIMENSIONS = 25
"""Of which nested lists fit an item: it has 32 levels, of which some are above the lists.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

FLOAT_DIGITS = {2: 5, 4: 9, 8: 17}
"""That tell a float from the next one, by its size in bytes."""


@dataclass(frozen=True, kw_only=True)
class TensorsOutput:
    """A model whose outputs are the result: an embedding, a regression, scores of many rows, a segmentation.

    Attributes:
        names: of the outputs.
        picture_map: how the one output becomes a picture; None where it does not.
    """

    kind: ClassVar[str] = "tensors"
    fields: ClassVar[tuple[str, ...]] = ("outputs", "map", "labels", "activation")
    stores_files: ClassVar[bool] = True

    names: tuple[str, ...]
    picture_map: PictureMap | None = None

    @classmethod
    def read(
        cls, metadata: Mapping[str, str], outputs: Sequence[Tensor], faults: list[str], input_kind: str
    ) -> Self | None:
        before = len(faults)
        chosen = _chosen(metadata, outputs, faults)
        picture_map = None
        for each in chosen:
            if each.type not in DTYPES and not each.type.startswith("seq(map("):
                faults.append(f"its output is {describe([each])}, but must be of numbers, truth values or strings")
        if not outputs:
            faults.append("its outputs all continue states, but at least one must be a result")
        if metadata.get("activation") and not metadata.get("map"):
            activation = shorten(repr(metadata["activation"]))
            faults.append(f"its activation is {activation}, but must be left out where its tensors are no map")
        if metadata.get("map") and chosen:
            picture_map = PictureMap.read(metadata, chosen, faults, input_kind)
        if len(faults) > before:
            return None
        return cls(names=tuple(each.name for each in chosen), picture_map=picture_map)

    def outcome(self, results: Sequence[Mapping[str, Any]], decoded: Decoded) -> Outcome:
        """The values are `outputs`: by name, `shape`, `dtype` and `values`, nested lists.

        Where these may not fit an item, they are in a file .npz instead, by the same names. Where the output is a map,
        the file is a PNG. Of several windows the results are stacked, and `windows` counts them.

        Raises:
            InputError: NON_FINITE_OUTPUT or UNEXPECTED_OUTPUT; of a map also UNKNOWN_CLASS_ID.
        """
        arrays = {name: _joined([result[name] for result in results], name) for name in self.names}
        summary = {name: {"shape": list(array.shape), "dtype": _dtype(array)} for name, array in arrays.items()}
        values: dict[str, Any] = {"outputs": summary}
        if len(results) > 1:
            values["windows"] = len(results)
        if self.picture_map:
            assert decoded.placement is not None  # of every picture
            shares, content = self.picture_map.draw(arrays[self.picture_map.name], decoded.placement)
            values.update(shares)
            file = ResultFile(suffix=".png", media_type="image/png", content=content, reason="is a picture")
            return Outcome(values=values, file=file)
        size = item_size(summary) + sum(map(_size, arrays.values()))
        reasons = ["is too large for an item"] if size > ITEM_BYTES else filter(None, map(_unstorable, arrays.values()))
        reason = next(iter(reasons), "")
        if not reason:
            full = {name: {**summary[name], "values": _values(array)} for name, array in arrays.items()}
            return Outcome(values={**values, "outputs": full})
        from .parts.npz import to_npz

        content = to_npz(_plain(arrays))
        file = ResultFile(suffix=".npz", media_type="application/octet-stream", content=content, reason=reason)
        return Outcome(values=values, file=file)


def _chosen(metadata: Mapping[str, str], outputs: Sequence[Tensor], faults: list[str]) -> list[Tensor]:
    """The outputs that the metadata name, all where they name none."""
    text = metadata.get("outputs", "")
    if not text:
        return list(outputs)
    try:
        wanted: Any = json.loads(text)
    except (ValueError, RecursionError):
        wanted = None
    by_name = {each.name: each for each in outputs}
    if isinstance(wanted, list) and wanted and all(isinstance(name, str) and name in by_name for name in wanted):
        return [by_name[name] for name in dict.fromkeys(wanted)]
    faults.append(
        f"its outputs are {shorten(repr(text))}, but must be a JSON list of the graph's ({describe(outputs)})"
    )
    return []


def _joined(parts: Sequence[Any], name: str) -> "NDArray[Any]":
    """The results of all windows as one array; scores by label, as scikit-learn's classifiers give, as dicts in it."""
    import numpy as np

    if isinstance(parts[0], list):
        rows = [{str(label): _shortest(score) for label, score in row.items()} for part in parts for row in part]
        array = np.empty(len(rows), object)
        array[:] = rows
        finite = all(math.isfinite(score) for row in rows for score in row.values())
    else:
        if len({part.shape for part in parts}) > 1:
            shapes = " and ".join(sorted({str(list(part.shape)) for part in parts}))
            raise InputError(
                "UNEXPECTED_OUTPUT",
                f"The model's output {name!r} is {shapes} for windows of one file, but must be alike.",
            )
        array = parts[0] if len(parts) == 1 else np.stack(parts)
        finite = array.dtype.kind != "f" or bool(np.isfinite(array).all())
    if not finite:
        raise InputError(
            "NON_FINITE_OUTPUT",
            f"The model's output {name!r} for this input has values that are not finite numbers (NaN or infinity).",
        )
    return array


def _dtype(array: "NDArray[Any]") -> str:
    if array.dtype.kind != "O":
        return str(array.dtype)
    return "map" if array.size and isinstance(array.flat[0], dict) else "string"


def _size(array: "NDArray[Any]") -> int:
    """Bytes that its values take of an item at most.

    Of numbers it is told by type and shape alone, so that outputs of one shape are always in the item, or never.
    """
    values = LIST_BYTES * sum(math.prod(array.shape[:depth]) for depth in range(array.ndim)) + len("values") + 1
    if array.dtype.kind == "O":
        return values + (item_size(array.ravel().tolist()) if array.size <= ITEM_BYTES else array.size)
    return values + array.size * _element_bytes(array.dtype)


def _element_bytes(dtype: "np.dtype[Any]") -> int:
    """A byte for two digits, one for the sign, one for the number and one for its place in the list."""
    import numpy as np

    if dtype.kind == "b":
        return 2
    digits = FLOAT_DIGITS[dtype.itemsize] if dtype.kind == "f" else len(str(np.iinfo(dtype).max))
    return (digits + 1) // 2 + 3


def _unstorable(array: "NDArray[Any]") -> str:
    """Why an item cannot hold it, whatever its size: it completes "The result ..."; empty where it can."""
    import numpy as np

    if array.ndim > MAX_DIMENSIONS:
        return f"has {array.ndim} dimensions, but an item nests {MAX_DIMENSIONS}"
    if _dtype(array) == "map" and any("" in row for row in array):
        return "has an empty label, which cannot name an attribute of an item"
    if array.dtype == np.float64:
        sizes = np.abs(array[array != 0])
        if not ((sizes >= MIN_FLOAT) & (sizes <= MAX_FLOAT)).all():
            return f"has numbers beyond those of DynamoDB, {MIN_FLOAT:g} to {MAX_FLOAT:g}"
    return ""


def _values(array: "NDArray[Any]") -> Any:
    """Nested lists; of float32 and float16 with the digits that tell them apart, not those of a float64."""
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        array = array.astype(str).astype("float64")
    return array.tolist()


def _shortest(score: float) -> float:
    """A float32 that came as a float64, with its own digits."""
    import numpy as np

    return float(str(np.float32(score)))


def _plain(arrays: "Mapping[str, NDArray[Any]]") -> "dict[str, NDArray[Any]]":
    """Without Python's objects, which only pickle could write: scores by label become `NAME` [rows, labels] and
    `NAME.labels` [labels].
    """
    import numpy as np

    plain = {}
    for name, array in arrays.items():
        if _dtype(array) == "map":
            labels = list(array[0])
            plain[name] = np.array([[row[label] for label in labels] for row in array], np.float32)
            plain[f"{name}.labels"] = np.array(labels)
        else:
            plain[name] = array.astype(str) if array.dtype.kind == "O" else array
    return plain
