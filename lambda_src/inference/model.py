"""The ONNX model: loaded with its contract, and what it gives for a decoded file."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from .contract import Contract, ContractError, read_contract
from .environment import available_cpus
from .input_error import InputError
from .kinds import Decoded, Outcome, Tensor
from .prediction import ModelUnreadableError
from .runtime_reason import without_places
from .shapes import dtype_of, is_batch, shorten

OUT_OF_MEMORY = ("std::bad_alloc", "Failed to allocate memory", "bad allocation")
"""How onnxruntime says so in an error's own message, which does not name the node."""


class ModelError(ValueError):
    """The file is not a model that this pipeline can serve; `faults` lists what its contract lacks."""

    def __init__(self, message: str, faults: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


@dataclass(frozen=True, kw_only=True)
class Model:
    """A loaded model. `predict` may be called from several threads at once.

    Attributes:
        contract: what it takes and gives.
        sha256: of the file, hexadecimal.
        session: the onnxruntime session.
        constants: the graph's inputs that are always the same.
        states: the graph's inputs that run on from window to window, as each file begins.
    """

    contract: Contract
    sha256: str
    session: onnxruntime.InferenceSession
    constants: Mapping[str, NDArray[Any]]
    states: Mapping[str, NDArray[Any]]

    @classmethod
    def load(cls, source: bytes | Path, *, threads: int | None = None, spinning: bool = False) -> Self:
        """Load an ONNX file that carries its own contract in `metadata_props`.

        Args:
            source: the file's bytes or its path. From its path it is read twice, and takes less memory by its size.
            threads: that one prediction may use; by default as many as the CPUs that this process may use. Always set:
                onnxruntime would count the physical cores, which are not Lambda's share of them.
            spinning: whether these threads spin while they wait for each other during a prediction, which makes it
                shorter where each has its own CPU. In Lambda, spinning would use up the CPU quota.

        Raises:
            ModelError: the file is not an ONNX model, or its contract cannot be served; all reasons are named.
            ModelUnreadableError: the file cannot be read.
        """
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # it would print what the errors say as well
        options.intra_op_num_threads = threads or available_cpus()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")
        # Threads that spin between requests would use up the CPU quota that Lambda bills and the credits of a T2.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own classes have no other common base
            if isinstance(source, Path):
                _sha256(source)  # reads it whole: a lost file system may still open it
            loader = f"onnxruntime {onnxruntime.__version__}"
            raise ModelError(
                f"The model is no ONNX file with its weights inside that {loader} loads: {error}"
            ) from error
        inputs = {each.name: each for each in session.get_inputs()}
        try:
            contract = read_contract(
                session.get_modelmeta().custom_metadata_map,
                inputs=session.get_inputs(),
                outputs=session.get_outputs(),
            )
        except ContractError as error:
            raise ModelError(f"The model cannot be served: {error}.", error.faults) from error
        return cls(
            contract=contract,
            sha256=_sha256(source),
            session=session,
            constants={name: read_constant(inputs[name], value) for name, value in contract.constants.items()},
            states={
                name: np.zeros(
                    [size if isinstance(size, int) and size > 0 else 1 for size in inputs[name].shape],
                    dtype_of(inputs[name]),
                )
                for name in contract.states
            },
        )

    def predict(self, decoded: Decoded) -> Outcome:
        """Run the graph on each feed, and make of its outputs what is stored.

        Raises:
            InputError: MODEL_REFUSED_INPUT, for example where it needs more samples; NON_FINITE_SCORES or another code
                of the kind of output.
        """
        return self.contract.output.outcome(self.run(decoded.feeds), decoded)

    def run(self, feeds: Sequence[Mapping[str, NDArray[Any]]]) -> list[dict[str, Any]]:
        """Run the graph on each feed, states running on; the outputs by name, one result for each.

        Raises:
            InputError: MODEL_REFUSED_INPUT.
        """
        continued = self.contract.states
        names = [*self.contract.output.names, *continued.values()]
        states = self.states
        results = []
        for feed in feeds:
            result = dict(zip(names, self._run(names, {**feed, **self.constants, **states}), strict=True))
            states = {name: result[output] for name, output in continued.items()}
            results.append(result)
        return results

    def _run(self, names: list[str], feed: dict[str, NDArray[Any]]) -> list[Any]:
        try:
            outputs: list[Any] = self.session.run(names, feed)
        except (Fail, InvalidArgument, RuntimeException) as error:
            reason = str(error).rpartition(" : ")[2].rpartition("Status Message: ")[2].partition("\n")[0].rstrip(".")
            if any(words in reason for words in OUT_OF_MEMORY):  # which may be over at the next attempt
                raise
            reason = without_places(reason)
            shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in feed.items())
            raise InputError(
                "MODEL_REFUSED_INPUT", f"The model fails for this input ({shapes}): {reason or type(error).__name__}."
            ) from error
        return outputs


def read_constant(tensor: Tensor, value: Any) -> NDArray[Any]:
    """The value as the graph takes it; a single one in the shape of the input, where that has room for one.

    Raises:
        ModelError: it is not of the input's type and shape.
    """
    try:
        given = np.array(value)
        if given.size == 1 and all(map(is_batch, tensor.shape)):
            given = given.reshape([1] * len(tensor.shape))
        with np.errstate(over="ignore", invalid="ignore"):
            array = given.astype(dtype_of(tensor))
        exact = array.dtype.kind != "f"
        same = np.array_equal(array, given) if exact else np.allclose(array, given, rtol=1e-2, atol=0)
        fits = (
            same
            and len(array.shape) == len(tensor.shape)
            and all(
                wanted == size or not isinstance(wanted, int)
                for wanted, size in zip(tensor.shape, array.shape, strict=True)
            )
        )
    except (KeyError, OverflowError, TypeError, ValueError):
        fits = False
    if not fits:
        fault = (
            f"its constant {tensor.name!r} is {shorten(json.dumps(value))}, but must be {tensor.type} "
            f"{list(tensor.shape)}"
        )
        raise ModelError(f"The model cannot be served: {fault}.", (fault,))
    return array


def _sha256(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    try:
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnreadableError(f"The model cannot be read: {error}") from error
