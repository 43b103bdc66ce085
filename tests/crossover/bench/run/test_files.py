"""The files that are uploaded: of the sizes that were asked for, playable, and the same every time."""

import hashlib
import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from crossover.bench.run.contents import CONTENTS, flac
from crossover.bench.run.contents.content import ORIGINAL
from crossover.bench.run.files import File, make_files, name_of, parse_sizes
from crossover.errors import UsageError
from crossover.inputs import input_files
from crossover.paths import sources

from .fakes import AudioLimits as Limits

SAMPLES = sources() / "model/samples"
RECORDINGS = input_files([SAMPLES], "audio")
SPEECH = SAMPLES / "sense_and_sensibility_01_austen_64kb-0870.wav"


def make(*recordings: Path, sizes: str = "12KB", limits: Any = Limits()) -> list[File]:  # noqa: B008
    return make_files("audio", recordings, parse_sizes(sizes), limits)


def decoded(file: File) -> tuple[np.ndarray, int]:
    read: tuple[np.ndarray, int] = soundfile.read(io.BytesIO(file.content), always_2d=True)
    return read


def write_wav(path: Path, *, channels: int = 1, width: int = 2, rate: int = 16_000, frames: int = 1600) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(np.random.default_rng(0).bytes(channels * width * frames))
    return path


def test_each_size_is_made_as_wav_and_flac_with_the_stated_duration() -> None:
    files = make(*RECORDINGS, sizes="12KB,200KB,1.5MB")
    assert [(file.size_bytes, Path(file.name).suffix) for file in files] == [
        (size, suffix) for size in (12 * 1024, 200 * 1024, 1536 * 1024) for suffix in (".wav", ".flac")
    ]
    assert len({file.source for file in files if file.name.endswith("flac")}) == 3  # they take turns
    for file in files:
        samples, rate = decoded(file)
        assert len(file.content) == file.size_bytes
        assert len(samples) / rate == pytest.approx(file.facts["seconds"], abs=1e-3)
        assert np.abs(samples).max() > 0.01


def test_files_have_the_same_bytes_every_time() -> None:
    first, second = make(*RECORDINGS, sizes="12KB,100KB"), make(*reversed(RECORDINGS), sizes="12KB,100KB")
    assert [file.to_json() for file in first] == [file.to_json() for file in second]
    assert first[0].to_json()["sha256"] == hashlib.sha256(first[0].content).hexdigest()


def test_a_wav_is_cut_from_the_beginning_and_then_repeated(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", frames=1000)
    whole, _ = soundfile.read(source, always_2d=True)
    [file] = make(source, sizes="5KB")
    samples, _ = decoded(file)
    assert np.array_equal(samples[:1000], whole)
    assert np.array_equal(samples[1000:2000], whole)
    assert len(samples) == (5 * 1024 - 44) // 2


def test_a_flac_is_whole_frames_repeated_and_keeps_every_sample() -> None:
    source = SAMPLES / "misc_crow.flac"  # 0.48 s: five whole blocks of 4,096 samples
    whole, _ = soundfile.read(source, always_2d=True)
    [file] = make(source, sizes="60KB")
    samples, _ = decoded(file)
    assert len(samples) > 2 * 5 * 4096
    assert np.array_equal(samples[: 5 * 4096], whole[: 5 * 4096])
    assert np.array_equal(samples[5 * 4096 : 10 * 4096], whole[: 5 * 4096])


@pytest.mark.parametrize("name", sorted(path.name for path in RECORDINGS if path.suffix == ".flac"))
def test_every_flac_of_the_project_can_be_cut(name: str) -> None:
    """More than 128 frames, so that their numbers take two bytes."""
    content, seconds = flac.write(flac.read((SAMPLES / name).read_bytes()), 2 * 1024**2)
    samples, rate = soundfile.read(io.BytesIO(content))
    assert len(content) == 2 * 1024**2
    assert len(samples) / rate == pytest.approx(seconds)


@pytest.mark.parametrize("rate", [8000, 11_025, 12_000, 44_100, 96_000])
def test_frames_of_every_sample_rate_code_can_be_renumbered(tmp_path: Path, rate: int) -> None:
    """Rates that are not among the usual ones stand in the frames' headers, in one or two bytes."""
    source = tmp_path / "a.flac"
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 20_000)
    soundfile.write(source, samples, rate)
    whole, _ = soundfile.read(source)
    content, seconds = flac.write(flac.read(source.read_bytes()), 2 * 1024**2)
    made, made_rate = soundfile.read(io.BytesIO(content))
    assert made_rate == rate
    assert len(made) / rate == pytest.approx(seconds)
    assert len(made) > 128 * 4096  # so that numbers take two bytes
    assert np.array_equal(made, np.resize(whole[: 4 * 4096], len(made)))  # without the shorter block at the end


def test_a_file_that_would_last_too_long_gets_more_channels(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav")
    [file] = make(source, sizes="100KB", limits=Limits(max_seconds=1.0))
    samples, rate = decoded(file)
    assert samples.shape[1] == 4  # 3.2 s on one channel, 1.6 s on two
    assert len(samples) / rate <= 1.0
    assert np.array_equal(samples[:, 0], samples[:, 3])
    assert np.array_equal(samples[:100, 0], soundfile.read(source)[0][:100])


def test_the_next_recording_is_taken_where_one_does_not_fit(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", rate=1000)
    write_wav(tmp_path / "b.wav", rate=48_000)
    [file] = make(tmp_path / "a.wav", tmp_path / "b.wav", sizes="100KB", limits=Limits(max_seconds=2.0))
    assert file.source == "b.wav"


def test_recordings_that_cannot_be_cut_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"ID3")
    (tmp_path / "b.flac").write_bytes(b"fLaC and nothing else")
    (tmp_path / "c.wav").write_bytes(b"no audio")
    [file] = make(*tmp_path.iterdir(), SPEECH)
    assert file.source == SPEECH.name
    with pytest.raises(UsageError, match="of none of the 3 samples: there must be WAV of PCM or FLAC"):
        make(*tmp_path.iterdir())


@pytest.mark.parametrize(
    ("recording", "sizes", "limits", "named"),
    [
        (SPEECH, "300MB", Limits(), "The size 300MB is over the variants' limit of 200MB"),
        (SPEECH, "1MB", Limits(max_seconds=1), r"No WAV of 1MB can be made \(.*longer than the variants' limit of 1 s"),
        (SAMPLES / "misc_crow.flac", "1KB", Limits(), "No FLAC of 1KB can be made .*not even one of its frames fits"),
        (SAMPLES / "misc_crow.flac", "1MB", Limits(max_seconds=3), "it would last .* s; the variants' limit is 3 s"),
    ],
)
def test_refuses_invalid_values_by_name(recording: Path, sizes: str, limits: Any, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        make(recording, sizes=sizes, limits=limits)


def test_samples_are_uploaded_as_they_are_where_that_is_asked_for(tmp_path: Path) -> None:
    mp3 = tmp_path / "a.mp3"
    mp3.write_bytes(b"ID3")
    files = make(mp3, SPEECH, sizes="original")
    facts = {file.content: file.facts for file in files}
    assert facts == {mp3.read_bytes(): {}, SPEECH.read_bytes(): {"seconds": 7.1}}  # it reads only what it can make
    assert all(file.is_original for file in files)
    assert not make(SPEECH)[0].is_original
    with pytest.raises(UsageError, match=r"a\.mp3 has 3 bytes; the variants take from 1 to 2"):
        make(mp3, sizes="original", limits=Limits(max_bytes=2))


def test_sizes_are_powers_of_1024() -> None:
    assert parse_sizes("12KB,0.5MB 2048B original") == [12_288, 524_288, 2048, ORIGINAL]
    assert [parse_sizes(content.sizes) for content in CONTENTS.values()]
    assert [name_of(size) for size in (12_288, 25 * 1024**2, 1500)] == ["12KB", "25MB", "1500B"]


@pytest.mark.parametrize("text", ["", "12", "12kb", "-1KB", "1000B", "0KB", "big"])
def test_refuses_what_is_not_a_size(text: str) -> None:
    with pytest.raises(UsageError, match=r"The size .* is not a size|There is no size"):
        parse_sizes(text)


def broken(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([data[at] ^ value]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"RIFF", "not FLAC"),
        (b"fLaC" + bytes(60), "no audio|different sizes|shorter"),
        (broken((SAMPLES / "misc_crow.flac").read_bytes(), 9_000, 1), "damaged"),
        (broken((SAMPLES / "misc_crow.flac").read_bytes(), 9, 1), "different sizes"),
    ],
)
def test_the_error_says_why_a_flac_cannot_be_cut(data: bytes, named: str) -> None:
    with pytest.raises(flac.FlacError, match=named):
        flac.read(data)
