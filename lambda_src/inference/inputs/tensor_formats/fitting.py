"""Arrays as a file has them to what an input of the graph takes: names, shapes, types."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...input_error import InputError
from ..tensor import GraphInput

MAX_DIMENSIONS = 32


def only(inputs: Sequence[GraphInput]) -> GraphInput:
    """The only input, for an array that has no name.

    Raises:
        InputError: MISSING_INPUT, as there are several.
    """
    if len(inputs) > 1:
        raise InputError(
            "MISSING_INPUT",
            f"The file has one array without a name, but the model takes {_listed(each.name for each in inputs)}: send "
            ".npz, JSON with their names, or CSV with a header.",
        )
    return inputs[0]


def match(names: Iterable[str], inputs: Sequence[GraphInput], what: str) -> None:
    """Check that a file has what the graph takes, and nothing else.

    Args:
        names: in the file.
        what: begins the message, such as "The .npz file".

    Raises:
        InputError: UNKNOWN_INPUT or MISSING_INPUT.
    """
    match_names(names, [each.name for each in inputs], what)


def match_names(names: Iterable[str], needed: Sequence[str], what: str) -> None:
    """As `match`, for names of inputs or of columns."""
    found, takes = dict.fromkeys(names), set(needed)
    if unknown := [name for name in found if name not in takes]:
        raise InputError(
            "UNKNOWN_INPUT",
            f"{what} has {_listed(unknown)}, which the model does not take; it takes {_listed(needed)}.",
        )
    if lacking := [name for name in needed if name not in found]:
        raise InputError("MISSING_INPUT", f"{what} lacks {_listed(lacking)}; the model takes {_listed(needed)}.")


def check_distinct(names: Iterable[str], what: str) -> None:
    """Check that each name is there once.

    Raises:
        InputError: CORRUPT_TENSOR.
    """
    counts = Counter(names)
    name = max(counts, key=counts.__getitem__)
    if counts[name] > 1:
        raise InputError("CORRUPT_TENSOR", f"{what} has {name[:50]!r} {counts[name]:,} times; once is allowed.")


def _listed(names: Iterable[str]) -> str:
    """At most ten of them."""
    some = list(names)
    return ", ".join(repr(name[:50]) for name in some[:10]) + (f" and {len(some) - 10} more" if len(some) > 10 else "")


def fit(array: NDArray[Any], wanted: GraphInput, *, missing: bool) -> NDArray[Any]:
    """The array in the shape and type of the graph's input, C-contiguous, aligned, in this machine's byte order.

    onnxruntime takes arrays of another byte order for its own without a word.

    Args:
        missing: whether NaN is allowed, for floats.

    Raises:
        InputError: WRONG_SHAPE, WRONG_TYPE, OUT_OF_RANGE or NON_FINITE_VALUES.
    """
    shaped = array.reshape(_shape(array.shape, wanted))
    if wanted.dtype == "object":
        values = _strings(shaped, wanted)
    elif shaped.dtype.kind not in "biuf":
        raise InputError("WRONG_TYPE", f"The input {wanted.name!r} holds strings, but the model takes {wanted}.")
    elif wanted.dtype == "bool":
        values = _booleans(shaped, wanted)
    elif np.dtype(wanted.dtype).kind == "f":
        values = _floats(shaped, wanted, missing)
    else:
        values = _integers(shaped, wanted)
    return np.require(values, np.dtype(wanted.dtype), ["C", "A"])


def check_shared_sizes(feed: Mapping[str, NDArray[Any]], inputs: Sequence[GraphInput]) -> None:
    """Check that dimensions to which the graph gives one name have one size.

    Raises:
        InputError: WRONG_SHAPE.
    """
    sizes: dict[str, tuple[int, str]] = {}
    for each in inputs:
        for size, name in zip(feed[each.name].shape, each.shape, strict=True):
            if isinstance(name, str):
                known, other = sizes.setdefault(name, (size, each.name))
                if known != size:
                    raise InputError(
                        "WRONG_SHAPE",
                        f"The inputs {other!r} and {each.name!r} have {known:,} and {size:,} elements in the dimension "
                        f"{name!r}, but the model takes the same number in both.",
                    )


def _shape(found: tuple[int, ...], wanted: GraphInput) -> tuple[int, ...]:
    """The shape, with dimensions of 1 added or taken away: in front, or the last one, as a column has it."""
    more = len(wanted.shape) - len(found)
    candidates = [(1,) * more + found] if more >= 0 else []
    if more == 1 and wanted.shape[-1] == 1:
        candidates.append((*found, 1))
    if more < 0 and set(found[:-more]) == {1}:
        candidates.append(found[-more:])
    if more == -1 and found[-1] == 1:
        candidates.append(found[:-1])
    for candidate in candidates:
        sizes = zip(candidate, wanted.shape, strict=True)
        if all(size == needed or not isinstance(needed, int) for size, needed in sizes):
            return candidate
    raise InputError(
        "WRONG_SHAPE", f"The input {wanted.name!r} has the shape {list(found)}, but the model takes {wanted}."
    )


def _strings(array: NDArray[Any], wanted: GraphInput) -> NDArray[Any]:
    if array.dtype.kind not in "UO":
        raise InputError(
            "WRONG_TYPE", f"The input {wanted.name!r} holds {array.dtype.name}, but the model takes {wanted}."
        )
    values = array.astype(object)
    try:
        "".join(values.flat).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "WRONG_TYPE", f"The input {wanted.name!r} holds a string with half of a character (a lone surrogate)."
        ) from error
    return values


def _booleans(array: NDArray[Any], wanted: GraphInput) -> NDArray[Any]:
    if array.dtype.kind != "b":
        _check((array != 0) & (array != 1), array, wanted, "WRONG_TYPE")
    return array.astype(bool)


def _integers(array: NDArray[Any], wanted: GraphInput) -> NDArray[Any]:
    if array.dtype.kind == "f":
        _check(~np.isfinite(array), array, wanted, "NON_FINITE_VALUES")
        _check(np.floor(array) != array, array, wanted, "WRONG_TYPE")
    if array.dtype.kind != "b":
        bounds = np.iinfo(wanted.dtype)
        if int(array.min()) < bounds.min or int(array.max()) > bounds.max:  # exact, as Python's own integers
            worst = array.min() if int(array.min()) < bounds.min else array.max()
            _check(array == worst, array, wanted, "OUT_OF_RANGE")
    return array.astype(wanted.dtype)


def _floats(array: NDArray[Any], wanted: GraphInput, missing: bool) -> NDArray[Any]:
    if array.dtype.kind == "f":
        _check(np.isinf(array), array, wanted, "NON_FINITE_VALUES")
        if not missing:
            hint = "; NaN is allowed where the model's metadata declare missing_values as nan"
            _check(np.isnan(array), array, wanted, "NON_FINITE_VALUES", hint)
    with np.errstate(over="ignore"):
        values = array.astype(wanted.dtype, copy=False)
    if np.dtype(wanted.dtype).itemsize < max(array.dtype.itemsize, 4):
        _check(np.isinf(values), array, wanted, "OUT_OF_RANGE")
    return values


def _check(wrong: Any, array: NDArray[Any], wanted: GraphInput, code: str, hint: str = "") -> None:
    """Raise an error that names the first wrong value."""
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0] if wrong.ndim else ()))
        value = array[at].item()
        raise InputError(
            code, f"The input {wanted.name!r} holds {value!r} at {list(at)}, but the model takes {wanted}{hint}."
        )
