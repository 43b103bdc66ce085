"""Checks a model file before it is deployed, for the constructs and for `crossover new`, which needs no CDK."""

import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import onnxruntime

from crossover.model_trial import TrialError, try_model
from crossover.paths import sources


class ModelArtifactError(ValueError):
    """A model file that cannot be deployed. The message is one line with the file and everything that is wrong."""


class ModelContract(Protocol):
    """What a model file declares, as lambda_src/inference/contract.py reads it."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def license(self) -> str: ...

    @property
    def sample_rate(self) -> int:
        """Hz."""

    @property
    def labels(self) -> tuple[str, ...]:
        """One for each score."""


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
    """Read what the model declares, with the handlers' own reader, and try it on a few seconds of noise and silence.

    Raises:
        ModelArtifactError: there is no such file, it is not a model, or the handlers could not serve it.
    """
    if not path.is_file():
        raise ModelArtifactError(f"There is no model file {path}.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # it would print what the error says as well
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes share no base but this
        reason = str(error).partition("\n")[0]
        raise ModelArtifactError(
            f"The model file {path} is not an ONNX model with its weights inside: {reason}"
        ) from None
    reader = _contract_module()
    try:
        contract: ModelContract = reader.read_contract(
            session.get_modelmeta().custom_metadata_map, inputs=session.get_inputs(), outputs=session.get_outputs()
        )
    except reader.ContractError as error:
        raise ModelArtifactError(f"The model file {path} cannot be served: {error}.") from None
    try:
        warnings = try_model(session, contract.sample_rate)
    except TrialError as error:
        raise ModelArtifactError(f"The model file {path} cannot be served: it {error}.") from None
    return CheckedModel(contract, tuple(warnings))


@cache
def _contract_module() -> Any:
    """lambda_src/inference/contract.py, loaded as a file: what runs in Lambda is not part of this package."""
    name = "crossover._contract_reader"
    spec = importlib.util.spec_from_file_location(name, sources() / "lambda_src/inference/contract.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where its dataclass is looked up
    spec.loader.exec_module(module)
    return module
