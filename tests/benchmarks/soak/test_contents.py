"""The files, decoded by the handlers' decoder."""

import pytest

from benchmarks.soak.contents import make_content
from benchmarks.soak.upload_plan import Kind
from inference.input_error import InputError
from inference.inputs.audio import AudioLimits
from inference.inputs.audio_formats import decoding as audio


@pytest.mark.parametrize("seed", range(10))
def test_recordings_are_decoded_and_short(seed: int) -> None:
    waveform = audio.decode(make_content(Kind.AUDIO, str(seed)), 16_000, AudioLimits())
    assert 1_000 < len(waveform) < 30_000


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.EMPTY, Kind.TRUNCATED])
@pytest.mark.parametrize("seed", range(10))
def test_bad_files_are_refused_with_the_code_that_the_soak_expects(kind: Kind, seed: int) -> None:
    with pytest.raises(InputError) as refusal:
        audio.decode(make_content(kind, str(seed)), 16_000, AudioLimits())
    assert refusal.value.code == kind.value


@pytest.mark.parametrize("kind", [Kind.AUDIO, Kind.TEXT, Kind.TRUNCATED])
def test_each_seed_gives_its_own_file_reproducibly(kind: Kind) -> None:
    assert make_content(kind, "1") == make_content(kind, "1") != make_content(kind, "2")
