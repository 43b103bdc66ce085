"""The ONNX model: loaded with its contract, and the scores it gives."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from inference.contract import ContractError, read_contract
from inference.environment import available_cpus
from inference.input_error import InputError


class ModelError(ValueError):
    """The file is not a model that this pipeline can serve."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A loaded model. `scores` may be called from several threads at once.

    Attributes:
        name, version, license: from the file's metadata.
        sample_rate: of the waveform it takes, Hz.
        labels: one per class.
        sha256: of the file, hexadecimal.
        session: the onnxruntime session.
    """

    name: str
    version: str
    license: str
    sample_rate: int
    labels: tuple[str, ...]
    sha256: str
    session: onnxruntime.InferenceSession

    @classmethod
    def load(cls, source: bytes | Path, *, threads: int | None = None, spinning: bool = False) -> Self:
        """Load an ONNX file that carries its own contract in `metadata_props`.

        Args:
            source: the file's bytes or its path.
            threads: that one prediction may use; by default as many as the CPUs that this process may use. Always set:
                onnxruntime would count the physical cores, which are not Lambda's share of them.
            spinning: whether these threads spin while they wait for each other during a prediction, which makes it
                shorter where each has its own CPU. In Lambda, spinning would use up the CPU quota.

        Raises:
            ModelError: the file is not an ONNX model, or its contract cannot be served; all reasons are named.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cpus()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")
        # Threads that spin between requests would use up the CPU quota that Lambda bills and the credits of a T2.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        data = source.read_bytes() if isinstance(source, Path) else source
        try:
            session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own classes have no other common base
            raise ModelError(f"The model cannot be loaded by onnxruntime {onnxruntime.__version__}: {error}") from error
        try:
            contract = read_contract(
                session.get_modelmeta().custom_metadata_map,
                inputs=session.get_inputs(),
                outputs=session.get_outputs(),
            )
        except ContractError as error:
            raise ModelError(f"The model cannot be served: {error}.") from error
        return cls(
            name=contract.name,
            version=contract.version,
            license=contract.license,
            sample_rate=contract.sample_rate,
            labels=contract.labels,
            sha256=hashlib.sha256(data).hexdigest(),
            session=session,
        )

    def scores(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [samples], mono at `sample_rate`, to float32 [classes].

        Raises:
            InputError: MODEL_REFUSED_INPUT, for example where it needs more samples; NON_FINITE_SCORES.
        """
        try:
            (scores,) = self.session.run(["scores"], {"waveform": waveform})
        except (Fail, InvalidArgument, RuntimeException) as error:
            if "alloc" in str(error):  # a lack of memory may be over at the next attempt
                raise
            reason = str(error).rpartition(" : ")[2].rpartition("Status Message: ")[2].partition("\n")[0].rstrip(".")
            raise InputError(
                "MODEL_REFUSED_INPUT",
                f"The model fails for this input of {len(waveform):,} samples: {reason or type(error).__name__}.",
            ) from error
        if not np.isfinite(scores).all():
            raise InputError("NON_FINITE_SCORES", "The model's scores for this input are not finite numbers.")
        return np.asarray(scores)
