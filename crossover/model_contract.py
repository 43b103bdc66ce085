"""Checks a model file before it is deployed, for the constructs and for `crossover new`, which needs no CDK."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from crossover.handler_sources import inference


class ModelArtifactError(ValueError):
    """A model file that cannot be deployed. The message is one line with the file and everything that is wrong."""


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
    if not path.is_file():
        raise ModelArtifactError(f"There is no model file {path}.")
    handlers = inference("model")
    try:
        model = handlers.Model.load(path)
    except handlers.ModelError as error:
        reason = str(error).partition("\n")[0].removeprefix("The model ")
        raise ModelArtifactError(f"The model file {path} {reason.rstrip('.')}.") from None
    return CheckedModel(model.contract, tuple(_warnings(model, path)))


def _warnings(model: Any, path: Path) -> Iterator[str]:
    """Files that the model will fail on.

    Raises:
        ModelArtifactError: it fails on usual ones.
    """
    input_error = inference("input_error").InputError
    for trial in model.contract.input.trials():
        try:
            model.predict(trial.decoded)
        except input_error as error:
            if trial.usual:
                raise ModelArtifactError(
                    f"The model file {path} cannot be served: it fails on {trial.what}: {error.message}"
                ) from None
            yield f"The model fails on {trial.what}, so such files become FAILED items: {error.message}"
