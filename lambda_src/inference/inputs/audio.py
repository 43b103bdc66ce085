"""Audio: a waveform, mono, at the model's sample rate."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ..kinds import Decoded, Tensor, Trial
from ..limits import Limits, limit
from ..shapes import describe, dtype_of, is_batch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TYPES = ("tensor(float)", "tensor(float16)", "tensor(double)", "tensor(int16)")
INT16_FULL_SCALE = 32767
USUAL_SECONDS = (1.0, 0.7, 2.3)
"""Of faint noise, in trials; a model that fails on one of them was made for one length."""
SHORT_SECONDS = 0.01
MAX_WINDOW = 10_000_000
"""Samples: ten minutes at 16 kHz."""


@dataclass(frozen=True, kw_only=True)
class AudioLimits(Limits):
    """The limits of an audio file.

    Attributes:
        max_seconds: its duration.
        max_channels: its channels.
    """

    max_seconds: float = limit(600.0, "MAX_AUDIO_SECONDS")
    max_channels: int = limit(8, "MAX_CHANNELS")


@dataclass(frozen=True, kw_only=True)
class AudioInput:
    """A model that takes a waveform in [-1, 1] (int16: in the range of its type).

    A graph of a fixed length gets the waveform in windows of it. The last one ends with the waveform, and so overlaps
    the one before; a waveform that is shorter than one window is padded with zeros. For a graph with states, which run
    on from window to window, or with a context, it is the last one that is padded.

    Attributes:
        name: of the graph's input.
        dtype: of it, NumPy's name.
        leading: its dimensions of 1 before the samples.
        window: samples of a window; None where the graph takes all at once.
        context: samples before each window that the graph gets again with it, zeros before the first.
        sample_rate: Hz.
        windowing: how the scores of windows become one: "mean" or "max".
        overlapping: whether the last window may overlap.
    """

    kind: ClassVar[str] = "audio"
    fields: ClassVar[tuple[str, ...]] = ("sample_rate", "window", "context", "windowing")
    suffixes: ClassVar[tuple[str, ...]] = (
        *(".3gp", ".aac", ".amr", ".flac", ".m4a", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".wav", ".webm"),
    )
    media_types: ClassVar[tuple[str, ...]] = ("audio/",)
    packages: ClassVar[tuple[str, ...]] = ("av", "soundfile", "soxr")
    limits: ClassVar[type[Limits]] = AudioLimits

    name: str
    dtype: str
    leading: int
    window: int | None
    context: int = 0
    sample_rate: int
    windowing: str
    overlapping: bool

    @classmethod
    def read(cls, metadata: Mapping[str, str], inputs: Sequence[Tensor], faults: list[str]) -> Self | None:
        before = len(faults)
        rate, windowing = metadata.get("sample_rate", ""), metadata.get("windowing") or "mean"
        if not (rate.isascii() and rate.isdecimal() and 0 < len(rate) < 8 and int(rate)):
            faults.append(f"its sample_rate is {rate[:50]!r}, but must be a whole number of Hz above 0")
        if windowing not in ("mean", "max"):
            faults.append(f"its windowing is {windowing[:50]!r}, but must be 'mean' or 'max'")
        window = _samples(metadata, "window", faults)
        context = _samples(metadata, "context", faults)
        shape = inputs[0].shape if len(inputs) == 1 else ()
        if not shape or inputs[0].type not in TYPES or not all(map(is_batch, shape[:-1])) or shape[-1] == 0:
            faults.append(
                f"its input is {describe(inputs)}, but must be one waveform, float or int16 [samples] or [1, samples]"
            )
        length = shape[-1] if shape and isinstance(shape[-1], int) and shape[-1] > 0 else 0
        window = window or length - context
        if length and (window <= 0 or window + context != length):
            faults.append(
                f"its window of {max(window, 0)} samples and context of {context} make not the {length} samples of its "
                f"input ({describe(inputs)})"
            )
        if window < 0 and not length:
            faults.append(f"its context is '{context}', but has a meaning only where its window is declared")
        if len(faults) > before:
            return None
        return cls(
            name=inputs[0].name,
            dtype=dtype_of(inputs[0]),
            leading=len(shape) - 1,
            window=window or None,
            context=context,
            sample_rate=int(rate),
            windowing=windowing,
            overlapping=not (metadata.get("states") or context),
        )

    @staticmethod
    def prepare() -> None:
        from .audio_formats import decoding  # noqa: F401

    def decode(self, data: bytes, limits: AudioLimits) -> Decoded:
        """Decode to mono at the model's sample rate; the fact is `audio_seconds`.

        Raises:
            InputError: EMPTY_FILE, UNSUPPORTED_FORMAT, CORRUPT_AUDIO, EMPTY_AUDIO, AUDIO_TOO_LONG, TOO_MANY_SAMPLES,
                TOO_MANY_CHANNELS, UNSUPPORTED_SAMPLE_RATE or NON_FINITE_SAMPLES.
        """
        from .audio_formats.decoding import decode

        return self._decoded(decode(data, self.sample_rate, limits))

    def samples(self) -> Sequence[bytes]:
        """Noise that must be resampled, and not silence, whose logarithm or level some models divide by."""
        import io

        import numpy as np
        import soundfile

        noise = 1e-3 * np.sin(np.arange(96_000, dtype=np.float32) ** 2).reshape(-1, 2)
        ogg, flac = io.BytesIO(), io.BytesIO()
        soundfile.write(ogg, noise, 48_000, format="OGG")  # FFmpeg decodes it
        soundfile.write(flac, noise, 48_000, format="FLAC")  # libsndfile
        return ogg.getvalue(), flac.getvalue()

    def trials(self) -> Iterator[Trial]:
        import numpy as np

        steps = np.arange(round(self.sample_rate * max(USUAL_SECONDS)), dtype=np.float32)
        noise: NDArray[np.float32] = np.float32(1e-3) * np.sin(steps**2)
        for seconds in USUAL_SECONDS:
            usual = self._decoded(noise[: round(seconds * self.sample_rate)])
            yield Trial(what=f"{seconds:g} s of faint noise", decoded=usual, usual=True)
        yield Trial(what="digital silence", decoded=self._decoded(np.zeros(self.sample_rate, np.float32)), usual=False)
        short = self._decoded(noise[: max(round(SHORT_SECONDS * self.sample_rate), 1)])
        yield Trial(what=f"{SHORT_SECONDS:g} s of sound", decoded=short, usual=False)

    def _decoded(self, waveform: "NDArray[np.float32]") -> Decoded:
        """Cut float32 [samples], at least one, into what the graph takes."""
        import numpy as np

        seconds = round(len(waveform) / self.sample_rate, 3)
        samples = waveform
        if self.dtype == "int16":
            samples = np.clip(waveform * INT16_FULL_SCALE, -INT16_FULL_SCALE, INT16_FULL_SCALE).round()
        samples = samples.astype(self.dtype, copy=False)
        shaped = (1,) * self.leading
        return Decoded(
            feeds=[{self.name: window.reshape(*shaped, -1)} for window in self._windows(samples)],
            facts={"audio_seconds": seconds},
            join=self.windowing,
        )

    def _windows(self, samples: "NDArray[np.generic]") -> "Sequence[NDArray[np.generic]]":
        import numpy as np

        if self.window is None:
            return [samples]
        whole, rest = divmod(len(samples), self.window)
        windows = list(samples[: whole * self.window].reshape(-1, self.window))
        if rest:
            if windows and self.overlapping:
                windows.append(samples[-self.window :])
            else:
                windows.append(np.pad(samples[whole * self.window :], (0, self.window - rest)))
        if self.context:
            padded = np.concatenate([np.zeros(self.context, samples.dtype), *windows])
            length = self.window + self.context
            windows = [padded[start : start + length] for start in range(0, len(padded) - self.context, self.window)]
        return windows


def _samples(metadata: Mapping[str, str], field: str, faults: list[str]) -> int:
    """A number of samples; 0 where there is none."""
    text = metadata.get(field, "")
    if not text:
        return 0
    if text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= MAX_WINDOW and len(text) < 9:
        return int(text)
    faults.append(f"its {field} is {text[:50]!r}, but must be a whole number of samples from 1 to {MAX_WINDOW:,}")
    return 0
