"""The contract that a model file carries in its metadata, and whether this pipeline can serve it.

The only reader of the contract. The handlers import it; the constructs, which cannot import what runs in Lambda, load
this file by its path. So it needs nothing but the standard library: the caller opens the model.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

METADATA_FIELDS = ("name", "version", "license", "input_kind", "sample_rate", "labels")


class ContractError(ValueError):
    """The model cannot be served; the message is one line with all reasons, `faults` lists them."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class Tensor(Protocol):
    """An input or output of the graph, as onnxruntime's NodeArg describes it."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str:
        """Such as `tensor(float)`."""

    @property
    def shape(self) -> Sequence[int | str | None]:
        """A size that the graph leaves open is a name or None."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a model file declares.

    Attributes:
        name, version, license: of the model.
        sample_rate: of the waveform that it takes, Hz.
        labels: one for each score.
    """

    name: str
    version: str
    license: str
    sample_rate: int
    labels: tuple[str, ...]


def read_contract(metadata: Mapping[str, str], *, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Contract:
    """Read and check what the model declares.

    The graph takes `waveform`, float32 [samples], and gives `scores`, float32 [classes], one for each label.

    Args:
        metadata: the model's metadata_props.
        inputs: of the graph.
        outputs: of the graph.

    Raises:
        ContractError: something is missing or cannot be served; it names everything at once.
    """
    faults = []

    def require(fits: bool, what: str, found: str, needed: str) -> None:
        if not fits:
            faults.append(f"its {what} is {found}, but must be {needed}")

    missing = [field for field in METADATA_FIELDS if not metadata.get(field)]
    if missing:
        faults.append(f"its metadata lack {', '.join(missing)} (needed are {', '.join(METADATA_FIELDS)})")
    kind, rate, labels = (metadata.get(field, "") for field in ("input_kind", "sample_rate", "labels"))
    known_labels = _list_of_strings(labels)
    if kind:
        require(kind == "audio", "input_kind", repr(kind), "'audio'")
    if rate:
        is_rate = rate.isascii() and rate.isdecimal() and int(rate) > 0
        require(is_rate, "sample_rate", repr(rate), "a whole number of Hz above 0")
    if labels:
        require(bool(known_labels), "labels", _shorten(repr(labels)), "a JSON list of strings")
    fits = [(value.name, value.type, len(value.shape)) for value in inputs] == [("waveform", "tensor(float)", 1)]
    if fits and isinstance(inputs[0].shape[0], int):
        length = inputs[0].shape[0]
        faults.append(f"its input has the fixed length of {length} samples, but must be exported with an open one")
    else:
        require(fits, "input", _describe(inputs), "waveform, float32 [samples], alone")
    classes = len(known_labels) if known_labels else "classes"
    scores = [value for value in outputs if value.name == "scores" and value.type == "tensor(float)"]
    fits = bool(scores) and len(scores[0].shape) == 1
    if fits and known_labels and isinstance(scores[0].shape[0], int):
        fits = scores[0].shape[0] == len(known_labels)
    require(fits, "output", _describe(outputs), f"scores, float32 [{classes}], one score for each label")
    if faults:
        raise ContractError(faults)
    return Contract(
        name=metadata["name"],
        version=metadata["version"],
        license=metadata["license"],
        sample_rate=int(rate),
        labels=tuple(known_labels),
    )


def _list_of_strings(value: str) -> list[str]:
    """The JSON list of strings; empty for anything else."""
    try:
        parsed: Any = json.loads(value)
    except ValueError:
        return []
    if isinstance(parsed, list) and all(isinstance(element, str) for element in parsed):
        return parsed
    return []


def _describe(tensors: Sequence[Tensor]) -> str:
    return ", ".join(f"{value.name}, {value.type} {list(value.shape)}" for value in tensors) or "none"


def _shorten(value: str) -> str:
    return value if len(value) <= 60 else value[:57] + "..."
