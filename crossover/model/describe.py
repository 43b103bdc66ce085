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

    from crossover.model.contract import ModelContract

GIVEN, PRESENT = "given", "in the file already"
WORDS = {"image": "pictures", "tensor": "an input of tensors", "tensors": "an output of tensors"}
"""For kinds of input and output, where these are not their names."""
TOLERANCE = 1e-3
"""Of scores that are called probabilities: float16 rounds the sum of a thousand of them so much."""


@dataclass(frozen=True)
class Entry:
    """A field of the contract.

    Attributes:
        value: as it stands in the metadata; empty for one that was in the file and is left out.
        source: GIVEN, PRESENT, or the reason for a guess or for leaving it out.
    """

    value: str
    source: str


@dataclass
class _Draft:
    """The contract so far."""

    entries: dict[str, Entry] = field(default_factory=dict)
    left_out: dict[str, Entry] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def __getitem__(self, name: str) -> str:
        return self.entries[name].value if name in self.entries else ""

    def guess(self, name: str, guess: Guess) -> None:
        """Take the guess where nothing else is known."""
        self.entries.setdefault(name, Entry(guess.value, guess.reason))

    def source(self, name: str) -> str:
        """Empty where there is no such field, or no value of it."""
        return self.entries[name].source if self[name] else ""

    def leave_out(self, name: str, reason: str) -> None:
        """Drop what is in the file already."""
        if self.source(name) == PRESENT:
            del self.entries[name]
            self.left_out[name] = Entry("", reason)

    @property
    def metadata(self) -> dict[str, str]:
        return {name: entry.value for name, entry in self.entries.items() if entry.value}


def describe(
    source: Path, *, given: Mapping[str, str], labels: str = "", number_labels: bool = False
) -> dict[str, Entry]:
    """The contract by its fields, in their order.

    Args:
        given: values of fields, as they stand in the metadata; an empty one removes the field.
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
    entries = {**draft.left_out, **{name: entry for name, entry in draft.entries.items() if entry.value}}
    return {name: entries[name] for name in contract_fields() if name in entries}


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
        self._leave_out_what_given_fields_replace()
        self._states_and_constants()
        data = self._data()
        has_rate = bool("sample_rate" in draft or guesses.sample_rate_input(self.inputs))
        draft.guess("input_kind", guesses.input_kind(data, has_sample_rate=has_rate))
        self._settle("input_kind", {name: kind.fields for name, kind in inference("inputs").KINDS.items()})
        if draft["input_kind"] == "image" and len(data) == 1:
            for name, guess in guesses.image(data[0]).items():
                draft.guess(name, guess)
        results = [each for each in self.outputs if each.name not in self._states().values()]
        self._settle_output_kind(results)
        self._ask_for_what_the_graph_does_not_tell(data, results)
        runs = list(self._runs(data))
        if draft["output_kind"] == "labels":
            self._labels(results, runs)
        elif draft["output_kind"] == "detections" and "labels" not in draft:
            raise UsageError("The model finds things in pictures: give --labels with a label for each class.")
        output = self._read().output
        if runs and not any(map(_is_finite, runs)):
            entry = draft.entries["output_kind"]
            draft.entries["output_kind"] = Entry(entry.value, f"{entry.source}; no trial gave a finite number")
        if draft["output_kind"] == "detections":
            self._say_how_boxes_are_read(output)

    def _leave_out_what_given_fields_replace(self) -> None:
        draft = self.draft
        given = {name: entry.value for name, entry in draft.entries.items() if entry.source == GIVEN and entry.value}
        for name, resize in (("crop_ratio", "crop"), ("pad", "fit")):
            if given.get("resize", resize) != resize:
                draft.leave_out(name, f"it has a meaning where resize is {resize} only")
        counts = inference("outputs.parts.detection_fields").column_counts(self._classes())
        sizes = [size for each in self.outputs for size in each.shape[-2:]]
        if "labels" in given and counts.get(draft["columns"]) not in sizes:
            draft.leave_out("columns", "it does not fit the number of labels")
        for name in ("boxes_format", "nms"):
            if "columns" in given:
                draft.leave_out(name, "it follows from the columns")
        rate = guesses.sample_rate_input(self.inputs)
        if rate and "sample_rate" in given and set(_object(draft["constants"])) == {rate.name}:
            draft.leave_out("constants", "they follow from the sample rate")

    def _classes(self) -> int:
        """By the labels and the first one's class; 0 where there are no labels."""
        labels, offset = len(_list(self.draft["labels"])), self.draft["class_offset"]
        return labels + (int(offset) if labels and offset.isdecimal() and len(offset) < 10 else 0)

    def _settle_output_kind(self, results: Sequence[Tensor]) -> None:
        draft = self.draft
        labels = self._classes()
        of = draft["input_kind"]
        if draft["map"]:
            draft.guess("output_kind", Guess("tensors", "it is a map of pixels"))
        guess = guesses.output_kind(results, of=of, labels=labels)
        columns = guesses.box_columns(results) if of == "image" and guess.value == "tensors" else 0
        if columns and labels and "output_kind" not in draft:
            needed = _count(columns - 4, "label") + (f", or {columns - 5:,} and an objectness" if columns > 5 else "")
            raise UsageError(
                f"The model's output has {columns:,} columns, but the labels are {labels:,}: give {needed}; for "
                "results without labels, --output-kind tensors."
            )
        draft.guess("output_kind", guess)
        fields = {name: kind.fields for name, kind in inference("outputs").KINDS.items()}
        if not draft["map"]:
            fields |= {"tensors": ("outputs", "map"), "maps of pixels": ("labels", "activation")}
        if self.number_labels and draft["output_kind"] == "tensors":
            raise UsageError(self._not_for("number_labels", ["labels"], "output_kind"))
        self._settle("output_kind", fields)

    def _settle(self, which: str, fields: Mapping[str, Sequence[str]]) -> None:
        """Refuse what is given for other kinds, and leave out what the file has for them.

        Args:
            which: input_kind or output_kind, which is known.
            fields: of each kind.
        """
        draft, kind = self.draft, self.draft[which]
        if kind not in fields:
            return  # what reads it says so
        refused = []
        for name in dict.fromkeys(name for names in fields.values() for name in names):
            if name in fields[kind]:
                continue
            kinds = [each for each, names in fields.items() if name in names]
            if draft.source(name) == GIVEN:
                refused.append(self._not_for(name, kinds, which))
            draft.leave_out(name, f"it has a meaning for {_words(kinds)} only")
        if refused:
            raise UsageError(" ".join(refused))

    def _not_for(self, field: str, kinds: Sequence[str], which: str) -> str:
        source = self.draft.source(which)
        option = {"input_kind": "--kind"}.get(which, "--output-kind")
        reason = {GIVEN: f"{option} says", PRESENT: f"the file says ({option} sets another)"}.get(source, source)
        return (
            f"--{field.replace('_', '-')} has a meaning for {_words(kinds)} only, but this is taken as "
            f"{self.draft[which]}, as {reason}."
        )

    def _say_how_boxes_are_read(self, output: Any) -> None:
        """Write down what is told by the numbers of columns and labels, so that it is seen."""
        draft = self.draft
        if output.columns:
            classes = len(output.labels) + output.class_offset
            rest = {"scores": f"{classes:,}", "objectness": f"1 + {classes:,}", "class": "1 + 1"}[output.columns]
            known = f"{classes:,} labels" if not output.class_offset else f"{classes:,} classes"
            counts = inference("outputs.parts.detection_fields").column_counts(classes)
            reason = f"{counts[output.columns]:,} values, {known}: 4 + {rest}"
            if output.columns == "objectness":
                reason += f"; with {classes + 1:,} labels it would be scores"
            draft.guess("columns", Guess(output.columns, reason))
            draft.guess("boxes_format", Guess(output.boxes_format, "the default"))
        if output.nms is not None:
            draft.guess("nms", Guess(str(output.nms), "the default"))

    def _states_and_constants(self) -> None:
        draft = self.draft
        found = guesses.states(self.inputs, self.outputs)
        if found:
            draft.guess("states", Guess(json.dumps(found), "their names and shapes agree; they start at zero"))
        rate = guesses.sample_rate_input(self.inputs)
        if rate and draft["sample_rate"].isdecimal() and len(draft["sample_rate"]) < 10:
            value = int(draft["sample_rate"])
            constants = {rate.name: [value] if rate.shape else value}
            draft.guess("constants", Guess(json.dumps(constants), "the sample rate"))

    def _states(self) -> dict[str, str]:
        return _object(self.draft["states"])

    def _data(self) -> list[Tensor]:
        """The inputs that come from the file."""
        constant = {*self._states(), *_object(self.draft["constants"])}
        return [each for each in self.inputs if each.name not in constant]

    def _ask_for_what_the_graph_does_not_tell(self, data: Sequence[Tensor], results: Sequence[Tensor]) -> None:
        draft, kind = self.draft, self.draft["input_kind"]
        needed = {"audio": ("sample_rate",), "image": ("size", *_normalisation(data))}.get(kind, ())
        missing = [name for name in needed if name not in draft]
        if draft["output_kind"] == "detections" and len(results) > 1 and not draft["columns"]:
            missing += [name for name in ("boxes_format",) if name not in draft]
        if not missing:
            return  # of labels alone the trials tell more
        options = " and ".join(f"--{name.replace('_', '-')}" for name in missing)
        note = ", 0 and 1 where the graph normalises itself" if "mean" in missing and "std" in missing else ""
        labels = "" if "labels" in draft else self._labels_that_are_missing(results)
        raise UsageError(f"The model takes {kind}, but its graph does not tell all: give {options}{note}{labels}.")

    def _labels_that_are_missing(self, results: Sequence[Tensor]) -> str:
        if self.draft["output_kind"] == "detections":
            return "; and --labels with a label for each class"
        output = guesses.scores(results) if self.draft["output_kind"] == "labels" else None
        if output is None or self.number_labels or output.type.startswith("seq("):
            return ""
        count = guesses.classes(output)
        lines = f" with {_count(count, 'line')}" if count else ""
        return f"; and --labels FILE{lines}, or --number-labels"

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
            may_be = draft["input_kind"] == "tensor" and any(map(guesses.may_be_audio, self._data()))
            audio = " If it takes audio, give --sample-rate too." if may_be else ""
            raise UsageError(
                f"The model gives {_count(count, 'score')}: give --labels FILE with as many lines, or --number-labels; "
                f"for results without labels, such as {'a value' if count == 1 else 'an embedding'}, "
                f"--output-kind tensors.{audio}"
            )
        given = len(_list(draft["labels"]))
        if given != count and draft.entries["labels"].source == GIVEN:
            are = "is" if given == 1 else "are"
            raise UsageError(f"There {are} {_count(given, 'label')}, but the model gives {_count(count, 'score')}.")
        activation = _activation(scores)
        if activation:
            draft.guess("activation", activation)

    def _read(self) -> "ModelContract":
        contract = inference("contract")
        try:
            read: ModelContract = contract.read_contract(self.draft.metadata, inputs=self.inputs, outputs=self.outputs)
        except contract.ContractError as error:
            raise self._refusal(error.faults) from None
        return read

    def _refusal(self, faults: Sequence[str]) -> UsageError:
        return UsageError(f"The model {self.source} cannot be described so: {'; '.join(faults)}.")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _words(kinds: Sequence[str]) -> str:
    words = [WORDS.get(kind, kind) for kind in kinds]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


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


def _is_finite(run: Mapping[str, Any]) -> bool:
    """Whether anything but NaN and infinity is among the outputs."""
    import numpy as np

    return any(
        isinstance(value, list) or value.dtype.kind != "f" or not value.size or bool(np.isfinite(value).any())
        for value in run.values()
    )


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
