"""JSON: an object with a list for each input, nested as deep as it has dimensions; or such a list for the only one."""

import json
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...input_error import InputError
from ..tensor import GraphInput, TensorInput
from .fitting import MAX_DIMENSIONS, check_distinct, match, only
from .text import check_values
from .values import to_array


def read(text: str, model: TensorInput, max_elements: int) -> dict[str, NDArray[Any]]:
    """The arrays by the names of their inputs.

    Python's names NaN and Infinity are read, as Python writes them; whether they are allowed is told later.

    Raises:
        InputError: CORRUPT_TENSOR, TENSOR_TOO_LARGE, UNKNOWN_INPUT, MISSING_INPUT, WRONG_SHAPE, EMPTY_TENSOR or one of
            `to_array`.
    """
    # Before there is an object for each: values are separated by commas, and lists have brackets.
    check_values(max(text.count(","), text.count("[") + text.count("{") - MAX_DIMENSIONS), max_elements)
    found = _parsed(text)
    if isinstance(found, dict):
        match(found, model.inputs, "The JSON object")
    else:
        found = {only(model.inputs).name: found}
    arrays = {each.name: _array(found.pop(each.name), each, model.missing) for each in model.inputs}
    check_values(sum(array.size for array in arrays.values()), max_elements)
    return arrays


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise InputError(
            "CORRUPT_TENSOR", f"The JSON is damaged in line {error.lineno}, column {error.colno}: {error.msg.lower()}."
        ) from error
    except RecursionError as error:
        raise InputError("WRONG_SHAPE", f"The JSON is nested deeper than {MAX_DIMENSIONS} dimensions.") from error
    except ValueError as error:
        raise InputError("OUT_OF_RANGE", "The JSON holds an integer of thousands of digits.") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        check_distinct((name for name, _ in pairs), "The JSON object")
    return members


def _array(value: Any, wanted: GraphInput, missing: bool) -> NDArray[Any]:
    """Level by level, so that no list needs a step in Python."""
    level: list[Any] = [value]
    shape: list[int] = []
    while list in (kinds := set(map(type, level))):
        sizes = set(map(len, level)) if kinds == {list} else set()
        if len(sizes) != 1:
            found = f"{min(sizes)} to {max(sizes)} elements" if sizes else "both lists and values"
            raise InputError(
                "WRONG_SHAPE", f"The lists of the input {wanted.name!r} have {found} in the dimension {len(shape)}."
            )
        shape.append(sizes.pop())
        level = list(chain.from_iterable(level))
        if not level:
            raise InputError("EMPTY_TENSOR", f"The input {wanted.name!r} has the shape {shape} and so no values.")
        if len(shape) > MAX_DIMENSIONS:
            raise InputError("WRONG_SHAPE", f"The JSON is nested deeper than {MAX_DIMENSIONS} dimensions.")

    def place(index: int) -> str:
        return f"The input {wanted.name!r} at {[int(at) for at in np.unravel_index(index, shape)]}"

    return to_array(level, wanted, place, missing=missing).reshape(shape)
