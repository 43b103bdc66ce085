"""Checks a model file before it is deployed, for the constructs and the commands; needs no CDK."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from crossover.handler_sources import inference
from crossover.model.metadata import ModelFileError, external_files


class ModelArtifactError(ValueError):
    """A model file that cannot be deployed. The message is one line with the file and everything that is wrong.

    Attributes:
        faults: what is wrong with a model that can be read, each a clause.
    """

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class Limits(Protocol):
    """The limits of a kind of input, as lambda_src/inference/limits.py has them."""

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """The environment variables that set them."""


class InputKind(Protocol):
    """What a model takes, as lambda_src/inference/kinds.py has it."""

    @property
    def kind(self) -> str:
        """Its name, such as "audio"."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of files' names, lower case."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """How they begin, such as `audio/`."""

    @property
    def limits(self) -> type[Limits]: ...


class OutputKind(Protocol):
    """What a model gives, as lambda_src/inference/kinds.py has it."""

    @property
    def kind(self) -> str:
        """Its name, such as "labels"."""

    @property
    def stores_files(self) -> bool:
        """Whether results may not fit an item."""


class ModelContract(Protocol):
    """What a model file declares, as lambda_src/inference/contract.py reads it."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def license(self) -> str: ...

    @property
    def input(self) -> InputKind: ...

    @property
    def output(self) -> OutputKind: ...


@dataclass(frozen=True)
class CheckedModel:
    """A model that can be served.

    Attributes:
        contract: what it declares.
        warnings: what files it will fail on, each in a sentence.
    """

    contract: ModelContract
    warnings: tuple[str, ...]


def check_model(path: Path) -> CheckedModel:
    """Read what the model declares and try it on awkward inputs, both with the handlers' own code.

    Raises:
        ModelArtifactError: there is no such file, it is not a model, or the handlers could not serve it.
    """
    model = load_model(path)
    input_error = inference("input_error").InputError
    faults: dict[str, str] = {}
    warnings = []
    for trial in model.contract.input.trials():
        try:
            model.predict(trial.decoded)
        except input_error as error:
            if trial.usual:
                faults[trial.what] = error.message
            else:
                warnings.append((trial.what, error.message))
    if faults:
        raise _cannot_be_served(path, [fault_of(faults)])
    return CheckedModel(model.contract, warnings_of(warnings))


def load_model(path: Path) -> Any:
    """The `Model` of lambda_src/inference/model.py.

    Raises:
        ModelArtifactError: there is no such file, it is not a model, or its contract is wrong.
    """
    if path.is_dir():
        raise ModelArtifactError(f"The model {path} is a folder, but must be a file.")
    if not path.is_file():
        raise ModelArtifactError(f"There is no model file {path}.")
    try:
        outside = external_files(path)
    except ModelFileError as error:
        raise ModelArtifactError(str(error)) from None
    except OSError as error:
        raise ModelArtifactError(f"The model file {path} cannot be read: {error.strerror}.") from None
    if outside:
        raise ModelArtifactError(
            f"The model file {path} has its weights in {outside[0].name}, but must hold them: "
            f"`crossover model describe` writes such a file."
        )
    handlers = inference("model")
    try:
        return handlers.Model.load(path.read_bytes())  # as from S3; from a path it would also find weights elsewhere
    except handlers.ModelError as error:
        if error.faults:
            raise _cannot_be_served(path, error.faults) from None
        raise ModelArtifactError(f"The model file {path} cannot be loaded: {reason_of(error.__cause__)}.") from None


def reason_of(error: BaseException | None) -> str:
    """What onnxruntime says, on one line, without the number of the error and the place in its own sources."""
    text = " ".join(str(error).split())
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    without_places: Callable[[str], str] = inference("runtime_reason").without_places
    return without_places(text).rstrip(".")


def fault_of(reasons: Mapping[str, str]) -> str:
    """A clause about usual inputs that a model fails on, with why it fails on the first."""
    return f"it fails on {', '.join(reasons)}: {next(iter(reasons.values())).rstrip('.')}"


def warning_of(what: str, reason: str) -> str:
    """A sentence about input that a model fails on."""
    return f"The model fails on {what}, so such files become FAILED items: {reason}"


def _cannot_be_served(path: Path, faults: Sequence[str]) -> ModelArtifactError:
    message = f"The model file {path} cannot be served: {'; '.join(faults)}."
    return ModelArtifactError(" ".join(filter(None, (message, remedy_of(path, faults)))), faults)


def remedy_of(path: Path, faults: Sequence[str]) -> str:
    """A sentence where the model has no contract, or only a part of one; else empty."""
    lacks = any(fault.startswith("its metadata lack ") for fault in faults)
    return f"`crossover model describe {path}` writes its metadata." if lacks else ""


def warnings_of(faults: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """A sentence for each reason.

    Args:
        faults: what a model fails on, and the reason.
    """
    by_reason: dict[str, list[str]] = {}
    for what, reason in faults:
        by_reason.setdefault(reason, []).append(what)
    return tuple(warning_of("; ".join(whats), reason) for reason, whats in by_reason.items())
