"""Audio: recordings cut and repeated."""

import io
import wave
from typing import Any

from crossover.bench.run.contents import flac
from crossover.bench.run.contents.content import Content, Facts, Format
from crossover.cost.kinds import scenario_of
from crossover.paths import sources

WAV_HEADER_BYTES = 44
# A recording that would last too long is written with more channels of the same sound: 8 are allowed.
CHANNEL_FACTORS = (1, 2, 4, 8)
CLIP_SECONDS = 7.1
"""Of the clip that the cost model's CPU time was measured with."""


def _wav_facts(data: bytes) -> Facts:
    try:
        with wave.open(io.BytesIO(data), "rb") as recording:
            frames, rate = recording.getnframes(), recording.getframerate()
    except (EOFError, wave.Error) as error:
        raise ValueError(f"it is not PCM: {error}") from error
    if not frames:
        raise ValueError("it holds no audio")
    return {"seconds": round(frames / rate, 3)}


def _wav(data: bytes, size: int, limits: Any) -> bytes:
    """At most a sample smaller than `size`."""
    with wave.open(io.BytesIO(data), "rb") as recording:
        channels, width, rate = recording.getnchannels(), recording.getsampwidth(), recording.getframerate()
        samples = recording.readframes(recording.getnframes())
    for factor in CHANNEL_FACTORS:
        block = factor * channels * width
        frames = (size - WAV_HEADER_BYTES) // block
        if factor * channels > limits.max_channels:
            break
        if frames and frames / rate <= limits.max_seconds:
            needed = frames * channels * width
            cut = (samples * (needed // len(samples) + 1))[:needed]
            return _pack(_multiplied(cut, channels * width, factor), factor * channels, width, rate)
    raise ValueError(f"it would last longer than the variants' limit of {limits.max_seconds:g} s")


def _multiplied(samples: bytes, block: int, factor: int) -> bytes:
    """Every frame's channels, repeated `factor` times."""
    if factor == 1:
        return samples
    return b"".join(samples[start : start + block] * factor for start in range(0, len(samples), block))


def _pack(samples: bytes, channels: int, width: int, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(samples)
    return file.getvalue()


def _flac_facts(data: bytes) -> Facts:
    source = flac.read(data)
    return {"seconds": round(len(source.frames) * source.block_size / source.sample_rate, 3)}


def _flac(data: bytes, size: int, limits: Any) -> bytes:
    content, seconds = flac.write(flac.read(data), size)
    if seconds > limits.max_seconds:
        raise ValueError(f"it would last {seconds:,.0f} s; the variants' limit is {limits.max_seconds:g} s")
    return content


def _cpu_seconds(facts: Facts) -> float:
    return float(scenario_of("audio").cpu_seconds) * facts.get("seconds", CLIP_SECONDS) / CLIP_SECONDS


CONTENT = Content(
    formats=(
        Format(suffix=".wav", facts=_wav_facts, resize=_wav),
        Format(suffix=".flac", facts=_flac_facts, resize=_flac),
    ),
    made_of="WAV of PCM or FLAC",
    samples=sources() / "model/samples",
    sizes="12KB,200KB,2MB,25MB",
    cpu_seconds=_cpu_seconds,
)
