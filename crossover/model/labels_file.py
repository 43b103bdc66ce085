"""The labels of a model, from the files in which they are found."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

from crossover.errors import UsageError, reason_of

COLUMNS = ("label", "labels", "name", "display_name", "class", "class_name")
"""Headings of the labels in a CSV file, the first that there is."""


def read_labels(path: Path) -> list[str] | dict[str, str]:
    """The labels in the order of the scores; or by the number of the class, where a JSON object does not have all.

    A line each, in a file with commas and a heading from COLUMNS that column (`.csv`), or JSON (`.json`): a list of
    strings, or an object by the number of the class, whose values are strings or lists that end with one, as in
    Keras's `imagenet_class_index.json`.

    Raises:
        UsageError: the file cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"The labels {path} are not UTF-8 text.") from None
    except OSError as error:
        raise UsageError(f"The labels {path} cannot be read: {reason_of(error)}.") from None
    if path.suffix.lower() == ".json":
        found = _of_json(path, text)
        if isinstance(found, dict):
            return found
        labels = found
    elif path.suffix.lower() == ".csv":
        labels = _of_csv(path, text)
    else:
        labels = text.splitlines()
        while labels and not labels[-1].strip():
            labels.pop()
    labels = [label.strip() for label in labels]
    if not labels:
        raise UsageError(f"The file {path} holds no labels.")
    if "" in labels:
        raise UsageError(f"The label {labels.index('') + 1} in {path} is empty.")
    return labels


def _of_json(path: Path, text: str) -> list[str] | dict[str, str]:
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The labels {path} are not JSON: {error}.") from None
    if isinstance(parsed, dict):
        parsed = {key: value[-1] if isinstance(value, list) and value else value for key, value in parsed.items()}
        if set(parsed) == {str(number) for number in range(len(parsed))}:
            parsed = [parsed[str(number)] for number in range(len(parsed))]
    if isinstance(parsed, list) and all(isinstance(value, str) for value in parsed):
        return parsed
    if isinstance(parsed, dict) and all(key.isdecimal() and isinstance(value, str) for key, value in parsed.items()):
        return parsed
    raise UsageError(f"The labels {path} must be a JSON list of strings, or an object of them by number.")


def _of_csv(path: Path, text: str) -> list[str]:
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if not rows:
        return []
    heading = [cell.strip().lower() for cell in rows[0]]
    for name in COLUMNS:
        if name in heading:
            column = heading.index(name)
            return [row[column] if column < len(row) else "" for row in rows[1:]]
    if len(heading) == 1:
        return [row[0] for row in rows]
    raise UsageError(
        f"The labels {path} have the columns {', '.join(rows[0])}, but none is named {', '.join(COLUMNS)}."
    )


def repeated(labels: str) -> str:
    """A label that several classes have, of a contract's labels; empty for none."""
    parsed = json.loads(labels or "[]")
    names = list(parsed.values()) if isinstance(parsed, dict) else parsed
    return next((name for name, count in Counter(names).items() if count > 1 and name), "")
