"""One bad file, and the result that the decoder must give."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

# All codes that `audio.decode` raises.
CODES = {
    *("EMPTY_FILE", "UNSUPPORTED_FORMAT", "CORRUPT_AUDIO", "EMPTY_AUDIO", "AUDIO_TOO_LONG", "TOO_MANY_SAMPLES"),
    *("TOO_MANY_CHANNELS", "UNSUPPORTED_SAMPLE_RATE", "NON_FINITE_SAMPLES"),
}


@dataclass(frozen=True)
class BadFile:
    """A file and its result.

    Attributes:
        name: unique, and says what is wrong with it.
        data: its bytes.
        code: of the InputError; None where a lenient reader rightly gets audio out of it.
        why: it is readable; empty where it is not.
    """

    name: str
    data: bytes
    code: str | None
    why: str = ""


def noise(frames: int, channels: int = 1, seed: int = 0) -> NDArray[np.float32]:
    """Noise of amplitude 0.5, float32 [frames, channels]."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)


def encode(samples: NDArray[np.float32], rate: int = 16_000, **how: str) -> bytes:
    """What libsndfile writes; in pieces, since its Vorbis encoder keeps its input on the stack."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, samples.shape[1], **how) as out:
        for start in range(0, len(samples), 4096):
            out.write(samples[start : start + 4096])
    return file.getvalue()


def around(boundaries: Iterable[int], end: int) -> Iterator[int]:
    """Each boundary, with the byte before and after it, within 1 to `end` - 1."""
    return iter(sorted({cut for at in boundaries for cut in (at - 1, at, at + 1) if 0 < cut < end}))
