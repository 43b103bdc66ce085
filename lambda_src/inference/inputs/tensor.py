"""Tensors: the values in a file become the inputs of the graph."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..input_error import InputError
from ..kinds import Decoded, Tensor, Trial
from ..limits import Limits, limit
from ..shapes import DTYPES, describe, dtype_of, shorten

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIAL_ROWS = 3
OPEN_SIZE = 16
"""Of dimensions other than the first that the graph leaves open, in samples and trials: any would do."""


@dataclass(frozen=True, kw_only=True)
class TensorLimits(Limits):
    """The limits of a file of tensors.

    Attributes:
        max_elements: values in it, all inputs together. 10 million are 40 MB of float32, as much as the longest audio
            at 16 kHz, or 66 pictures of 224 x 224 pixels; decoding takes up to 20 bytes for each beside the file.
    """

    max_elements: int = limit(10_000_000, "MAX_ELEMENTS")


@dataclass(frozen=True, kw_only=True)
class GraphInput:
    """An input of the graph.

    Attributes:
        name: of it.
        dtype: NumPy's name of its type; "object" for strings.
        shape: its sizes; a name or None where the graph leaves one open.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]

    @property
    def is_batch(self) -> bool:
        """Whether its first dimension is open, and so may be rows."""
        return bool(self.shape) and not isinstance(self.shape[0], int)

    def __str__(self) -> str:
        """For a message."""
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"{'string' if self.dtype == 'object' else self.dtype} [{sizes}]"


@dataclass(frozen=True, kw_only=True)
class TensorInput:
    """A model that takes numbers or strings as they are in the file: .npy, .npz, JSON or CSV, told by content.

    One array without a name is the only input; several are matched by their names, which are all needed. A CSV file
    has a header with the inputs' names, and each input is one of its columns; or all columns are the one input
    [rows, columns].

    A dimension of 1 is added or taken away where the graph differs. Values are converted where their meaning stays:
    rounded to the graph's type of float, to integers where they are whole; whatever would change is refused.

    Attributes:
        inputs: of the graph, but for states and constants.
        columns: names of the last dimension of the only input, in the graph's order; empty where they are not declared.
        missing: whether NaN, empty cells of a CSV and null in JSON go to the graph, as NaN.
        example: what a file may hold, in JSON; empty for zeros and empty strings.
        several_rows: whether the model is tried on several, as its kind of output takes them.
    """

    kind: ClassVar[str] = "tensor"
    fields: ClassVar[tuple[str, ...]] = ("input_columns", "missing_values", "example")
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".json", ".npy", ".npz", ".tsv")
    # Not application/json, which is an S3 object reference to the container.
    media_types: ClassVar[tuple[str, ...]] = (
        *("application/x-npy", "application/x-npz", "application/x-tensor+json", "text/csv"),
    )
    packages: ClassVar[tuple[str, ...]] = ()
    limits: ClassVar[type[Limits]] = TensorLimits

    inputs: tuple[GraphInput, ...]
    columns: tuple[str, ...] = ()
    missing: bool = False
    example: str = ""
    several_rows: bool = True

    @classmethod
    def read(cls, metadata: Mapping[str, str], inputs: Sequence[Tensor], faults: list[str]) -> Self | None:
        before = len(faults)
        unfit = [each for each in inputs if each.type not in DTYPES or 0 in each.shape]
        if unfit or not inputs:
            needed = "tensors of numbers or strings that can hold values"
            faults.append(f"its input is {describe(unfit)}, but must be {needed}")
        columns, text = _distinct_strings(metadata.get("input_columns", "")), metadata.get("input_columns", "")
        last = inputs[0].shape[-1] if len(inputs) == 1 and inputs[0].shape else 0
        if text and not (columns and (last == len(columns) or not isinstance(last, int) or last < 0)):
            faults.append(
                f"its input_columns are {shorten(repr(text))}, but must be a JSON list of different names, one for "
                f"each element of the last dimension of its only input ({describe(inputs)})"
            )
        missing = metadata.get("missing_values") or "refuse"
        if missing not in ("refuse", "nan"):
            faults.append(f"its missing_values is {missing[:50]!r}, but must be 'refuse' or 'nan'")
        if len(faults) > before:
            return None
        read = cls(
            inputs=tuple(
                GraphInput(
                    name=each.name,
                    dtype=dtype_of(each),
                    shape=tuple(None if isinstance(size, int) and size < 0 else size or None for size in each.shape),
                )
                for each in inputs
            ),
            columns=tuple(columns),
            missing=missing == "nan",
            example=metadata.get("example", ""),
            several_rows=(metadata.get("output_kind") or "labels") != "labels",
        )
        if read.example:
            try:
                read.decode(read.example.encode(errors="replace"), TensorLimits())
            except InputError as error:
                faults.append(f"its example is not an input that it takes: {error.message.rstrip('.')}")
                return None
        return read

    @staticmethod
    def prepare() -> None:
        from .tensor_formats import decoding  # noqa: F401

    def decode(self, data: bytes, limits: TensorLimits) -> Decoded:
        """The values as the graph takes them; the fact is `rows`, the size of its open first dimension, or 1."""
        from .tensor_formats.decoding import decode

        return self._decoded(decode(data, self, limits))

    def samples(self) -> Sequence[bytes]:
        """The example, or zeros and empty strings as .npz; for all formats, as none takes long at its first run."""
        import numpy as np

        if self.example:
            return (self.example.encode(),)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in self._filled(0).items():
                member = io.BytesIO()
                np.save(member, array.astype(str) if array.dtype == object else array)
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
        return (file.getvalue(),)

    def trials(self) -> Iterator[Trial]:
        import numpy as np

        if self.example:
            first = self.decode(self.example.encode(), TensorLimits()).feeds[0]
            yield Trial(what="its example", decoded=self._decoded(first), usual=True)
        else:
            first = self._filled(0)
            what = "zeros and empty strings (its metadata may hold an example of what it takes)"
            yield Trial(what=what, decoded=self._decoded(first), usual=True)
            yield Trial(what="ones and empty strings", decoded=self._decoded(self._filled(1)), usual=False)
        batches = [each.name for each in self.inputs if each.is_batch]
        if batches and self.several_rows:
            repeated = {name: np.repeat(first[name], TRIAL_ROWS, axis=0) for name in batches}
            yield Trial(what=f"{TRIAL_ROWS} rows", decoded=self._decoded({**first, **repeated}), usual=False)

    def _decoded(self, feed: "Mapping[str, NDArray[Any]]") -> Decoded:
        rows = next((feed[each.name].shape[0] for each in self.inputs if each.is_batch), 1)
        return Decoded(feeds=[feed], facts={"rows": rows})

    def _filled(self, number: int) -> "dict[str, NDArray[Any]]":
        """One row of the number, or of empty strings; dimensions of one name have one size."""
        import numpy as np

        rows = {each.shape[0] for each in self.inputs if each.is_batch} - {None}
        arrays = {}
        for each in self.inputs:
            shape = [
                size if isinstance(size, int) else 1 if index == 0 or size in rows else OPEN_SIZE
                for index, size in enumerate(each.shape)
            ]
            if self.columns:
                shape[-1] = len(self.columns)
            arrays[each.name] = np.full(shape, "" if each.dtype == "object" else number, each.dtype)
        return arrays


def _distinct_strings(text: str) -> list[str]:
    """The JSON list of different strings; empty for anything else."""
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(parsed, list) or not all(isinstance(element, str) for element in parsed):
        return []
    return parsed if len(set(parsed)) == len(parsed) else []
