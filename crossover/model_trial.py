"""Runs a model on audio of several lengths, to find before a deployment what would fail in it."""

from collections.abc import Iterator

import numpy as np
import onnxruntime
from numpy.typing import NDArray

USUAL_SECONDS = (1.0, 0.7, 2.3)
"""Of faint noise; a model that fails on one of them was made for one length."""

SHORT_SECONDS = 0.01


class TrialError(ValueError):
    """The model fails on usual audio; the message completes "The model"."""


def try_model(session: onnxruntime.InferenceSession, sample_rate: int) -> list[str]:
    """Run the model on faint noise, on silence and on a short sound.

    Args:
        session: with an input `waveform`, float32 [samples], and an output `scores`, float32 [classes].
        sample_rate: of its input, Hz.

    Returns:
        What files it will fail on, each in a sentence; such files become FAILED items.

    Raises:
        TrialError: it fails on usual audio.
    """
    samples = np.arange(round(sample_rate * max(USUAL_SECONDS)), dtype=np.float32)
    noise: NDArray[np.float32] = np.float32(1e-3) * np.sin(samples**2)
    for seconds in USUAL_SECONDS:
        fault = _fault(session, noise[: round(seconds * sample_rate)])
        if fault:
            raise TrialError(f"fails on {seconds:g} s of faint noise, but must take audio of any length: {fault}")
    return list(_warnings(session, sample_rate, noise))


def _warnings(session: onnxruntime.InferenceSession, sample_rate: int, noise: NDArray[np.float32]) -> Iterator[str]:
    fault = _fault(session, np.zeros(sample_rate, np.float32))
    if fault:
        yield f"The model fails on digital silence, so such files become FAILED items: {fault}."
    fault = _fault(session, noise[: max(round(SHORT_SECONDS * sample_rate), 1)])
    if fault:
        yield f"The model fails on {SHORT_SECONDS:g} s of sound, so very short files become FAILED items: {fault}."


def _fault(session: onnxruntime.InferenceSession, waveform: NDArray[np.float32]) -> str:
    try:
        (scores,) = session.run(["scores"], {"waveform": waveform})
    except Exception as error:  # onnxruntime's own classes share no base but this
        reason = str(error).rpartition(" : ")[2].rpartition("Status Message: ")[2].partition("\n")[0].rstrip(".")
        return reason or type(error).__name__
    return "" if np.isfinite(scores).all() else "its scores are not finite numbers"
