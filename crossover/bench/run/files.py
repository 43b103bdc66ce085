"""The files that are uploaded: recordings cut and repeated to the wanted sizes; the same bytes every time."""

import hashlib
import io
import re
import wave
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from crossover.bench.run import flac
from crossover.errors import UsageError
from crossover.paths import sources

SAMPLES = sources() / "model/samples"
UNITS = {"B": 1, "KB": 1024, "MB": 1024**2}
MIN_BYTES = 1024
WAV_HEADER_BYTES = 44
# A recording that would last too long is written with more channels of the same sound: 8 are allowed.
CHANNEL_FACTORS = (1, 2, 4, 8)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What all variants accept: bytes of a file, s of audio, channels."""

    max_bytes: int = 200 * 1024**2
    max_seconds: float = 600.0
    max_channels: int = 8


class FileJson(TypedDict):
    """A file of the plan in a result."""

    name: str
    recording: str
    size_bytes: int
    seconds: float
    sha256: str


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of the plan.

    Attributes:
        name: the end of its key.
        recording: what it was made from.
        size_bytes: of it.
        seconds: how long it plays.
        content: the bytes; not part of the plan in the result.
    """

    name: str
    recording: str
    size_bytes: int
    seconds: float
    content: bytes = field(repr=False, compare=False)

    def to_json(self) -> FileJson:
        """The file in a result."""
        return {
            "name": self.name,
            "recording": self.recording,
            "size_bytes": self.size_bytes,
            "seconds": round(self.seconds, 3),
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }


def parse_sizes(text: str) -> list[int]:
    """Sizes such as 12KB,200KB,2MB, in bytes; KB and MB are powers of 1,024.

    Raises:
        UsageError: one is not a size, or there is none.
    """
    sizes = []
    for part in text.replace(",", " ").split():
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(B|KB|MB)", part)
        size = int(float(match[1]) * UNITS[match[2]]) if match else 0
        if not match or size < MIN_BYTES:
            raise UsageError(
                f"The size {part!r} is not a size; it must be at least {MIN_BYTES // 1024}KB, as in 12KB or 2MB."
            )
        sizes.append(size)
    if not sizes:
        raise UsageError("There is no size in --sizes; it must have one or more, as in 12KB,200KB,2MB.")
    return sizes


def make_files(
    recordings: Sequence[Path],
    sizes: Iterable[int],
    limits: Limits,
    *,
    announce: Callable[[str], None] = lambda _: None,
) -> list[File]:
    """A WAV and a FLAC of each size, where there is a recording of the kind; the recordings take turns.

    Args:
        recordings: audio files; those that are neither PCM in WAV nor FLAC cannot be cut and are left out.
        sizes: of the files, bytes; a FLAC has exactly this size, a WAV is at most a sample smaller.
        limits: what the variants accept.
        announce: told what is being made.

    Raises:
        UsageError: no recording can be cut, or a size is too large, too small or would last too long.
    """
    sources = {kind: [path for path in sorted(recordings) if _can_be_cut(path, kind)] for kind in _MAKERS}
    if not any(sources.values()):
        raise UsageError(
            f"None of the {len(recordings)} recordings can be cut: there must be one as WAV of PCM or as FLAC."
        )
    files = []
    for number, size in enumerate(sizes):
        if size > limits.max_bytes:
            raise UsageError(f"The size {name_of(size)} is over the variants' limit of {name_of(limits.max_bytes)}.")
        for kind, paths in sources.items():
            if paths:
                announce(f"{name_of(size)} of {kind}")
                files.append(_make(kind, paths, size, limits, turn=number))
    return files


def name_of(size: int) -> str:
    """A size in the largest unit that leaves no fraction: 12KB."""
    unit = next(unit for unit in ("MB", "KB", "B") if size % UNITS[unit] == 0)
    return f"{size // UNITS[unit]}{unit}"


def _make(kind: str, paths: Sequence[Path], size: int, limits: Limits, *, turn: int) -> File:
    """From the next recording in turn that fits."""
    problem = ""
    for offset in range(len(paths)):
        path = paths[(turn + offset) % len(paths)]
        try:
            content, seconds = _MAKERS[kind](path.read_bytes(), size, limits)
        except ValueError as error:
            problem = f"{path.name}: {error}"
            continue
        name = f"{name_of(size)}-{path.stem}.{kind}"
        return File(name=name, recording=path.name, size_bytes=len(content), seconds=seconds, content=content)
    raise UsageError(f"No {kind.upper()} of {name_of(size)} can be made ({problem}).")


def _can_be_cut(path: Path, kind: str) -> bool:
    if path.suffix.lower() != f".{kind}":
        return False
    try:
        if kind == "wav":
            with wave.open(str(path), "rb") as recording:
                return recording.getnframes() > 0
        flac.read(path.read_bytes())
    except (OSError, EOFError, wave.Error, flac.FlacError):
        return False
    return True


def _wav(data: bytes, size: int, limits: Limits) -> tuple[bytes, float]:
    with wave.open(io.BytesIO(data), "rb") as recording:
        channels, width, rate = recording.getnchannels(), recording.getsampwidth(), recording.getframerate()
        samples = recording.readframes(recording.getnframes())
    for factor in CHANNEL_FACTORS:
        block = factor * channels * width
        frames = (size - WAV_HEADER_BYTES) // block
        seconds = frames / rate
        if factor * channels > limits.max_channels:
            break
        if frames and seconds <= limits.max_seconds:
            needed = frames * channels * width
            cut = (samples * (needed // len(samples) + 1))[:needed]
            return _pack(_multiplied(cut, channels * width, factor), factor * channels, width, rate), seconds
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


def _flac(data: bytes, size: int, limits: Limits) -> tuple[bytes, float]:
    content, seconds = flac.write(flac.read(data), size)
    if seconds > limits.max_seconds:
        raise ValueError(f"it would last {seconds:,.0f} s; the variants' limit is {limits.max_seconds:g} s")
    return content, seconds


_MAKERS: dict[str, Callable[[bytes, int, Limits], tuple[bytes, float]]] = {"wav": _wav, "flac": _flac}
