"""Audio bytes to the waveform that a model takes: decode, mix down, resample."""

import io
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from inference import ogg
from inference.input_error import InputError
from inference.limits import Limits

# libsndfile reads 25 formats, most of them rare; only the parsers of these few are given untrusted files.
SIGNATURES = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS")  # the first three are variants of WAV
MAX_ID3_TAGS = 4  # before an MP3; one is usual, two occur
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 1_000, 768_000
# Frames decoded at a time, so that a long file is never in memory whole, with all its channels at its own rate. Half as
# many are as fast in stereo at 48 kHz, but split a short clip in two.
BLOCK_FRAMES = 1 << 17
# The most samples decoded are those of the maximum channels at this rate for the maximum duration: by default 10
# minutes of 48 kHz in 8 channels, or of 192 kHz in 2. A file that declares its length is refused before it is decoded;
# one that does not is refused while it is, and is limited to 2 channels.
FULL_RATE, UNDECLARED_CHANNELS = 48_000, 2
# How many reads libsndfile may make: for each second allowed, and for each byte. It reads kilobytes at a time, or an
# MP3's frames, but it searches a damaged MP3 byte by byte: minutes for a file that takes a second when intact.
READS_PER_SECOND, READS_PER_BYTE = 200, 1 / 50
INT16_FULL_SCALE = np.float32(1 << 15)
UNKNOWN_FRAMES = 2**63 - 1  # libsndfile's SF_COUNT_MAX, for a stream whose header does not declare its length
# libsndfile's SF_ERR_UNRECOGNISED_FORMAT, and its SFE_BAD_FILE, which for an MP3 means that no frame was found.
UNRECOGNISED = (1, 7)


def decode(data: bytes, sample_rate: int, limits: Limits) -> NDArray[np.float32]:
    """Decode a WAV, FLAC, OGG or MP3 file to mono at the model's sample rate.

    Channels are averaged; the rate is converted by soxr at its HQ setting. Only the mono result at `sample_rate` is
    held in memory as a whole.

    Args:
        data: the whole file.
        sample_rate: of the result, Hz.
        limits: the maximum duration and number of channels.

    Returns:
        float32 [samples], at least one; full scale is [-1, 1].

    Raises:
        InputError: with the codes EMPTY_FILE, UNSUPPORTED_FORMAT, CORRUPT_AUDIO, EMPTY_AUDIO, AUDIO_TOO_LONG,
            TOO_MANY_SAMPLES, TOO_MANY_CHANNELS, UNSUPPORTED_SAMPLE_RATE or NON_FINITE_SAMPLES.
    """
    if not data:
        raise InputError("EMPTY_FILE", "The file is empty: 0 bytes.")
    if not _has_known_signature(data):
        raise _unsupported()
    if data.startswith(b"OggS"):
        ogg.check(data, limits.max_seconds)
    file = _File(data, max_reads=round(READS_PER_SECOND * limits.max_seconds + READS_PER_BYTE * len(data)))
    try:
        with _Stream(file) as source:
            _check(source, limits)
            samples = _mono(source, sample_rate, limits)
    except soundfile.LibsndfileError as error:
        if error.code in UNRECOGNISED:
            raise _unsupported() from error
        raise InputError("CORRUPT_AUDIO", f"The audio cannot be decoded: {error.error_string}") from error
    if file.reads_left < 0:
        raise InputError("CORRUPT_AUDIO", "The audio cannot be decoded: too much of the file is damaged.")
    if not np.isfinite(samples).all():
        raise InputError("NON_FINITE_SAMPLES", "The audio has samples that are not finite numbers (NaN or infinity).")
    return samples


class _Stream(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read once, from start to end.

    After each read soundfile seeks to the position it is at already, which fails in a FLAC stream that does not declare
    its length.
    """

    def seekable(self) -> bool:
        return False


class _File(io.BytesIO):
    """Bytes that end after `max_reads` reads."""

    def __init__(self, data: bytes, *, max_reads: int) -> None:
        super().__init__(data)
        self.reads_left = max_reads

    def readinto(self, buffer: Any) -> int:
        self.reads_left -= 1
        return super().readinto(buffer) if self.reads_left >= 0 else 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except (OverflowError, ValueError):  # a false header; soundfile would print a traceback
            return self.tell()


def _has_known_signature(data: bytes) -> bool:
    """Whether a file has the signature of WAV, FLAC, OGG or MP3; ID3 tags may precede FLAC and MP3."""
    start = 0
    for _ in range(MAX_ID3_TAGS):
        if not data.startswith(b"ID3", start):
            break
        size = 0
        for byte in data[start + 6 : start + 10]:
            size = size << 7 | byte & 0x7F
        start += 10 + size
    is_mpeg = data[start : start + 1] == b"\xff" and data[start + 1 : start + 2] >= b"\xe0"  # 11 bits set
    return is_mpeg or data.startswith(b"fLaC", start) or data.startswith(SIGNATURES)


def _unsupported() -> InputError:
    return InputError(
        "UNSUPPORTED_FORMAT", "The file is not recognised as audio; WAV, FLAC, OGG and MP3 are supported."
    )


def _check(source: soundfile.SoundFile, limits: Limits) -> None:
    """Refuse by the header alone, before any sample is decoded."""
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
        _check_length(source.frames, source, limits)


def _check_length(frames: int, source: soundfile.SoundFile, limits: Limits) -> None:
    rate = source.samplerate
    if frames > limits.max_seconds * rate:
        raise InputError(
            "AUDIO_TOO_LONG",
            f"The audio lasts {frames / rate:.1f} s or more; at most {limits.max_seconds:g} s are allowed.",
        )
    declared = source.frames != UNKNOWN_FRAMES
    max_samples = int(limits.max_seconds * FULL_RATE * (limits.max_channels if declared else UNDECLARED_CHANNELS))
    # Resampling takes time for each frame, so where the length is not declared a mono frame counts as a stereo one.
    if frames * (source.channels if declared else max(source.channels, UNDECLARED_CHANNELS)) > max_samples:
        raise InputError(
            "TOO_MANY_SAMPLES",
            f"The audio has {frames:,} frames or more of {source.channels} channels at {rate} Hz; "
            f"at most {max_samples:,} samples are allowed{'' if declared else ' where the length is not declared'}.",
        )


def _mono(source: soundfile.SoundFile, sample_rate: int, limits: Limits) -> NDArray[np.float32]:
    rate = source.samplerate
    resampler = None if rate == sample_rate else soxr.ResampleStream(rate, sample_rate, 1, quality="HQ")
    parts: list[NDArray[np.float32]] = []
    # libsndfile would convert 16-bit WAV to floats in pieces of 8 KB, each with a call into Python.
    as_int16 = source.subtype == "PCM_16" and source.format != "FLAC"
    # The same memory for every block: new pages would cost more time than the mixing.
    buffer = np.empty((BLOCK_FRAMES, source.channels), np.int16 if as_int16 else np.float32)
    frames, last = 0, False
    while not last:
        block = source.read(out=buffer)
        frames += len(block)
        _check_length(frames, source, limits)  # the header may not have declared it
        last = len(block) < BLOCK_FRAMES
        mono = _mix(block / INT16_FULL_SCALE if as_int16 else block)
        if resampler is not None:
            mono = resampler.resample_chunk(mono, last=last)
        elif not last:
            mono = mono.copy()  # the next block is read into the same memory
        parts.append(mono)
    if source.format == "FLAC" and frames < source.frames != UNKNOWN_FRAMES:
        raise InputError(
            "CORRUPT_AUDIO",
            f"The file ends after {frames / rate:.1f} s of the {source.frames / rate:.1f} s that it declares.",
        )
    samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if not samples.size:
        raise InputError("EMPTY_AUDIO", "The file has no audio: 0 samples.")
    return samples


def _mix(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the channels, float32 [frames, channels] to [frames]; a view where there is one channel.

    Channel by channel: `mean(axis=1)` takes about 30 times as long on such narrow rows, and a matrix product would
    start BLAS threads that wait for each other.
    """
    if block.shape[1] == 1:
        return block[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):  # samples that are not finite are refused later
        mono: NDArray[np.float32] = block[:, 0] + block[:, 1]
        for channel in range(2, block.shape[1]):
            mono += block[:, channel]
        mono /= block.shape[1]
    return mono
