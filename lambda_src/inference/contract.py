"""The contract that a model file carries in its metadata, and whether this pipeline can serve it.

The only reader of the contract. It needs nothing but the standard library: the caller opens the model.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import inputs as input_kinds
from . import outputs as output_kinds
from .kinds import InputKind, OutputKind, Tensor
from .shapes import DTYPES, describe, shorten

COMMON_FIELDS = ("name", "version", "license", "input_kind")
"""Of the metadata, which every model needs."""
OPTIONAL_FIELDS = ("output_kind", "states", "constants")
DEFAULT_OUTPUT_KIND = "labels"


class ContractError(ValueError):
    """The model cannot be served; the message is one line with all reasons, `faults` lists them."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a model file declares.

    Attributes:
        name, version, license: of the model.
        input: what it takes.
        output: what it gives.
        states: the graph's inputs that start at zero, each with the output that it continues with in the next window.
        constants: the graph's inputs that are always the same, with their values: numbers, or lists of them.
    """

    name: str
    version: str
    license: str
    input: InputKind
    output: OutputKind
    states: Mapping[str, str]
    constants: Mapping[str, Any]


def read_contract(metadata: Mapping[str, str], *, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Contract:
    """Read and check what the model declares.

    Args:
        metadata: the model's metadata_props.
        inputs: of the graph.
        outputs: of the graph.

    Raises:
        ContractError: something is missing or cannot be served; it names everything at once.
    """
    faults: list[str] = []
    missing = [field for field in COMMON_FIELDS if not metadata.get(field)]
    if missing:
        faults.append(f"its metadata lack {', '.join(missing)} (needed are {', '.join(COMMON_FIELDS)})")
    states = _states(metadata, inputs, outputs, faults)
    constants = _constants(metadata, inputs, states, faults)
    data = [each for each in inputs if each.name not in states and each.name not in constants]
    results = [each for each in outputs if each.name not in states.values()]
    input_name, output_name = metadata.get("input_kind", ""), metadata.get("output_kind") or DEFAULT_OUTPUT_KIND
    read_input, read_output = None, None
    if input_name in input_kinds.KINDS:
        read_input = input_kinds.KINDS[input_name].read(metadata, data, faults)
    elif input_name:
        faults.append(f"its input_kind is {shorten(repr(input_name))}, but must be {_names(input_kinds.KINDS)}")
    if output_name in output_kinds.KINDS:
        read_output = output_kinds.KINDS[output_name].read(metadata, results, faults, input_name)
    else:
        faults.append(f"its output_kind is {shorten(repr(output_name))}, but must be {_names(output_kinds.KINDS)}")
    if faults or read_input is None or read_output is None:
        raise ContractError(faults)
    return Contract(
        name=metadata["name"],
        version=metadata["version"],
        license=metadata["license"],
        input=read_input,
        output=read_output,
        states=states,
        constants=constants,
    )


def _states(
    metadata: Mapping[str, str], inputs: Sequence[Tensor], outputs: Sequence[Tensor], faults: list[str]
) -> dict[str, str]:
    """`{"h": "hn"}`: input and output of a state; empty where they are declared wrongly."""
    declared = _object(metadata, "states", faults)
    taken, given = {each.name: each for each in inputs}, {each.name: each for each in outputs}
    before = len(faults)
    for name, output in declared.items():
        if name not in taken or not isinstance(output, str) or output not in given:
            faults.append(
                f"its states name {name!r} and {output!r}, but must name an input ({describe(inputs)}) and the output "
                f"that continues it ({describe(outputs)})"
            )
        elif taken[name].type not in DTYPES or taken[name].type == "tensor(string)":
            faults.append(f"its state {name!r} is {taken[name].type}, but must be of numbers")
        elif taken[name].type != given[output].type or not _agree(taken[name].shape, given[output].shape):
            faults.append(
                f"its state {describe([taken[name]])} goes on with {describe([given[output]])}, but must with an "
                "output of the same type and shape"
            )
    return declared if len(faults) == before else {}


def _agree(shape: Sequence[int | str | None], other: Sequence[int | str | None]) -> bool:
    """Whether two shapes can be the same: sizes that are open can be anything."""
    return len(shape) == len(other) and all(
        one == two or not (isinstance(one, int) and isinstance(two, int)) for one, two in zip(shape, other, strict=True)
    )


def _constants(
    metadata: Mapping[str, str], inputs: Sequence[Tensor], states: Mapping[str, str], faults: list[str]
) -> dict[str, Any]:
    """`{"sr": 16000}`: inputs and their values; empty where they are declared wrongly."""
    declared = _object(metadata, "constants", faults)
    before = len(faults)
    for name in declared:
        if name not in {each.name for each in inputs}:
            faults.append(f"its constants name {name!r}, but the graph's inputs are {describe(inputs)}")
        elif name in states:
            faults.append(f"its input {name!r} is declared as a state and as a constant, but can be one of them")
    return declared if len(faults) == before else {}


def _object(metadata: Mapping[str, str], field: str, faults: list[str]) -> dict[str, Any]:
    text = metadata.get(field, "")
    try:
        parsed: Any = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict):
        return parsed
    faults.append(f"its {field} are {shorten(repr(text))}, but must be a JSON object")
    return {}


def _names(kinds: Mapping[str, object]) -> str:
    return " or ".join(map(repr, kinds))
