"""What every peer's server does with a posted clip: soundfile and soxr decode it, onnxruntime labels it.

Each peer's environment holds these packages in this project's versions, so that servers are compared and not decoders.
Nothing is checked of what this project's server checks: baselines, damaged files, scores that are not finite.
"""

import io
import json
import os
from typing import Any, Self

import numpy as np
import onnxruntime
import soundfile
import soxr
from numpy.typing import NDArray

TOP_LABELS = 5


class ClipModel:
    """The ONNX file with its labels.

    Args:
        path: of the file; its metadata hold `labels` and `sample_rate`.
        threads: that one prediction may use; None leaves that to onnxruntime.
        spinning: whether idle threads wait busily, as is onnxruntime's default.
    """

    def __init__(self, path: str, threads: int | None = None, *, spinning: bool = True) -> None:
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        if not spinning:
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.labels: list[str] = json.loads(metadata["labels"])
        self.sample_rate = int(metadata["sample_rate"])

    @classmethod
    def from_environment(cls) -> Self:
        """The file that MODEL_PATH names, with THREADS threads where that is set."""
        threads = os.environ.get("THREADS")
        return cls(os.environ["MODEL_PATH"], int(threads) if threads else None)

    def decode(self, data: bytes) -> NDArray[np.float32]:
        """An audio file to float32 [samples], mono at the model's rate."""
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
        return np.asarray(mono if rate == self.sample_rate else soxr.resample(mono, rate, self.sample_rate))

    def scores(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [samples] to float32 [classes]."""
        (scores,) = self.session.run(["scores"], {"waveform": waveform})
        return np.asarray(scores)

    def predict(self, data: bytes) -> dict[str, Any]:
        """An audio file to the best labels with their scores, for JSON."""
        scores = self.scores(self.decode(data))
        best = np.argsort(-scores)[:TOP_LABELS]
        return {"top_labels": [{"label": self.labels[index], "score": float(scores[index])} for index in best]}
