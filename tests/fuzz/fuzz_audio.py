"""`audio.decode` gives finite mono samples within the limits or raises a known InputError, whatever the bytes."""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import atheris
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]

with atheris.instrument_imports(include=["inference"]):
    from inference.input_error import InputError
    from inference.inputs.audio import AudioLimits
    from inference.inputs.audio_formats import decoding as audio
    from inference.inputs.audio_formats import ogg

from tests.fuzz import target  # noqa: E402
from tests.lambda_src.bad_files import corpus  # noqa: E402
from tests.lambda_src.bad_files.bad_file import CODES  # noqa: E402

RATE = 16_000
LIMITS = AudioLimits(max_seconds=20.0)  # little, so that no input takes long
HEAD_BYTES = 16_000


def check(data: bytes) -> None:
    try:
        samples = audio.decode(data, RATE, LIMITS)
    except InputError as error:
        assert error.code in CODES, error
        assert error.message.endswith("."), error
        return
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert 0 < len(samples) <= LIMITS.max_seconds * RATE + 1
    assert np.isfinite(samples).all()


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """libFuzzer's change, but with the checksums that OGG's pages must have; or none would get further."""
    changed = atheris.Mutate(data, max_size)
    return with_checksums(changed) if seed % 8 else changed


def with_checksums(data: bytes) -> bytes:
    out, position = bytearray(data), 0
    while data.startswith(b"OggS", position) and position + 27 < len(data):
        count = data[position + 26]
        end = position + 27 + count + sum(data[position + 27 : position + 27 + count])
        out[position + 22 : position + 26] = bytes(4)
        struct.pack_into("<I", out, position + 22, ogg._checksum(bytes(out[position:end])))
        position = end
    return bytes(out)


def seeds() -> Iterator[bytes]:
    """The heads of real recordings, and the bad files that are small."""
    for path in sorted((ROOT / "model/samples").glob("*.[wf]*")):
        yield path.read_bytes()[:HEAD_BYTES]
    yield from (file.data for file in corpus.files() if len(file.data) <= HEAD_BYTES)


if __name__ == "__main__":
    target.run("audio", check, seeds(), custom_mutator=mutate)
