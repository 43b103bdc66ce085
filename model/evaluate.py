"""Measures model.onnx on the clips of model/samples and prints the tables of MODEL_CARD.md.

    python model/in_own_environment.py \
        lambda_src/requirements-inference.txt,lambda_src/requirements-audio.txt model/evaluate.py

The audio goes through the handlers' own decoding, with the versions that are deployed. Takes a minute or two.
"""

import json
from functools import partial
from pathlib import Path

import frames
import numpy as np
import numpy.typing as npt
import waveforms

from inference.inputs.audio import AudioLimits
from inference.inputs.audio_formats.decoding import decode
from inference.model import Model

Samples = npt.NDArray[np.float32]

HERE = Path(__file__).resolve().parent
CLIPS = HERE / "samples"
SILENCE_SECONDS = (10, 30, 120)
SILENCE_DBFS = (None, -90, -80, -70, -60)  # None is digital silence, the others are white noise


def plain_mean(model: Model, samples: Samples) -> Samples:
    """The scores if every frame had the same weight; the scores of a clip of one frame are that frame's."""
    mean: Samples = np.stack([waveforms.scores(model, frame) for frame in frames.cut(samples)]).mean(axis=0)
    return mean


def between_silence(clip: Samples, *, seconds: float, dbfs: float | None, random: np.random.Generator) -> Samples:
    """The clip with half of the silence before it and half after it."""
    half = random.standard_normal((2, int(seconds / 2 * frames.SAMPLE_RATE)), np.float32)
    before, behind = half * np.float32(0 if dbfs is None else 10 ** (dbfs / 20))
    return np.concatenate([before, clip, behind])


def print_labels(model: Model, clips: dict[str, Samples], contents: dict[str, str]) -> None:
    """For each clip the top labels and the rank of the label of what was recorded."""
    print("| clip | seconds | recorded | its rank | top three |\n|---|---|---|---|---|")
    ranks = []
    labels = model.contract.output.labels
    for name, samples in clips.items():
        scores = waveforms.scores(model, samples)
        order = np.argsort(-scores)
        ranks.append([labels[i] for i in order].index(contents[name]) + 1)
        top = ", ".join(f"{labels[i]} {scores[i]:.2f}" for i in order[:3])
        print(f"| {name} | {len(samples) / frames.SAMPLE_RATE:.1f} | {contents[name]} | {ranks[-1]} | {top} |")
    for limit in (1, 5):
        print(f"\nRecorded label within the first {limit}: {sum(rank <= limit for rank in ranks)} of {len(ranks)}.")


def print_silence(model: Model, clips: dict[str, Samples]) -> None:
    """How often a clip keeps its top label between silence, with the model's frame weights and with the plain mean."""
    random = np.random.default_rng(0)
    own_top = {name: int(waveforms.scores(model, samples).argmax()) for name, samples in clips.items()}
    print("| silence around the clip | weighted, as in the model | plain mean |\n|---|---|---|")
    for seconds in SILENCE_SECONDS:
        for dbfs in SILENCE_DBFS:
            padded = {
                name: between_silence(clip, seconds=seconds, dbfs=dbfs, random=random) for name, clip in clips.items()
            }
            kept = [
                sum(int(scores(samples).argmax()) == own_top[name] for name, samples in padded.items())
                for scores in (partial(waveforms.scores, model), partial(plain_mean, model))
            ]
            level = "digital" if dbfs is None else f"noise of {dbfs} dBFS"
            print(f"| {seconds} s, {level} | {kept[0]} of {len(clips)} | {kept[1]} of {len(clips)} |", flush=True)
    nothing = np.zeros(0, np.float32)
    print("\n| silence alone, 30 s | top label | its score |\n|---|---|---|")
    for dbfs in SILENCE_DBFS:
        scores = waveforms.scores(model, between_silence(nothing, seconds=30, dbfs=dbfs, random=random))
        level = "digital" if dbfs is None else f"noise of {dbfs} dBFS"
        print(f"| {level} | {model.contract.output.labels[int(scores.argmax())]} | {scores.max():.2f} |")


def main() -> None:
    model = Model.load(HERE / "model.onnx")
    expected = json.loads((CLIPS / "expected_labels.json").read_text())
    contents = {name: labels["content"] for name, labels in expected.items()}
    clips = {name: decode((CLIPS / name).read_bytes(), frames.SAMPLE_RATE, AudioLimits()) for name in expected}
    print(f"{model.contract.name} {model.contract.version}, sha256 {model.sha256}\n")
    print_labels(model, clips, contents)
    print()
    print_silence(model, clips)


if __name__ == "__main__":
    main()
