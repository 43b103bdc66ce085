"""Labels by class id, of models that give ids."""

import json
from collections.abc import Mapping
from typing import Any

from ...shapes import shorten

MAX_LABEL_BYTES = 1000
"""So that the shares of 256 classes fit an item."""
MAX_ID_DIGITS = 9


def is_label(value: Any) -> bool:
    """Whether it is text that an item can hold: of Unicode, so without half of a surrogate pair, and not too long."""
    try:
        return isinstance(value, str) and len(value.encode()) <= MAX_LABEL_BYTES
    except UnicodeEncodeError:
        return False


def read_class_labels(metadata: Mapping[str, str], first: int, faults: list[str]) -> dict[int, str]:
    """The metadata's `labels` by class id; empty where they are declared wrongly, which `faults` then says.

    Args:
        first: id of the first, where they are a JSON list. An object such as {"1": "person", "3": "car"} has its ids.
    """
    text = metadata.get("labels", "")
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, list):
        parsed = {str(first + position): label for position, label in enumerate(parsed)}
    if isinstance(parsed, dict) and parsed and all(map(_is_labelled, parsed.items())):
        return {int(class_id): label for class_id, label in parsed.items()}
    faults.append(
        f"its labels are {shorten(repr(text))}, but must be a JSON list of strings of at most {MAX_LABEL_BYTES:,} "
        "bytes of Unicode text, or an object of them by class id"
    )
    return {}


def are_by_id(metadata: Mapping[str, str]) -> bool:
    """Whether the labels are an object by class id."""
    return metadata.get("labels", "").lstrip().startswith("{")


def _is_labelled(pair: tuple[str, Any]) -> bool:
    class_id, label = pair
    return class_id.isascii() and class_id.isdecimal() and len(class_id) <= MAX_ID_DIGITS and is_label(label)
