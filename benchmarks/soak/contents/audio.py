"""Short recordings of noise, and a recording that is cut off."""

import io
import random
import wave
from pathlib import Path

from benchmarks.soak.contents.contents import Contents
from benchmarks.soak.upload_plan import Kind
from crossover.paths import sources

SAMPLE_RATE = 16_000  # Hz
MAX_SECONDS = 1.5
FLAC = sources() / "model/samples/misc_crow.flac"


def contents(_: Path) -> Contents:
    """For any model of audio."""
    return Contents(
        suffix=".wav",
        make={Kind.GOOD: _noise, Kind.TRUNCATED: _truncated},
        codes={Kind.TEXT: "UNSUPPORTED_FORMAT", Kind.EMPTY: "EMPTY_FILE", Kind.TRUNCATED: "CORRUPT_AUDIO"},
    )


def _noise(chance: random.Random) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(SAMPLE_RATE)
        recording.writeframes(chance.randbytes(2 * int(SAMPLE_RATE * chance.uniform(0.1, MAX_SECONDS))))
    return file.getvalue()


def _truncated(chance: random.Random) -> bytes:
    whole = FLAC.read_bytes()
    return whole[: int(len(whole) * chance.uniform(0.3, 0.9))]
