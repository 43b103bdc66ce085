"""Values of a text, as Python has them, to an array that holds them without loss."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...input_error import InputError
from ...shapes import shorten
from ..tensor import GraphInput

Place = Callable[[int], str]
"""Where the value with this number stands, to begin a message."""
NAN = float("nan")
EXACT = 2.0**53
"""From here on several whole numbers become the same float."""


def to_array(values: list[Any], wanted: GraphInput, place: Place, *, missing: bool) -> NDArray[Any]:
    """An array [values] of strings, booleans, 64-bit integers or float64.

    Args:
        values: at least one.
        missing: whether None is NaN, where floats are wanted.

    Raises:
        InputError: WRONG_TYPE, MISSING_VALUES, NON_FINITE_VALUES or OUT_OF_RANGE.
    """
    kinds = set(map(type, values))
    is_float = wanted.dtype.startswith("float")
    if type(None) in kinds:
        if not (missing and is_float):
            raise missing_value(place(values.index(None)), wanted)
        values = [NAN if value is None else value for value in values]
        kinds = kinds - {type(None)} | {float}
    if wanted.dtype == "object":
        _refuse_others(values, {str}, wanted, place)
        array = np.empty(len(values), object)
        array[:] = values
        return array
    if kinds == {bool}:
        return np.array(values)
    _refuse_others(values, {int, float}, wanted, place)
    if float in kinds:
        if is_float or wanted.dtype == "bool":
            return _float64(values, wanted, place)
        values = [_whole(value, index, wanted, place) for index, value in enumerate(values)]
    for dtype in (np.int64, np.uint64):
        try:
            return np.array(values, dtype)
        except OverflowError:
            continue
    if is_float:
        return _float64(values, wanted, place)
    bounds = np.iinfo(np.int64 if wanted.dtype == "bool" else wanted.dtype)
    wrong = next((i for i, value in enumerate(values) if not bounds.min <= value <= bounds.max), 0)
    raise _out_of_range(values[wrong], place(wrong), wanted)


def missing_value(place: str, wanted: GraphInput) -> InputError:
    hint = " or the model's metadata declare missing_values as nan" if wanted.dtype.startswith("float") else ""
    return InputError("MISSING_VALUES", f"{place} has no value, but the model takes {wanted}: all must be there{hint}.")


def _refuse_others(values: Sequence[Any], allowed: set[type], wanted: GraphInput, place: Place) -> None:
    if not set(map(type, values)) <= allowed:
        index, value = next((i, value) for i, value in enumerate(values) if type(value) not in allowed)
        raise InputError("WRONG_TYPE", f"{place(index)} is {_shown(value)}, but the model takes {wanted}.")


def _shown(value: Any) -> str:
    """For a message: never a whole structure."""
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else shorten(repr(value))


def _float64(values: list[Any], wanted: GraphInput, place: Place) -> NDArray[Any]:
    try:
        return np.array(values, np.float64)
    except OverflowError as error:
        wrong = next(i for i, value in enumerate(values) if isinstance(value, int) and abs(value) >= 1 << 1023)
        raise _out_of_range(values[wrong], place(wrong), wanted) from error


def _whole(value: float, index: int, wanted: GraphInput, place: Place) -> int:
    if isinstance(value, int):
        return value
    if value - value != 0:
        raise InputError("NON_FINITE_VALUES", f"{place(index)} is {value}, but the model takes {wanted}.")
    if not value.is_integer():
        raise InputError("WRONG_TYPE", f"{place(index)} is {value}, but the model takes {wanted}.")
    if abs(value) >= EXACT:
        raise InputError(
            "OUT_OF_RANGE",
            f"{place(index)} is {value}, a float that stands for several whole numbers, but the model takes {wanted}: "
            "write all digits, without a point or an exponent.",
        )
    return int(value)


def _out_of_range(value: int, place: str, wanted: GraphInput) -> InputError:
    digits = len(f"{abs(value):x}")  # decimal digits of a long one take long
    shown = str(value) if digits <= 40 else f"a number of about {int(digits * 1.2):,} digits"
    return InputError(
        "OUT_OF_RANGE", f"{place} is {shown}, which is out of the range of what the model takes, {wanted}."
    )
