"""How much audio is allowed: refused by what a header declares, or else while it is decoded."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...input_error import InputError
from ..audio import AudioLimits

Channels = Sequence[NDArray[np.float32]]
"""A part of the audio: float32 [frames] for each channel."""

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 1_000, 768_000
# The most samples decoded are those of the maximum channels at this rate for the maximum duration: by default 10
# minutes of 48 kHz in 8 channels, or of 192 kHz in 2. A file that declares its length is refused before it is decoded;
# one that does not is refused while it is, and is limited to 4 channels.
FULL_RATE, UNDECLARED_CHANNELS = 48_000, 4


class AudioLength:
    """Counts what is decoded, and refuses what is more than the limits allow.

    Args:
        limits: the maximum duration and number of channels.

    Attributes:
        rate, channels: of the stream that began last, Hz; 0 before there is one.
        frames: decoded since it began.
    """

    def __init__(self, limits: AudioLimits) -> None:
        self.limits = limits
        self.rate = self.channels = self.frames = 0
        self._seconds_before = 0.0  # of streams that ended
        self._samples = 0

    @property
    def seconds(self) -> float:
        """Decoded so far."""
        return self._seconds_before + (self.frames / self.rate if self.frames else 0.0)

    def begin(self, *, rate: int, channels: int, frames: int | None) -> None:
        """Check a stream before any of its samples is decoded; a stream that changes begins again.

        Args:
            rate: Hz.
            channels: how many.
            frames: the declared length; None where it is not declared.

        Raises:
            InputError: TOO_MANY_CHANNELS, UNSUPPORTED_SAMPLE_RATE, AUDIO_TOO_LONG or TOO_MANY_SAMPLES.
        """
        if channels > self.limits.max_channels:
            raise InputError(
                "TOO_MANY_CHANNELS",
                f"The audio has {channels} channels; at most {self.limits.max_channels} are allowed.",
            )
        if not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
            raise InputError(
                "UNSUPPORTED_SAMPLE_RATE",
                f"The sample rate is {rate} Hz; {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz are allowed.",
            )
        self._seconds_before, self.frames = self.seconds, 0
        self.rate, self.channels, self._declared = rate, channels, frames is not None
        if frames is not None:
            self._check(frames)

    def add(self, frames: int) -> None:
        """Count frames that were decoded.

        Raises:
            InputError: AUDIO_TOO_LONG or TOO_MANY_SAMPLES.
        """
        self._check(frames)
        self.frames += frames
        self._samples += self._counted(frames)

    def _counted(self, frames: int) -> int:
        # Resampling takes time for each frame, so where the length is not declared a mono frame counts as a stereo one.
        return frames * (self.channels if self._declared else max(self.channels, 2))

    def _check(self, frames: int) -> None:
        """Whether `frames` more are allowed."""
        frames_so_far = self.frames + frames
        seconds = self._seconds_before + frames_so_far / self.rate
        if seconds > self.limits.max_seconds:
            raise InputError(
                "AUDIO_TOO_LONG",
                f"The audio lasts {seconds:.1f} s or more; at most {self.limits.max_seconds:g} s are allowed.",
            )
        most = self.limits.max_channels
        channels = most if self._declared else min(most, UNDECLARED_CHANNELS)
        max_samples = int(self.limits.max_seconds * FULL_RATE * channels)
        if self._samples + self._counted(frames) > max_samples:
            raise InputError(
                "TOO_MANY_SAMPLES",
                f"The audio has {frames_so_far:,} frames or more of {self.channels} channels at "
                f"{self.rate} Hz; at most {max_samples:,} samples are allowed"
                f"{'' if self._declared else ' where the length is not declared'}.",
            )
