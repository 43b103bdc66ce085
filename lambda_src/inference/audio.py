"""Audio bytes to the waveform a model takes: decode, mix down, resample."""

import io

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from inference.errors import InputError
from inference.limits import Limits

FORMATS = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3"}  # by libsndfile's names; the first three are kinds of WAV
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 1_000, 768_000
# Frames decoded at a time, so that a long file never stands in memory with all its channels at its own rate; as many as
# most clips have.
BLOCK_FRAMES = 1 << 18
UNKNOWN_FRAMES = 2**63 - 1  # libsndfile's SF_COUNT_MAX, for a stream whose header does not tell its length
UNRECOGNISED = 1  # libsndfile's SF_ERR_UNRECOGNISED_FORMAT


def decode(data: bytes, sample_rate: int, limits: Limits) -> NDArray[np.float32]:
    """Decode a WAV, FLAC, OGG or MP3 file to mono at the model's rate.

    Channels are averaged; the rate is converted by soxr at its HQ setting. Only the mono result at `sample_rate` is
    held whole.

    Args:
        data: the whole file.
        sample_rate: what the model takes, Hz.
        limits: the most seconds and channels to accept.

    Returns:
        float32 [samples], at least one; full scale is [-1, 1].

    Raises:
        InputError: with the codes EMPTY_FILE, UNSUPPORTED_FORMAT, CORRUPT_AUDIO, EMPTY_AUDIO, AUDIO_TOO_LONG,
            TOO_MANY_CHANNELS, UNSUPPORTED_SAMPLE_RATE or NON_FINITE_SAMPLES.
    """
    if not data:
        raise InputError("EMPTY_FILE", "The file is empty: 0 bytes.")
    try:
        with _Stream(io.BytesIO(data)) as source:
            _check(source, limits)
            samples = _mono(source, sample_rate, limits)
    except soundfile.LibsndfileError as error:
        if error.code == UNRECOGNISED:
            raise _unsupported("no audio that can be recognised") from error
        raise InputError("CORRUPT_AUDIO", f"The audio cannot be decoded: {error.error_string}") from error
    if not np.isfinite(samples).all():
        raise InputError("NON_FINITE_SAMPLES", "The audio holds samples that are not finite numbers (NaN or infinity).")
    return samples


class _Stream(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from its beginning to its end.

    After each read soundfile seeks to where it is already, which fails in a FLAC stream that does not tell its length.
    """

    def seekable(self) -> bool:
        return False


def _unsupported(what: str) -> InputError:
    return InputError("UNSUPPORTED_FORMAT", f"The file is {what}; WAV, FLAC, OGG and MP3 are supported.")


def _check(source: soundfile.SoundFile, limits: Limits) -> None:
    """Refuse by the header alone, before a sample is decoded."""
    if source.format not in FORMATS:
        raise _unsupported(f"of the format {source.format}")
    if source.channels > limits.max_channels:
        raise InputError(
            "TOO_MANY_CHANNELS",
            f"The audio has {source.channels} channels; at most {limits.max_channels} are allowed.",
        )
    if not MIN_SAMPLE_RATE <= source.samplerate <= MAX_SAMPLE_RATE:
        raise InputError(
            "UNSUPPORTED_SAMPLE_RATE",
            f"The sample rate is {source.samplerate} Hz; {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz are allowed.",
        )
    if source.frames != UNKNOWN_FRAMES:
        _check_length(source.frames, source.samplerate, limits)


def _check_length(frames: int, rate: int, limits: Limits) -> None:
    if frames > limits.max_seconds * rate:
        raise InputError(
            "AUDIO_TOO_LONG",
            f"The audio lasts {frames / rate:.1f} s or more; at most {limits.max_seconds:g} s are allowed.",
        )


def _mono(source: soundfile.SoundFile, sample_rate: int, limits: Limits) -> NDArray[np.float32]:
    rate = source.samplerate
    resampler = None if rate == sample_rate else soxr.ResampleStream(rate, sample_rate, 1, quality="HQ")
    parts: list[NDArray[np.float32]] = []
    frames, last = 0, False
    while not last:
        block = source.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
        frames += len(block)
        _check_length(frames, rate, limits)  # the header may have told less than the truth
        last = len(block) < BLOCK_FRAMES
        mono = _mix(block)
        parts.append(mono if resampler is None else resampler.resample_chunk(mono, last=last))
    if source.format == "FLAC" and frames < source.frames != UNKNOWN_FRAMES:
        raise InputError(
            "CORRUPT_AUDIO",
            f"The file ends after {frames / rate:.1f} s of the {source.frames / rate:.1f} s that it announces.",
        )
    samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if not samples.size:
        raise InputError("EMPTY_AUDIO", "The file holds no audio: 0 samples.")
    return samples


def _mix(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the channels, float32 [frames, channels] to [frames].

    Channel by channel: `mean(axis=1)` takes some 30 times as long on such narrow rows, and a matrix product would start
    BLAS threads that wait for each other.
    """
    if block.shape[1] == 1:
        return block[:, 0]
    mono = block[:, 0].copy()
    for channel in range(1, block.shape[1]):
        mono += block[:, channel]
    mono /= block.shape[1]
    return mono
