"""What a benchmark measured, as inputs of the model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from crossover import documents
from crossover.cost.kinds import DEFAULT_KIND
from crossover.cost.scenario import Scenario
from crossover.cost.variants import VARIANTS
from crossover.errors import UsageError

SCHEMA = 2
ON_ONE_MACHINE = "crossover bench micro"  # the kind of result that has no AWS figures
REHEARSAL_MARK = "A rehearsal on the local AWS: the times are this machine's, not AWS's."
ONE_MACHINE_MARK = "The handler was measured alone on one machine: the times are not AWS's."


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a benchmark measured.

    Attributes:
        values: by the names of a scenario's fields.
        is_rehearsal: whether it was on the local AWS, whose times are not AWS's.
        is_one_machine: whether it was the handler alone, on one machine, without AWS.
        variants: which one measured each value, where the result says so or the value is another variant's.
        input_kind: of the model; a result from before there were kinds is of audio. Empty without a result.
    """

    values: dict[str, float]
    is_rehearsal: bool
    is_one_machine: bool = False
    variants: Mapping[str, str] = field(default_factory=dict)
    input_kind: str = ""


def read(path: Path) -> Measured:
    """The member `scenario` of a benchmark's result.

    Without `standard`, `warm_seconds` is that of the first variant in the registry that was measured.

    Raises:
        UsageError: the file cannot be read, is not such a result, or names a field that does not exist.
    """
    document = documents.read(path)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{path} is not a benchmark's result of schema {SCHEMA}.")
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
    values = {name: float(value) for name, value in measured.items()}
    variants = _variants(document, values)
    first = next((name for name in VARIANTS if f"{name}_warm_seconds" in values), None)
    if first and "warm_seconds" not in values:
        # Else other variants, and the CPU time of instances, would have the default, which is of another model.
        values["warm_seconds"] = values[f"{first}_warm_seconds"]
        variants["warm_seconds"] = first
    return Measured(
        values=values,
        is_rehearsal=bool(document.get("rehearsal")),
        is_one_machine=document.get("kind") == ON_ONE_MACHINE,
        variants=variants,
        input_kind=_input_kind(document),
    )


def _variants(document: dict[str, Any], values: Mapping[str, float]) -> dict[str, str]:
    """As `crossover bench run` has it in `scenario_from`; its earlier versions did not write it."""
    named = document.get("scenario_from")
    return {name: str(each) for name, each in named.items() if name in values} if isinstance(named, dict) else {}


def _input_kind(document: dict[str, Any]) -> str:
    """As `crossover bench run` has it in its plan, and `crossover bench micro` in its settings."""
    described = document.get("plan") or document.get("settings")
    return str(described.get("input_kind", DEFAULT_KIND)) if isinstance(described, dict) else DEFAULT_KIND
