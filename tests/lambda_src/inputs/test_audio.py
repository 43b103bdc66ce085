"""Real and generated audio in every format that users send."""

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from inference.input_error import InputError
from inference.inputs.audio import AudioLimits
from inference.inputs.audio_formats import decoding as audio
from inference.inputs.audio_formats import ffmpeg_reader, sndfile_reader
from inference.inputs.audio_formats.length import AudioLength

from ..bad_files import mp3, not_audio, ogg, phones
from ..conftest import AUDIO, SPEECH

RATE = 16_000
LIMITS = AudioLimits()


def tone(seconds: float = 1.0, *, rate: int = RATE, channels: int = 1, hertz: float = 440.0) -> np.ndarray:
    """A sine of amplitude 0.5, float32 [samples, channels]."""
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def encode(samples: np.ndarray, rate: int = RATE, **how: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **how)
    return file.getvalue()


def refusal(data: bytes, limits: AudioLimits = LIMITS) -> InputError:
    with pytest.raises(InputError) as caught:
        audio.decode(data, RATE, limits)
    return caught.value


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_wav_of_every_depth(subtype: str) -> None:
    decoded = audio.decode(encode(tone(), format="WAV", subtype=subtype), RATE, LIMITS)
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, tone()[:, 0], atol=1 / 127 if subtype == "PCM_U8" else 1e-4)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "RIFX", "FLAC"])
def test_16_bit_samples_become_the_same_floats_as_libsndfiles(
    container: str, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = np.random.default_rng(3).integers(-(2**15), 2**15, (40_000, channels), np.int16)
    endian = {"endian": "BIG"} if container == "RIFX" else {}
    data = encode(samples, RATE, format=container.replace("RIFX", "WAV"), subtype="PCM_16", **endian)
    monkeypatch.setattr(sndfile_reader, "BLOCK_FRAMES", 15_000)
    floats, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    total = floats[:, 0].copy()
    for channel in range(1, channels):
        total += floats[:, channel]
    np.testing.assert_array_equal(audio.decode(data, RATE, LIMITS), total / np.float32(channels))


def test_16_bit_wav_is_read_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []

    class Counted(sndfile_reader._File):
        def readinto(self, buffer: Any) -> int:
            reads[-1] += 1
            return super().readinto(buffer)

    monkeypatch.setattr(sndfile_reader, "_File", Counted)
    for seconds in (0.1, 8):
        reads.append(0)
        audio.decode(encode(tone(seconds), format="WAV", subtype="PCM_16"), RATE, LIMITS)
    assert reads[1] <= reads[0] + 1


@pytest.mark.parametrize("channels", range(1, 9))
def test_channels_are_averaged(channels: int) -> None:
    samples = tone(channels=channels) * np.linspace(0.2, 1.0, channels, dtype=np.float32)
    decoded = audio.decode(encode(samples, format="WAV", subtype="FLOAT"), RATE, LIMITS)
    np.testing.assert_allclose(decoded, samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize(
    "how", [{"format": "FLAC"}, {"format": "OGG"}, {"format": "MP3"}, {"format": "OGG", "subtype": "OPUS"}]
)
def test_compressed_formats_sound_like_the_original(how: dict[str, str]) -> None:
    original, _ = soundfile.read(SPEECH, dtype="float32")
    decoded = audio.decode(encode(original, RATE, **how), RATE, LIMITS)
    assert abs(len(decoded) - len(original)) < RATE / 10
    volume = np.sqrt(np.mean(original**2))
    assert np.sqrt(np.mean(decoded**2)) == pytest.approx(volume, rel=0.1)


@pytest.mark.parametrize("rate", [1_000, 8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000, 384_000])
def test_every_sample_rate_keeps_duration_and_pitch(rate: int) -> None:
    decoded = audio.decode(encode(tone(2, rate=rate, hertz=300), rate, format="WAV"), RATE, LIMITS)
    assert len(decoded) == pytest.approx(2 * RATE, abs=1)
    spectrum = np.abs(np.fft.rfft(decoded[:RATE]))  # one second: bins of 1 Hz
    assert int(spectrum.argmax()) == 300


def test_decoding_in_several_blocks_gives_the_same_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(tone(3, rate=44_100, channels=2), 44_100, format="FLAC")
    whole = audio.decode(data, RATE, LIMITS)
    monkeypatch.setattr(sndfile_reader, "BLOCK_FRAMES", 10_000)
    np.testing.assert_allclose(audio.decode(data, RATE, LIMITS), whole, atol=1e-6)


@pytest.mark.parametrize("seconds", [1 / RATE, 0.1, 0.5])
def test_short_clips_are_decoded(seconds: float) -> None:
    assert len(audio.decode(encode(tone(seconds), format="WAV"), RATE, LIMITS)) == round(seconds * RATE)


def test_ten_minutes_are_decoded() -> None:
    assert len(audio.decode(encode(tone(600), format="WAV"), RATE, LIMITS)) == 600 * RATE


@pytest.mark.parametrize("path", sorted(AUDIO.glob("*.[wf]*")), ids=lambda path: path.name)
def test_every_clip_of_the_repository_is_decoded(path: Path) -> None:
    assert len(audio.decode(path.read_bytes(), RATE, LIMITS)) / RATE == pytest.approx(
        soundfile.info(path).duration, abs=1e-3
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"Dear Sir or Madam,\n" * 100, "UNSUPPORTED_FORMAT"),
        (b"\x89PNG\r\n\x1a\n" + bytes(2000), "UNSUPPORTED_FORMAT"),
        (b"\0" * 5000, "UNSUPPORTED_FORMAT"),
        (encode(tone(), format="AIFF"), "UNSUPPORTED_FORMAT"),
        (encode(tone(), format="FLAC")[:60], "CORRUPT_AUDIO"),
        (encode(tone()[:0], format="WAV"), "EMPTY_AUDIO"),
        (encode(tone(601), format="WAV"), "AUDIO_TOO_LONG"),
        (encode(tone(0.1, channels=9), format="WAV"), "TOO_MANY_CHANNELS"),
        (encode(tone(100, rate=10), 10, format="WAV"), "UNSUPPORTED_SAMPLE_RATE"),
        (encode(np.full(RATE, np.nan, np.float32), format="WAV", subtype="FLOAT"), "NON_FINITE_SAMPLES"),
        (encode(np.full(RATE, -np.inf, np.float32), format="WAV", subtype="FLOAT"), "NON_FINITE_SAMPLES"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_refusal_has_a_code_and_a_sentence(data: bytes, code: str) -> None:
    error = refusal(data)
    assert error.code == code
    assert error.message.endswith(".")


def test_a_truncated_file_is_corrupt() -> None:
    data = (AUDIO / "loop_amen_full.flac").read_bytes()
    assert refusal(data[: len(data) // 2]).code == "CORRUPT_AUDIO"


def flac_that_tells(samples: int, actual: np.ndarray, rate: int = RATE) -> bytes:
    """A FLAC file whose header declares another length; 0 means unknown.

    https://www.rfc-editor.org/rfc/rfc9639.html#name-streaminfo: 36 bits, the last of which end at byte 26.
    """
    data = bytearray(encode(actual, rate, format="FLAC"))
    data[21] = data[21] & 0xF0 | samples >> 32
    data[22:26] = (samples & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(data)


def test_a_stream_that_ends_before_its_declared_length_is_corrupt() -> None:
    error = refusal(flac_that_tells(4 * RATE, tone(2)))
    assert (error.code, error.message) == ("CORRUPT_AUDIO", "The file ends after 2.0 s of the 4.0 s that it declares.")


def test_a_stream_without_a_declared_length_is_read_to_its_end() -> None:
    assert len(audio.decode(flac_that_tells(0, tone(2)), RATE, LIMITS)) == 2 * RATE


def test_a_stream_without_a_declared_length_is_held_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sndfile_reader, "BLOCK_FRAMES", 1000)
    data = flac_that_tells(0, tone(2))
    assert refusal(data, AudioLimits(max_seconds=1.5)).code == "AUDIO_TOO_LONG"


@pytest.mark.parametrize(("channels", "rate", "allowed"), [(2, 192_000, True), (1, 384_000, True), (3, 192_000, False)])
def test_the_maximum_is_the_samples_of_8_channels_at_48_khz(channels: int, rate: int, allowed: bool) -> None:
    data = encode(tone(0.99, rate=rate, channels=channels), rate, format="WAV")
    if allowed:
        audio.decode(data, RATE, AudioLimits(max_seconds=1))
    else:
        error = refusal(data, AudioLimits(max_seconds=1))
        assert (error.code, error.message) == (
            "TOO_MANY_SAMPLES",
            "The audio has 190,080 frames or more of 3 channels at 192000 Hz; at most 384,000 samples are allowed.",
        )


def undeclared_length(rate: int, channels: int) -> bytes:
    """0.99 s of a FLAC stream that does not declare its length."""
    return flac_that_tells(0, tone(0.99, rate=rate, channels=channels), rate)


@pytest.mark.parametrize(("channels", "rate"), [(2, 96_000), (1, 96_000), (4, 48_000), (8, 24_000)])
def test_a_stream_without_a_declared_length_may_have_as_many_samples_as_4_channels(channels: int, rate: int) -> None:
    audio.decode(undeclared_length(rate, channels), RATE, AudioLimits(max_seconds=1))


@pytest.mark.parametrize(("channels", "rate"), [(2, 192_000), (1, 192_000), (8, 48_000)])
def test_more_samples_are_refused(channels: int, rate: int) -> None:
    error = refusal(undeclared_length(rate, channels), AudioLimits(max_seconds=1))
    assert error.code == "TOO_MANY_SAMPLES"
    assert error.message.endswith("at most 192,000 samples are allowed where the length is not declared.")


def test_tags_before_the_audio_are_skipped() -> None:
    tag = b"ID3\4\0\0\0\0\2\1" + bytes(257)  # 7 bits of the size in each byte
    for container in ("MP3", "FLAC", "WAV", "OGG"):
        data = encode(tone(), format=container)
        assert len(audio.decode(tag + data, RATE, LIMITS)) == len(audio.decode(data, RATE, LIMITS))


def ape_tag(content: bytes, *, header: bool) -> bytes:
    """https://wiki.hydrogenaud.io/index.php?title=APE_Tags_Header"""

    def part(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", 2000, len(content) + 32, 1, flags) + bytes(8)

    return (part(0xA0000000) if header else b"") + content + part(0x80000000 if header else 0)


@pytest.mark.parametrize("cover", [100, 500_000])
@pytest.mark.parametrize("container", ["MP3", "FLAC", "WAV", "OGG"])
def test_tags_behind_the_audio_are_not_heard(container: str, cover: int) -> None:
    data = encode(tone(3), format=container)
    whole = audio.decode(data, RATE, LIMITS)
    id3v1 = b"TAG" + bytes(125)
    for header in (True, False):
        for behind in (id3v1, ape_tag(b"\x55" * cover, header=header), ape_tag(b"\x55" * cover, header=header) + id3v1):
            np.testing.assert_array_equal(audio.decode(data + behind, RATE, LIMITS), whole)


@pytest.mark.parametrize("size", [100, 500_000])
def test_an_mp3_behind_a_tag_that_no_reader_knows_is_found(size: int) -> None:
    data = ape_tag(b"\x55" * size, header=True) + encode(tone(3), format="MP3")
    assert len(audio.decode(data, RATE, LIMITS)) / RATE == pytest.approx(3, abs=0.15)


def test_zeros_behind_a_wav_are_not_heard() -> None:
    data = encode(tone(3), format="WAV")
    assert len(audio.decode(data + bytes(1_000_000), RATE, LIMITS)) == 3 * RATE


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3", "OGG", *phones.KINDS, phones.STREAMED])
def test_files_end_to_end_are_read_whole_or_refused(kind: str) -> None:
    one = phones.recording(kind) if kind in (*phones.KINDS, phones.STREAMED) else encode(tone(2), format=kind)
    seconds = len(audio.decode(one, RATE, LIMITS)) / RATE
    assert seconds == pytest.approx(2, abs=0.15)
    if kind in ("WAV", *phones.MP4):
        error = refusal(one + one)
        assert error.code == "UNSUPPORTED_FORMAT"
        assert "end to end; it may hold one" in error.message
    else:
        assert len(audio.decode(one + one, RATE, LIMITS)) / RATE == pytest.approx(2 * seconds, abs=0.2)


def test_mp3_that_changes_its_rate_is_resampled_throughout() -> None:
    data = encode(tone(2, rate=44_100), 44_100, format="MP3") + encode(tone(2, rate=22_050), 22_050, format="MP3")
    decoded = audio.decode(data, RATE, LIMITS)
    assert len(decoded) / RATE == pytest.approx(4, abs=0.15)
    for part in (decoded[RATE // 2 : RATE * 3 // 2], decoded[RATE * 5 // 2 : RATE * 7 // 2]):
        assert int(np.abs(np.fft.rfft(part)).argmax()) == pytest.approx(440, abs=1)


def stale(data: bytes, size: int) -> bytes:
    """A WAV file whose samples are declared to have `size` bytes."""
    at = data.index(b"data") + 4
    return data[:at] + size.to_bytes(4, "little") + data[at + 4 :]


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
@pytest.mark.parametrize("declared", [0, 16_000, 0xFFFFFFFF])
def test_an_unfinished_wav_is_read_to_its_end(declared: int, subtype: str) -> None:
    data = encode(tone(3), format="WAV", subtype=subtype)
    whole = audio.decode(data, RATE, LIMITS)
    np.testing.assert_allclose(audio.decode(stale(data, declared), RATE, LIMITS), whole, atol=1e-4)


@pytest.mark.parametrize(
    ("how", "channels"),
    [
        ({"format": "WAV"}, 2),
        ({"format": "FLAC"}, 4),
        ({"format": "WAV"}, 8),
        ({"format": "OGG", "subtype": "OPUS"}, 2),
    ],
)
def test_channels_in_antiphase_do_not_cancel_each_other(how: dict[str, str], channels: int) -> None:
    samples = tone(channels=channels)
    samples[:, 1::2] *= -0.98
    decoded = audio.decode(encode(samples, 48_000, **how), RATE, LIMITS)
    assert np.sqrt(np.mean(decoded**2)) == pytest.approx(0.35, abs=0.06)


def test_one_channel_among_silent_ones_is_still_averaged() -> None:
    samples = tone(channels=8)
    samples[:, 1:] = 0
    decoded = audio.decode(encode(samples, format="WAV", subtype="FLOAT"), RATE, LIMITS)
    np.testing.assert_allclose(decoded, samples[:, 0] / 8, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(2000), "a PNG picture"),
        (b"FORM\0\0\1\0AIFF" + bytes(2000), "AIFF audio"),
        (b"\x1f\x8b\x08" + bytes(2000), "compressed with gzip"),
        (b"--boundary\r\nContent-Disposition: form-data\r\n\r\nRIFF", "multipart/form-data"),
        (b"<!DOCTYPE html><title>404 Not Found</title>", "HTML"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(2000), "Windows Media"),
    ],
)
def test_what_is_not_read_is_named(data: bytes, named: str) -> None:
    error = refusal(data)
    assert error.code == "UNSUPPORTED_FORMAT"
    assert named in error.message


def test_plain_files_are_read_without_importing_ffmpeg() -> None:
    """It would make a cold start longer."""
    script = f"""
import sys
sys.path.insert(0, {str(Path(audio.__file__).parents[3])!r})
from pathlib import Path
from inference.inputs.audio_formats.decoding import decode
from inference.inputs.audio import AudioLimits
decode(Path({str(SPEECH)!r}).read_bytes(), 16_000, AudioLimits())
assert "av" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("container", ["AIFF", "AU", "CAF", "W64"])
def test_ffmpeg_is_kept_from_the_formats_that_are_not_allowed(container: str) -> None:
    """It reads all of these."""
    with pytest.raises(ffmpeg_reader.UnknownFormat):
        next(ffmpeg_reader.read(encode(tone(), format=container), "", AudioLength(LIMITS)))


def test_an_mp3_is_not_refused_by_the_length_that_its_first_frame_lets_guess() -> None:
    """A quiet beginning at a low bit rate, then sound at a high one, and no header that declares the length."""
    data = mp3.SMALL_FRAME * 80 + mp3.FRAME * 300
    assert len(audio.decode(data, RATE, AudioLimits(max_seconds=15))) / RATE == pytest.approx(
        380 * 1152 / 44_100, abs=0.1
    )


@pytest.mark.parametrize("cut", [(0.37, 0.63), (0.4, 0.6)])
def test_an_mp3_of_which_a_part_is_zeros_is_corrupt(cut: tuple[float, float]) -> None:
    whole = encode(tone(10, rate=44_100), 44_100, format="MP3")
    begin, end = (round(part * len(whole)) for part in cut)
    data = whole[:begin] + bytes(end - begin) + whole[end:]
    assert refusal(data).code == "CORRUPT_AUDIO"


def test_flac_without_a_declared_length_that_lacks_its_middle_is_corrupt() -> None:
    whole = flac_that_tells(0, tone(10))
    assert len(audio.decode(whole, RATE, LIMITS)) == 10 * RATE
    quarter = len(whole) // 4
    for damage in (b"", bytes(2 * quarter), b"\x55" * 2 * quarter):
        assert refusal(whole[:quarter] + damage + whole[3 * quarter :]).code == "CORRUPT_AUDIO"


@pytest.mark.parametrize("codec", ["VORBIS", "OPUS"])
def test_ogg_streams_end_to_end_may_differ_in_rate_channels_and_codec(codec: str) -> None:
    others = [
        encode(tone(2, rate=8_000), 8_000, format="OGG", subtype=codec),
        encode(tone(2, channels=2), format="OGG", subtype=codec),
        encode(tone(2), format="OGG", subtype="VORBIS"),
        encode(tone(2), format="OGG", subtype="OPUS"),
    ]
    for other in others:
        data = encode(tone(2), format="OGG", subtype=codec) + other
        assert len(audio.decode(data, RATE, LIMITS)) / RATE == pytest.approx(4, abs=0.1)


def test_flac_files_end_to_end_may_differ_in_rate() -> None:
    data = encode(tone(2), format="FLAC") + encode(tone(2, rate=8_000), 8_000, format="FLAC")
    assert len(audio.decode(data, RATE, LIMITS)) == 4 * RATE


def test_a_wav_whose_samples_look_like_chunks_is_read_to_its_end() -> None:
    quiet = np.random.default_rng(1).integers(0, 2, 10 * RATE, np.int16)
    data = encode(quiet, format="WAV", subtype="PCM_16")
    assert len(audio.decode(stale(data, 2 * RATE), RATE, LIMITS)) == 10 * RATE


def test_a_short_wav_that_declares_a_tenth_of_itself_is_read_to_its_end() -> None:
    assert len(audio.decode(stale(encode(tone(1), format="WAV"), RATE // 5), RATE, LIMITS)) == RATE


def with_ds64(data: bytes, size: int) -> bytes:
    """An RF64 file whose samples are declared to have `size` bytes. https://tech.ebu.ch/docs/tech/tech3306.pdf"""
    at = data.index(b"ds64") + 16
    return data[:at] + struct.pack("<Q", size) + data[at + 8 :]


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
def test_wav_of_64_bits_is_read_whole_or_refused(kind: bytes) -> None:
    one = encode(tone(2), format="RF64").replace(b"RF64", kind, 1)
    for declared in (0, RATE // 2):
        assert len(audio.decode(with_ds64(one, declared), RATE, LIMITS)) == 2 * RATE
    assert "end to end; it may hold one" in refusal(one + one).message


def test_aac_behind_a_large_tag_is_read() -> None:
    assert len(audio.decode(not_audio.id3_tag(2_000_000) + phones.recording("AAC"), RATE, LIMITS)) > 1.8 * RATE


def test_an_ogg_file_of_short_packets_that_is_too_long_is_called_so() -> None:
    packets = [b"\x00\xff\xfe"] * 50  # Opus of 10 ms
    headers = ogg.opus_headers()
    pages = [ogg.page(headers[:1], flags=ogg.FIRST), ogg.page(headers[1:2], sequence=1)]
    pages += [ogg.page(packets, sequence=2 + n, position=(n + 1) * 24_000) for n in range(40)]
    assert refusal(b"".join(pages), AudioLimits(max_seconds=5)).code == "AUDIO_TOO_LONG"


def test_the_limits_come_from_the_environment() -> None:
    data = encode(tone(2, channels=2), format="WAV")
    assert (
        refusal(data, AudioLimits(max_seconds=1.5)).message
        == "The audio lasts 2.0 s or more; at most 1.5 s are allowed."
    )
    assert refusal(data, AudioLimits(max_channels=1)).message == "The audio has 2 channels; at most 1 are allowed."
