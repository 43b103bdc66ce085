"""The files that are uploaded: short recordings of noise, and files that are not recordings."""

import io
import random
import wave

from benchmarks.soak.upload_plan import Kind
from crossover.paths import sources

SAMPLE_RATE = 16_000  # Hz
MAX_SECONDS = 1.5
FLAC = sources() / "model/samples/misc_crow.flac"


def make_content(kind: Kind, seed: str) -> bytes:
    """A file of this kind; a different one for each seed, unless it is empty."""
    chance = random.Random(seed)
    match kind:
        case Kind.AUDIO:
            return _noise(chance)
        case Kind.TEXT:
            return f"These are words, not audio. {chance.random()}".encode()
        case Kind.EMPTY:
            return b""
        case Kind.TRUNCATED:
            whole = FLAC.read_bytes()
            return whole[: int(len(whole) * chance.uniform(0.3, 0.9))]


def _noise(chance: random.Random) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(SAMPLE_RATE)
        recording.writeframes(chance.randbytes(2 * int(SAMPLE_RATE * chance.uniform(0.1, MAX_SECONDS))))
    return file.getvalue()
