"""How YAMNet cuts a waveform into frames: the numbers, in samples at 16 kHz, and the cutting itself for the checks."""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000

# Spectra of 25 ms, one every 10 ms. A frame is 96 of them, and the next frame starts 48 later.
SPECTRUM_LENGTH = 400
SPECTRUM_HOP = 160
SPECTRA_PER_HOP = 48
FRAME_HOP = SPECTRA_PER_HOP * SPECTRUM_HOP
FRAME_LENGTH = (2 * SPECTRA_PER_HOP - 1) * SPECTRUM_HOP + SPECTRUM_LENGTH


def cut(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """float32 [samples] -> [frames, 15600], zero-padded at the end; at least one frame."""
    hops = max(0, -(-(len(samples) - FRAME_LENGTH) // FRAME_HOP))
    padded = np.zeros(hops * FRAME_HOP + FRAME_LENGTH, np.float32)
    padded[: len(samples)] = samples
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME_LENGTH)[::FRAME_HOP]
