"""Reads audio of all kinds with FFmpeg, through PyAV (docs/decisions/0016-audio-by-ffmpeg.md)."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...input_error import InputError
from . import mp4, wav
from .length import AudioLength, Channels

if TYPE_CHECKING:
    import av

# FFmpeg has hundreds of demuxers and decoders; only these few are given untrusted files.
FORMATS = ("wav", "flac", "mp3", "ogg", "aac", "mov", "matroska", "amr")
PCM = ("u8", "s16le", "s24le", "s32le", "f24le", "f32le", "f64le", "s16be", "s24be", "s32be", "alaw", "mulaw")
CODECS = (
    *(f"pcm_{name}" for name in PCM),
    *("adpcm_ms", "adpcm_ima_wav", "g726", "gsm_ms"),
    *("mp3float", "mp2", "mp2float", "mp1", "mp1float", "aac", "vorbis", "opus", "flac", "alac", "amrnb", "amrwb"),
)
# The protocol is none that exists, so that no file can make FFmpeg open another.
OPTIONS = {"format_whitelist": ",".join(FORMATS), "codec_whitelist": ",".join(CODECS), "protocol_whitelist": "none"}
BLOCK_FRAMES = 1 << 17  # in which the frames of a codec, of some thousand samples, are collected
# Opus has at most 400 packets a second; a file of more is one that was made to take long. The length is counted in
# blocks, so some more may come before a file is found too long.
MAX_PACKETS_PER_SECOND, MORE_SECONDS = 400, 5
# A damaged packet costs a listener a moment; but a part must not be taken for the whole.
MAX_MISSING_SHARE, MAX_MISSING_SECONDS = 0.1, 0.2
# In these nothing declares the length, and what is damaged is passed over without an error.
MIN_COVERED_SHARES = {"mp3": 0.9, "aac": 0.9, "amr": 0.9, "matroska,webm": 0.5}  # each Matroska packet has a header
# From 8 planes on, PyAV 18.1 looks for the end of a frame's list of planes behind it, which crashes the process.
MAX_PLANES = 7
MICROSECONDS = 1_000_000  # FFmpeg's unit for the duration of a file
FULL_SCALE = {"uint8": 1 << 7, "int16": 1 << 15, "int32": 1 << 31}


class UnknownFormat(Exception):  # noqa: N818  # the caller knows how to name the file
    """FFmpeg finds none of the formats in the file."""


def read(data: bytes, kind: str, length: AudioLength) -> Iterator[tuple[int, Channels]]:
    """The samples of a file, as blocks.

    Args:
        data: the whole file.
        kind: as `kinds.audio_kind` names it; empty where FFmpeg has to find out.
        length: counts the samples.

    Yields:
        The rate in Hz, and for each channel float32 [frames].

    Raises:
        UnknownFormat: FFmpeg does not recognise the file.
        InputError: as `AudioLength` raises it, and UNSUPPORTED_FORMAT, EMPTY_AUDIO or CORRUPT_AUDIO.
    """
    import av  # takes tens of milliseconds, which a cold start with a plain file does without
    import av.logging

    av.logging.set_level(None)
    options = OPTIONS
    match kind:
        case "MP4":
            mp4.check(data)
        case "WAV" if wav.parse(data).is_unfinished:
            options = OPTIONS | {"ignore_length": "1"}
    try:
        container = av.open(io.BytesIO(data), options=options, metadata_errors="ignore")
    except av.FFmpegError as error:
        raise UnknownFormat from error
    with container:
        try:
            yield from _Audio(container, length, len(data.rstrip(b"\0"))).blocks()  # type: ignore[arg-type]  # it was opened for reading
        except av.FFmpegError as error:
            raise InputError("CORRUPT_AUDIO", f"The audio cannot be decoded: {error.strerror}.") from error


class _Audio:
    """The first audio stream of an opened file, and how much of it is missing."""

    def __init__(self, container: "av.container.InputContainer", length: AudioLength, size: int) -> None:
        if not container.streams.audio:
            raise InputError("UNSUPPORTED_FORMAT", f"The file has no audio; it is {container.format.long_name}.")
        self.stream = container.streams.audio[0]
        codec = self.stream.codec_context
        if codec is None or codec.name not in CODECS:
            name = f"coded as {codec.codec.long_name}" if codec else "of an unknown codec"
            raise InputError("UNSUPPORTED_FORMAT", f"The audio is {name}, which is not supported.")
        self.tick = float(self.stream.time_base or 0)  # seconds
        self.container = container
        self.format = container.format.name
        self.size = size  # bytes, without zeros at the end
        self.length = length
        self.seconds_before = length.seconds
        self.max_packets = MAX_PACKETS_PER_SECOND * (length.limits.max_seconds + MORE_SECONDS)
        self.packets = self.audio_packets = self.damaged_packets = self.packet_bytes = 0
        self.first_byte: int | None = None  # of the first packet: large tags may stand before it
        self.gap_seconds = 0.0

    def blocks(self) -> Iterator[tuple[int, Channels]]:
        import av

        fifo, codec = av.AudioFifo(), self.stream.codec_context
        if codec.sample_rate > 0:
            self.length.begin(rate=codec.sample_rate, channels=codec.layout.nb_channels, frames=None)
        kind = None
        for frame in self._frames():
            # AudioFifo would read channels that a frame does not have, which crashes the process.
            if kind != (kind := (frame.format.name, frame.layout.nb_channels, frame.sample_rate)):
                yield from self._block(fifo)
                fifo = av.AudioFifo()
            fifo.write(frame)
            if fifo.samples >= BLOCK_FRAMES:
                yield from self._block(fifo)
        yield from self._block(fifo)
        self._check_that_nothing_is_missing()

    def _block(self, fifo: "av.AudioFifo") -> Iterator[tuple[int, Channels]]:
        """All that is in the fifo."""
        frame = fifo.read()
        if frame is not None:
            rate, channels = frame.sample_rate, frame.layout.nb_channels
            if (rate, channels) != (self.length.rate, self.length.channels):
                # FFmpeg guesses the length where it is not declared, so only what is decoded counts.
                self.length.begin(rate=rate, channels=channels, frames=None)
            self.length.add(frame.samples)
            yield rate, _channels(frame)

    def _frames(self) -> Iterator["av.AudioFrame"]:
        """Every frame, without its time. What is done here is done some hundred times for each second of audio."""
        import av

        decode, index, expected = self.stream.codec_context.decode, self.stream.index, None
        for packet in self.container.demux():
            self.packets += 1
            if self.packets > self.max_packets:
                raise InputError("CORRUPT_AUDIO", f"The audio is cut into more than {self.max_packets:.0f} packets.")
            self.packet_bytes += packet.size
            if self.first_byte is None:
                self.first_byte = packet.pos
            if packet.stream_index != index:
                continue
            self.audio_packets += 1
            try:
                frames = decode(packet)
            except av.FFmpegError:  # in one packet is no reason to lose the others
                self.damaged_packets += 1
                self.packet_bytes -= packet.size
                continue
            for frame in frames:
                time = frame.time
                if time is not None:
                    if expected is not None and time > expected:
                        self.gap_seconds += time - expected
                    expected = time + frame.samples / frame.sample_rate
                    frame.pts = None  # AudioFifo refuses a gap
                yield frame

    def _check_that_nothing_is_missing(self) -> None:
        heard = self.length.seconds - self.seconds_before
        declared = (self.stream.duration or 0) * self.tick
        missing = heard * self.damaged_packets / max(self.audio_packets, 1)
        allowed = max(MAX_MISSING_SHARE * heard, MAX_MISSING_SECONDS)
        if self.format == "flac":  # where every frame has a checksum and a number
            allowed = 0.001
            missing = max(declared - heard, 0.0) if declared else max(missing, self.gap_seconds)
        elif self.format.startswith("matroska"):  # whose recorders may leave silence out
            missing = max(missing, (self.container.duration or 0) / MICROSECONDS - heard - self.gap_seconds)
        else:
            missing = max(missing, self.gap_seconds)
        if missing > allowed:
            raise InputError(
                "CORRUPT_AUDIO", f"The audio is damaged: {missing:.1f} s of {heard + missing:.1f} s cannot be decoded."
            )
        if not heard and self.damaged_packets:
            raise InputError("CORRUPT_AUDIO", "The audio is damaged: nothing of it can be decoded.")
        if not heard:
            raise InputError("EMPTY_AUDIO", "The file has no audio: 0 samples.")
        size = self.size - (self.first_byte or 0)
        if self.packet_bytes < MIN_COVERED_SHARES.get(self.format, 0.0) * size:
            raise InputError(
                "CORRUPT_AUDIO", f"The audio is damaged: only {self.packet_bytes:,} of {size:,} bytes can be read."
            )


def _channels(frame: Any) -> Channels:
    """The channels of a frame of any sample format."""
    count = frame.layout.nb_channels
    if frame.format.is_planar and count > MAX_PLANES:
        import av

        (frame,) = av.AudioResampler(format=frame.format.packed).resample(frame)
    if frame.format.name == "fltp":  # what most decoders give: no copy
        return [np.frombuffer(plane, np.float32, frame.samples) for plane in frame.planes]
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, count).T
    with np.errstate(over="ignore"):  # samples that are not finite are refused later
        floats: NDArray[np.float32] = samples.astype(np.float32, copy=False)
    if samples.dtype.kind != "f":
        floats = floats / np.float32(FULL_SCALE[samples.dtype.name])
    return list(floats - 1 if samples.dtype == np.uint8 else floats)
