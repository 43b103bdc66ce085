"""CSV: a column for each input, matched by the header; or all columns as the only input, [rows, columns].

The separator is a comma, a semicolon or a tab. Cells in quotation marks may hold it, and line ends.
"""

import contextlib
import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from ...input_error import InputError
from ...shapes import shorten
from ..tensor import GraphInput, TensorInput
from .fitting import check_distinct, match_names
from .text import check_values
from .values import NAN, missing_value, to_array

SEPARATORS = "\t;,"
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"([+-]?[0-9]+)(\.0*)?")
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
PLAIN = re.compile(r"[0-9eE.+ -]*")
"""Of what float() and int() take, only numbers are made: no underscores, no digits of other scripts, no names."""
NAME = re.compile(r"[^\W\d].*", re.DOTALL)
NO_NAMES = {"", "na", "n/a", "nan", "null", "none", "nil", "true", "false", "inf", "infinity", "missing", "unknown"}
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
MAX_DIGITS = 400  # more are out of the range of any type, and take long


def read(text: str, model: TensorInput, max_elements: int) -> dict[str, NDArray[Any]]:
    """The columns [rows, 1] by the names of their inputs, or the only input [rows, columns].

    Raises:
        InputError: CORRUPT_TENSOR, UNSUPPORTED_FORMAT, TENSOR_TOO_LARGE, UNKNOWN_INPUT, MISSING_INPUT, WRONG_SHAPE,
            EMPTY_TENSOR or one of `to_array`.
    """
    text = text.strip("\r\n")
    for separator in SEPARATORS + "\r\n":  # before there is an object for each cell
        check_values(text.count(separator), max_elements)
    names = _names(model)
    rows = _rows(text, _separator(text, model, len(names) or _width(model.inputs[0])))
    first = next(rows, [])
    header = [cell.strip() for cell in first]
    if not _is_header(header, model, names):
        header, rows = [], _chained(first, rows)
    order = list(range(len(first)))
    if header and names:
        check_distinct(header, "The CSV header")
        match_names(header, names, "The CSV header")
        order = [header.index(name) for name in names]
    elif len(model.inputs) > 1 or (names and model.inputs[0].dtype == "object"):
        raise InputError(
            "MISSING_INPUT",
            f"The CSV has no header with the names {', '.join(map(repr, names[:10]))}, which the model takes.",
        )
    cells, width = _cells(rows, len(first)), len(first)
    if not cells:
        raise InputError("EMPTY_TENSOR", "The CSV has no rows.")
    check_values(len(cells), max_elements)
    if not header:
        _check_first_row(cells, width)
    if len(model.inputs) > 1:
        return {
            each.name: _column(cells[column::width], each, model.missing, [each.name]).reshape(-1, 1)
            for each, column in zip(model.inputs, order, strict=True)
        }
    titles = header or [str(number + 1) for number in range(width)]
    array = _column(cells, model.inputs[0], model.missing, titles).reshape(-1, width)
    return {model.inputs[0].name: array if order == sorted(order) else array[:, order]}


def _names(model: TensorInput) -> list[str]:
    """Of the columns, in the model's order; empty where it declares none."""
    if len(model.inputs) == 1:
        return list(model.columns)
    for each in model.inputs:
        if len(each.shape) > 2 or (each.shape[1:] not in ((), (1,), (None,)) and not isinstance(each.shape[-1], str)):
            raise InputError(
                "UNSUPPORTED_FORMAT",
                f"The file is CSV, with one column for each input, but the input {each.name!r} is {each}: send .npz.",
            )
    return [each.name for each in model.inputs]


def _width(wanted: GraphInput) -> int:
    """How many columns the model takes; 0 where that is open."""
    last = wanted.shape[-1] if wanted.shape else 1
    return last if isinstance(last, int) else 0


def _separator(text: str, model: TensorInput, width: int) -> str:
    """The one with which the first line has as many cells as the model takes.

    No number holds a separator, so that a wrong choice would be refused; a string may.
    """
    line = re.split("[\r\n]", text, maxsplit=1)[0]
    counts = {each: _count(line, each) for each in SEPARATORS if each in line}
    possible = [each for each, count in counts.items() if count > 1]
    fitting = [each for each in possible if counts[each] == width]
    if len(fitting) == 1:
        return fitting[0]
    if len(possible) > 1 and any(each.dtype == "object" for each in model.inputs):
        raise InputError(
            "UNSUPPORTED_FORMAT",
            f"The CSV's first line holds {' and '.join(map(repr, possible))}, any of which may separate its cells: put "
            "cells that hold one into quotation marks.",
        )
    return possible[0] if possible and width != 1 else ","


def _count(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=separator)))
    except csv.Error:  # which is told when all of it is read
        return 1


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise InputError("CORRUPT_TENSOR", f"The CSV is damaged in line {reader.line_num}: {error}.") from error


def _chained(first: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows


def _is_header(first: Sequence[str], model: TensorInput, names: Sequence[str]) -> bool:
    """Whether the first row names columns: each cell is a name, as it cannot be a value, or it is one that is known.

    A name is known whatever its case, so that a header with a wrong one is refused rather than predicted. A single
    cell that is neither is a wrong value, which must not be passed over. Of strings each cell could be a value.
    """
    if len(model.inputs) > 1 or set(first) == set(names):
        return any(map(_is_name, first)) or set(first) == set(names)
    is_string = model.inputs[0].dtype == "object"
    known = names or ([model.inputs[0].name] if is_string and len(first) == 1 else [])
    candidates = {cell.casefold() for cell in first if is_string or _is_name(cell)}
    if candidates & {name.casefold() for name in known}:
        return True
    return not is_string and all(map(_is_name, first))


def _is_name(cell: str) -> bool:
    return bool(NAME.fullmatch(cell)) and cell.lower() not in NO_NAMES


def _cells(rows: Iterator[list[str]], width: int) -> list[str]:
    """All rows end to end."""
    cells: list[str] = []
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise InputError(
                "WRONG_SHAPE", f"The CSV has {len(row)} cells in row {number:,}, but {width} in its first."
            )
        cells += row
    return cells


def _check_first_row(cells: Sequence[str], width: int) -> None:
    """Refuse numbers of columns, as pandas names them, above rows that have a point in each cell."""
    numbered = list(cells[:width]) == [str(number) for number in range(width)]
    if numbered and width > 1 and all("." in cell for cell in cells[width : 2 * width] or ["0"]):
        raise InputError(
            "UNSUPPORTED_FORMAT",
            f"The CSV's first row is {shorten(', '.join(cells[:width]))}, which are numbers of columns rather than "
            "values: send names as its header, or none.",
        )


def _column(cells: list[str], wanted: GraphInput, missing: bool, titles: Sequence[str]) -> NDArray[Any]:
    """An array [cells]."""

    def place(index: int) -> str:
        row, column = divmod(index, len(titles))
        return f"The cell in row {row + 1:,}, column {titles[column][:50]!r}"

    return to_array(_values(cells, wanted, missing, place), wanted, place, missing=missing)


def _values(cells: list[str], wanted: GraphInput, missing: bool, place: Any) -> list[Any]:
    if wanted.dtype == "object":
        return cells
    is_float = wanted.dtype.startswith("float")
    plain = PLAIN.fullmatch("".join(cells))
    if plain and wanted.dtype != "bool":
        with contextlib.suppress(ValueError):  # one by one then, to name the cell, or as whole numbers have a fraction
            return list(map(float if is_float else int, cells))
    if not is_float:
        return [_value(cell, wanted, missing, index, place) for index, cell in enumerate(cells)]
    values: list[Any] = []
    for index, cell in enumerate(cells):
        try:
            value = float(cell) if plain or PLAIN.fullmatch(cell) else None
        except ValueError:
            value = None
        values.append(_value(cell, wanted, missing, index, place) if value is None else value)
    return values


def _value(cell: str, wanted: GraphInput, missing: bool, index: int, place: Any) -> Any:
    cell = cell.strip()
    if cell.lower() in ("", "nan"):
        if missing and wanted.dtype.startswith("float"):
            return NAN
        raise missing_value(place(index), wanted)
    if wanted.dtype == "bool" and cell.lower() in BOOLEANS:
        return BOOLEANS[cell.lower()]
    if not NUMBER.fullmatch(cell):
        hint = ": write decimals with a point" if DECIMAL_COMMA.fullmatch(cell) else ""
        raise InputError("WRONG_TYPE", f"{place(index)} is {shorten(repr(cell))}, but the model takes {wanted}{hint}.")
    whole = WHOLE.fullmatch(cell)
    return int(whole[1]) if whole and len(whole[1]) <= MAX_DIGITS else float(cell)
