"""Reads plain WAV, FLAC and MP3 with libsndfile, which is faster than FFmpeg and imported sooner."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import soundfile

from ...input_error import InputError
from . import wav
from .length import AudioLength, Channels

KINDS = ("WAV", "FLAC", "MP3")
# Frames decoded at a time, so that a long file is never in memory whole, with all its channels at its own rate. Half as
# many are as fast in stereo at 48 kHz, but split a short clip in two.
BLOCK_FRAMES = 1 << 17
# How many reads libsndfile may make: for each second allowed, and for each byte. It reads kilobytes at a time, or an
# MP3's frames, but it searches a damaged MP3 byte by byte: minutes for a file that takes a second when intact.
READS_PER_SECOND, READS_PER_BYTE = 200, 1 / 50
INT16_FULL_SCALE = np.float32(1 << 15)
MIN_MP3_SHARE = 0.9  # of the guessed length
UNKNOWN_FRAMES = 2**63 - 1  # libsndfile's SF_COUNT_MAX, for a stream whose header does not declare its length


class NotReadWhole(Exception):  # noqa: N818  # no error: another reader is tried
    """libsndfile cannot read this file, or reads only a part of it."""


def read(data: bytes, kind: str, length: AudioLength) -> Iterator[tuple[int, Channels]]:
    """The samples of a file, as blocks.

    Args:
        data: the whole file.
        kind: one of KINDS.
        length: counts the samples.

    Yields:
        The rate in Hz, and for each channel float32 [frames]; where there are several, the next block is read into the
        same memory.

    Raises:
        NotReadWhole: another reader may do better. Blocks that were yielded before are of no use then.
        InputError: as `AudioLength` raises it, and CORRUPT_AUDIO or UNSUPPORTED_FORMAT.
    """
    declared, rate, guessed = None, 1, 0
    if kind == "WAV" and not wav.parse(data).is_plain:
        raise NotReadWhole
    if kind == "FLAC":
        data, declared = _without_declared_length(data)
        if declared is None:  # what is damaged in it would be passed over
            raise NotReadWhole
    file = _File(data, max_reads=round(READS_PER_SECOND * length.limits.max_seconds + READS_PER_BYTE * len(data)))
    try:
        with _Stream(file) as source:
            if kind == "WAV" and source.frames != UNKNOWN_FRAMES:
                declared = source.frames
            rate, guessed = source.samplerate, source.frames
            length.begin(rate=rate, channels=source.channels, frames=declared)
            yield from _blocks(source, length)
    except soundfile.LibsndfileError as error:
        if file.reads_left >= 0:
            raise NotReadWhole from error
    if file.reads_left < 0:
        raise InputError("CORRUPT_AUDIO", "The audio cannot be decoded: too much of the file is damaged.")
    if not length.frames:
        raise NotReadWhole
    # libsndfile stops at the length of an MP3 that it reads in the first frame or guesses by it, whatever follows; and
    # it passes over what is damaged.
    if kind == "MP3" and (file.tell() < len(data) or length.frames < MIN_MP3_SHARE * guessed):
        raise NotReadWhole
    if kind == "FLAC" and declared and length.frames < declared:
        raise InputError(
            "CORRUPT_AUDIO",
            f"The file ends after {length.seconds:.1f} s of the {declared / rate:.1f} s that it declares.",
        )


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


def _blocks(source: soundfile.SoundFile, length: AudioLength) -> Iterator[tuple[int, Channels]]:
    # libsndfile would convert 16-bit WAV to floats in pieces of 8 KB, each with a call into Python.
    as_int16 = source.subtype == "PCM_16" and source.format != "FLAC"
    is_mono = source.channels == 1
    # The same memory for every block: new pages would cost more time than the mixing.
    floats = np.empty((BLOCK_FRAMES, source.channels), np.float32)
    buffer = np.empty((BLOCK_FRAMES, source.channels), np.int16) if as_int16 else floats
    frames = BLOCK_FRAMES
    while frames == BLOCK_FRAMES:
        frames = len(source.read(out=buffer))
        length.add(frames)
        block = buffer[:frames]
        # One channel is passed on as it is, so it needs memory of its own.
        if as_int16:
            block = np.divide(block, INT16_FULL_SCALE, out=None if is_mono else floats[:frames])
        elif is_mono:
            block = block.copy()
        yield source.samplerate, list(block.T)


def _without_declared_length(data: bytes) -> tuple[bytes, int | None]:
    """A FLAC file whose header declares no length, since libFLAC would stop there; and that length in frames, if any.

    https://www.rfc-editor.org/rfc/rfc9639.html#name-streaminfo: 36 bits, the last of which end at byte 26.
    """
    head, bits = data[:21], int.from_bytes(data[21:26], "big")
    frames = bits & (1 << 36) - 1
    return (head + (bits - frames).to_bytes(5, "big") + data[26:] if frames else data), frames or None
