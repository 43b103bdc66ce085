"""Makes the contract of an ONNX file: from what the user says, what the graph tells, and how it runs."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from crossover.errors import UsageError, reason_of
from crossover.handler_sources import inference
from crossover.model import guesses
from crossover.model.contract import reason_of as reason_of_runtime
from crossover.model.guesses import Guess, Tensor
from crossover.model.labels_file import read_labels
from crossover.model.metadata import ModelFileError, external_files, read_metadata, write_metadata

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GIVEN, PRESENT = "given", "in the file already"
TOLERANCE = 1e-3
"""Of scores that are called probabilities: float16 rounds the sum of a thousand of them so much."""


@dataclass(frozen=True)
class Entry:
    """A field of the contract.

    Attributes:
        value: as it stands in the metadata.
        source: GIVEN, PRESENT, or the reason for a guess.
    """

    value: str
    source: str


@dataclass
class _Draft:
    """The contract so far."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def __getitem__(self, name: str) -> str:
        return self.entries[name].value if name in self.entries else ""

    def guess(self, name: str, guess: Guess) -> None:
        """Take the guess where nothing else is known."""
        self.entries.setdefault(name, Entry(guess.value, guess.reason))

    @property
    def metadata(self) -> dict[str, str]:
        return {name: entry.value for name, entry in self.entries.items() if entry.value}


def describe(
    source: Path, *, given: Mapping[str, str], labels: str = "", number_labels: bool = False
) -> dict[str, Entry]:
    """The contract by its fields, in their order.

    Args:
        given: values of fields, as they stand in the metadata; an empty one leaves the field out.
        labels: a file of labels, or labels separated by commas.
        number_labels: name the classes "class 0", "class 1", ..., where there are no labels.

    Raises:
        UsageError: the file is no model that can be run, a value is wrong, or one is missing that nothing tells.
    """
    try:
        present = read_metadata(source)
        session = _session(source)
    except ModelFileError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"The model file {source} cannot be read: {reason_of(error)}.") from None
    draft = _Draft()
    draft.entries = {
        **{name: Entry(value, PRESENT) for name, value in present.items() if name in contract_fields() and value},
        **{name: Entry(value, GIVEN) for name, value in given.items()},
    }
    if labels:
        draft.entries["labels"] = Entry(json.dumps(_labels(labels), ensure_ascii=False), GIVEN)
    _Description(source, session, draft, number_labels).complete()
    fields = [name for name in contract_fields() if draft[name]]
    return {name: draft.entries[name] for name in fields}


def contract_fields() -> tuple[str, ...]:
    """All fields that a contract of any kind can have."""
    contract, inputs, outputs = (inference(name) for name in ("contract", "inputs", "outputs"))
    of_inputs = [name for kind in inputs.KINDS.values() for name in kind.fields]
    of_outputs = [name for kind in outputs.KINDS.values() for name in kind.fields]
    names = [*contract.COMMON_FIELDS, *of_inputs, "output_kind", *of_outputs, *contract.OPTIONAL_FIELDS]
    return tuple(dict.fromkeys(names))


def _labels(text: str) -> list[str] | dict[str, str]:
    path = Path(text)
    # Not path.exists, which fails where a long list cannot be a file's name.
    if not os.path.exists(text) and ("," in text or (not path.suffix and path.name == text)):  # noqa: PTH110
        return [label.strip() for label in text.split(",")]
    return read_labels(path)


def _session(path: Path) -> Any:
    """Of the model with all weights inside, as it will be written: onnxruntime cannot use all of those outside."""
    if not external_files(path):
        return _load(path)
    with TemporaryDirectory() as folder:
        whole = Path(folder, "model.onnx")
        write_metadata(path, whole, {})
        return _load(whole)


def _load(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # it would print what the error says as well
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes share no base but this
        raise ModelFileError(f"The model {path.name} cannot be loaded: {reason_of_runtime(error)}.") from None


class _Description:
    """Completes a draft."""

    def __init__(self, source: Path, session: Any, draft: _Draft, number_labels: bool) -> None:
        self.source = source
        self.session = session
        self.draft = draft
        self.number_labels = number_labels
        self.inputs: Sequence[Tensor] = session.get_inputs()
        self.outputs: Sequence[Tensor] = session.get_outputs()

    def complete(self) -> None:
        draft = self.draft
        draft.guess("name", Guess(_name(self.source), "the file's name"))
        draft.guess("version", Guess("1", "the default; --version sets it"))
        draft.guess("license", Guess("not stated", "the default; --license sets it"))
        self._states_and_constants()
        data = self._data()
        has_rate = bool("sample_rate" in draft or guesses.sample_rate_input(self.inputs))
        draft.guess("input_kind", guesses.input_kind(data, has_sample_rate=has_rate))
        if draft["input_kind"] == "image" and len(data) == 1:
            for name, guess in guesses.image(data[0]).items():
                draft.guess(name, guess)
        self._ask_for_what_the_input_needs(data)
        runs = list(self._runs(data))
        results = [each for each in self.outputs if each.name not in self._states().values()]
        count = len(_list(draft["labels"]))
        draft.guess("output_kind", guesses.output_kind(results, of=draft["input_kind"], labels=count))
        if draft["output_kind"] == "labels":
            self._labels(results, runs)
        elif draft["output_kind"] == "detections" and "labels" not in draft:
            raise UsageError("The model finds things in pictures: give --labels with a label for each class.")
        self._require_that_it_is_read()

    def _states_and_constants(self) -> None:
        draft = self.draft
        found = guesses.states(self.inputs, self.outputs)
        if found:
            draft.guess("states", Guess(json.dumps(found), "their names and shapes agree; they start at zero"))
        rate = guesses.sample_rate_input(self.inputs)
        if rate and draft["sample_rate"].isdecimal():
            value = int(draft["sample_rate"])
            constants = {rate.name: [value] if rate.shape else value}
            draft.guess("constants", Guess(json.dumps(constants), "the sample rate"))

    def _states(self) -> dict[str, str]:
        return _object(self.draft["states"])

    def _data(self) -> list[Tensor]:
        """The inputs that come from the file."""
        constant = {*self._states(), *_object(self.draft["constants"])}
        return [each for each in self.inputs if each.name not in constant]

    def _ask_for_what_the_input_needs(self, data: Sequence[Tensor]) -> None:
        draft, kind = self.draft, self.draft["input_kind"]
        needed = {"audio": ("sample_rate",), "image": ("size", *_normalisation(data))}.get(kind, ())
        missing = [name for name in needed if name not in draft]
        if missing:
            options = " and ".join(f"--{name.replace('_', '-')}" for name in missing)
            note = ", 0 and 1 where the graph normalises itself" if "mean" in missing and "std" in missing else ""
            raise UsageError(f"The model takes {kind}, but its graph does not tell all: give {options}{note}.")

    def _runs(self, data: Sequence[Tensor]) -> Iterator[dict[str, Any]]:
        """The outputs by name for usual inputs, the first window of each."""
        kinds, kind = inference("inputs").KINDS, self.draft["input_kind"]
        if kind not in kinds:
            raise UsageError(f"The kind of input is {kind!r}; there are {', '.join(kinds)}.")
        faults: list[str] = []
        taken = kinds[kind].read(self.draft.metadata, data, faults)
        if taken is None:
            raise self._refusal(faults)
        fixed = self._fixed_feeds()
        names = [each.name for each in self.outputs]
        for trial in taken.trials():
            if trial.usual:
                try:
                    values = self.session.run(names, {**trial.decoded.feeds[0], **fixed})
                except Exception as error:  # onnxruntime's own classes share no base but this
                    reason = reason_of_runtime(error).rpartition("Status Message: ")[2]
                    hint = ""
                    if kind == "audio" and "window" not in self.draft:
                        hint = "; if it takes windows of one length, give --window"
                    raise UsageError(f"The model {self.source} fails on {trial.what}: {reason}{hint}.") from None
                yield dict(zip(names, values, strict=True))

    def _fixed_feeds(self) -> "dict[str, NDArray[Any]]":
        import numpy as np

        shapes = inference("shapes")
        feeds = {}
        constants = _object(self.draft["constants"])
        for each in self.inputs:
            if each.name in self._states():
                sizes = [size if isinstance(size, int) and size > 0 else 1 for size in each.shape]
                feeds[each.name] = np.zeros(sizes, shapes.dtype_of(each))
            elif each.name in constants:
                feeds[each.name] = self._constant(each, constants[each.name])
        return feeds

    def _constant(self, tensor: Tensor, value: Any) -> "NDArray[Any]":
        model = inference("model")
        try:
            array: NDArray[Any] = model.read_constant(tensor, value)
        except model.ModelError as error:
            raise self._refusal(error.faults) from None
        return array

    def _labels(self, results: Sequence[Tensor], runs: Sequence[Mapping[str, Any]]) -> None:
        draft = self.draft
        named = [each for each in results if each.name == draft["scores"]]
        output = named[0] if named else guesses.scores(results)
        if output is None or guesses.classes(output) is None or not runs:
            return  # the contract's reader says what is wrong
        values = [run[output.name] for run in runs]
        if len(results) > 1:
            draft.guess("scores", Guess(output.name, "the only output that can be of scores"))
        if isinstance(values[0], list):  # scikit-learn's map of scores by label, one for each row
            known = [str(label) for label in values[0][0]]
            draft.guess("labels", Guess(json.dumps(known, ensure_ascii=False), "the model itself names them"))
            return
        scores = [_as_rows(value) for value in values]
        count = scores[0].shape[-1]
        if "labels" not in draft and self.number_labels:
            names = [f"class {number}" for number in range(count)]
            draft.guess("labels", Guess(json.dumps(names), "numbered, as --number-labels asks"))
        if "labels" not in draft:
            raise UsageError(
                f"The model gives {count:,} scores: give --labels FILE with as many lines, or --number-labels; "
                "for results without labels, such as an embedding, --output-kind tensors."
            )
        given = len(_list(draft["labels"]))
        if given != count and draft.entries["labels"].source == GIVEN:
            raise UsageError(f"There are {given:,} labels, but the model gives {count:,} scores.")
        activation = _activation(scores)
        if activation:
            draft.guess("activation", activation)

    def _require_that_it_is_read(self) -> None:
        contract = inference("contract")
        try:
            contract.read_contract(self.draft.metadata, inputs=self.inputs, outputs=self.outputs)
        except contract.ContractError as error:
            raise self._refusal(error.faults) from None

    def _refusal(self, faults: Sequence[str]) -> UsageError:
        return UsageError(f"The model {self.source} cannot be described so: {'; '.join(faults)}.")


def _normalisation(data: Sequence[Tensor]) -> tuple[str, ...]:
    """Fields without which a picture's values are a matter of luck."""
    return ("mean", "std") if any(each.type in guesses.FLOATS for each in data) else ()


def _name(source: Path) -> str:
    return re.sub(r"[^\w.+-]+", "-", source.stem).strip("-") or "model"


def _as_rows(value: Any) -> "NDArray[np.float64]":
    """Scores as float64 [rows, classes]."""
    import numpy as np

    array = np.asarray(value, np.float64)
    return array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)


def _activation(scores: "Sequence[NDArray[np.float64]]") -> Guess | None:
    """Softmax or sigmoid where the scores of usual inputs are no probabilities."""
    import numpy as np

    rows = np.concatenate(scores)
    if not np.isfinite(rows).all():
        return None  # `crossover model check` says so
    least, most = float(rows.min()), float(rows.max())
    if least >= -TOLERANCE and most <= 1 + TOLERANCE:
        return None
    name = "softmax" if rows.shape[-1] > 1 else "sigmoid"
    return Guess(name, f"scores of a trial lie between {least:.3g} and {most:.3g}; --activation sets another, or none")


def _list(text: str) -> list[str]:
    """The items of a JSON list or object; none for anything else."""
    parsed = _json(text)
    return list(parsed) if isinstance(parsed, list | dict) else []


def _object(text: str) -> dict[str, Any]:
    """The JSON object; empty for anything else, of which the contract's reader says what is wrong."""
    parsed = _json(text)
    return parsed if isinstance(parsed, dict) else {}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
