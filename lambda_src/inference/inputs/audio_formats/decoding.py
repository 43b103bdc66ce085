"""Audio bytes to the waveform that a model takes: decode, mix down, resample."""

import contextlib
from collections.abc import Iterator
from copy import copy

import numpy as np
import soxr
from numpy.typing import NDArray

from ...input_error import InputError
from ..audio import AudioLimits
from . import ffmpeg_reader, ogg, sndfile_reader
from .kinds import audio_kind, other_kind, text_kind, without_tags
from .length import AudioLength, Channels

SUPPORTED = "WAV, FLAC, MP3, OGG (Vorbis, Opus), M4A, AAC, WebM and AMR are supported"
# Channels in antiphase cancel each other when they are mixed: one microphone wired the wrong way round is enough.
# Independent channels keep at least 1/channels of the loudest one's level, so a tenth of that is no mix of theirs.
CANCELLED = 0.1
# The signature, and the header of the first block, which always has 34 bytes.
FLAC_START, MAX_FLAC_FILES = b"fLaC\0\0\0\x22", 200
END = np.zeros(0, np.float32)
LEVEL_STEP = 61  # every so many samples are enough to tell a level


def decode(data: bytes, sample_rate: int, limits: AudioLimits) -> NDArray[np.float32]:
    """Decode a file to mono at the model's sample rate.

    Channels are averaged; the rate is converted by soxr at its HQ setting. Only the mono result at `sample_rate` is
    held in memory as a whole.

    Args:
        data: the whole file: WAV, FLAC, MP3, OGG, M4A, AAC, WebM or AMR.
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
    plain = without_tags(data)
    kind = audio_kind(plain)
    if kind:
        data = plain
    elif other := other_kind(plain):
        raise InputError("UNSUPPORTED_FORMAT", f"The file is {other}; {SUPPORTED}.")
    length = AudioLength(limits)
    parts = []
    for part in _split(data, kind, limits):
        samples, length = _read(part, kind, sample_rate, length)
        parts.append(samples)
    samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if not samples.size:
        raise InputError("EMPTY_AUDIO", "The file has no audio: 0 samples.")
    if not np.isfinite(samples).all():
        raise InputError("NON_FINITE_SAMPLES", "The audio has samples that are not finite numbers (NaN or infinity).")
    return samples


def _split(data: bytes, kind: str, limits: AudioLimits) -> list[bytes]:
    """Files that stand end to end, where each may have another rate or codec."""
    if kind == "OGG":
        return ogg.split(data, limits.max_seconds)
    if kind == "FLAC" and data.find(FLAC_START, 1) > 0:
        _, *parts = data.split(FLAC_START)
        if len(parts) > MAX_FLAC_FILES:
            message = f"The file holds {len(parts)} FLAC files end to end; at most {MAX_FLAC_FILES} are allowed."
            raise InputError("CORRUPT_AUDIO", message)
        return [FLAC_START + part for part in parts]
    return [data]


def _read(data: bytes, kind: str, sample_rate: int, length: AudioLength) -> tuple[NDArray[np.float32], AudioLength]:
    """The samples, and the length with them."""
    if kind in sndfile_reader.KINDS:
        with contextlib.suppress(sndfile_reader.NotReadWhole):
            attempt = copy(length)
            return _mono(sndfile_reader.read(data, kind, attempt), sample_rate), attempt
    try:
        return _mono(ffmpeg_reader.read(data, kind, length), sample_rate), length
    except ffmpeg_reader.UnknownFormat as error:
        if kind in ("", "MP3", "AAC"):  # whose signatures are two bytes only
            what = text_kind(data) or "not recognised as audio"
            raise InputError("UNSUPPORTED_FORMAT", f"The file is {what}; {SUPPORTED}.") from error
        raise InputError("CORRUPT_AUDIO", f"The {kind} file is damaged and cannot be decoded.") from error


def _mono(blocks: Iterator[tuple[int, Channels]], sample_rate: int) -> NDArray[np.float32]:
    """Mix and resample blocks, each with its rate in Hz, which may change."""
    parts: list[NDArray[np.float32]] = []
    resampler, rate = None, sample_rate
    for block_rate, channels in blocks:
        if block_rate != rate:
            if resampler is not None:
                parts.append(resampler.resample_chunk(END, last=True))
            rate = block_rate
            resampler = None if rate == sample_rate else soxr.ResampleStream(rate, sample_rate, 1, quality="HQ")
        mono = _mix(channels)
        parts.append(mono if resampler is None else resampler.resample_chunk(mono))
    if resampler is not None:
        parts.append(resampler.resample_chunk(END, last=True))
    return parts[0] if len(parts) == 1 else np.concatenate([END, *parts])


def _mix(channels: Channels) -> NDArray[np.float32]:
    """The mean of the channels, float32 [frames]; one channel alone is returned as it is.

    Where the channels cancel each other it is the loudest channel.

    Channel by channel: `mean` takes about 30 times as long on narrow rows, and a matrix product would start BLAS
    threads that wait for each other.
    """
    mono: NDArray[np.float32] = channels[0]
    if len(channels) == 1:
        return mono
    with np.errstate(over="ignore", invalid="ignore"):  # samples that are not finite are refused later
        mono = mono + channels[1]
        for channel in channels[2:]:
            mono += channel
        mono /= len(channels)
        levels = [_level(channel) for channel in channels]
        loudest = max(levels)
        if _level(mono) < CANCELLED / len(channels) * loudest:
            mono = channels[levels.index(loudest)].copy()
    return mono


def _level(samples: NDArray[np.float32]) -> float:
    """Root of the mean square, of some samples."""
    some = samples[::LEVEL_STEP]
    return float(np.sqrt(np.einsum("i,i", some, some) / max(len(some), 1)))
