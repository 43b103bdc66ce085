"""What a benchmark measured, as inputs of the model."""

import json
from dataclasses import fields
from pathlib import Path

from crossover.cost.scenario import Scenario
from crossover.errors import UsageError

SCHEMA = 1


def read(path: Path) -> dict[str, float]:
    """The fields of a scenario in a benchmark's result: its member `scenario`, of numbers by the fields' names.

    Raises:
        UsageError: the file cannot be read, is no such result, or names a field that does not exist.
    """
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"The results in {path} cannot be read: {error}.") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{path} is no benchmark's result of schema {SCHEMA}.")
    measured = document.get("scenario")
    if not isinstance(measured, dict) or not measured:
        raise UsageError(f"{path} has no member 'scenario' with what was measured.")
    numbers = {each.name for each in fields(Scenario) if each.metadata["bounds"] is not None}
    for name, value in measured.items():
        if name not in numbers:
            raise UsageError(
                f"{path} measures {name!r}, which the model does not know; it knows {', '.join(sorted(numbers))}."
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(f"The value of {name} in {path} is {value!r}; it must be a number.")
    return {name: float(value) for name, value in measured.items()}
