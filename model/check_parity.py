"""Compares model.onnx with the TFLite file that it is made from, frame by frame, and prints the differences.

    python model/in_own_environment.py model/requirements-parity.txt model/check_parity.py [AUDIO_FILE ...]

By default of the clips in model/samples. They are not expected to be equal: TFLite computes with 8-bit activations
and returns scores in steps of 1/256, onnxruntime computes with float32.
"""

import sys
from pathlib import Path

import frames
import numpy as np
import numpy.typing as npt
import waveforms
import yamnet_tflite
from ai_edge_litert.interpreter import Interpreter

from inference.inputs.audio import AudioLimits
from inference.inputs.audio_formats.decoding import decode
from inference.model import Model

Scores = npt.NDArray[np.float32]

HERE = Path(__file__).resolve().parent
CLIPS = HERE / "samples"


def main() -> None:
    model = Model.load(HERE / "model.onnx")
    original = Interpreter(model_path=str(yamnet_tflite.verified_file()))
    original.allocate_tensors()
    waveform, scores = original.get_input_details()[0]["index"], original.get_output_details()[0]["index"]

    def original_scores(frame: Scores) -> Scores:
        original.set_tensor(waveform, frame)
        original.invoke()
        return np.asarray(original.get_tensor(scores)[0])

    paths = [Path(argument) for argument in sys.argv[1:]] or sorted((*CLIPS.glob("*.wav"), *CLIPS.glob("*.flac")))
    print("| clip | frames | same top label of the clip | of its frames | mean difference | largest |")
    print("|---|---|---|---|---|---|")
    all_ours, all_theirs, clips_agree = [], [], 0
    for path in paths:
        cut = frames.cut(decode(path.read_bytes(), frames.SAMPLE_RATE, AudioLimits()))
        # A clip of one frame has that frame's scores, whatever the frame's weight.
        ours = np.stack([waveforms.scores(model, frame) for frame in cut])
        theirs = np.stack([original_scores(frame) for frame in cut])
        same_clip = ours.mean(axis=0).argmax() == theirs.mean(axis=0).argmax()
        _print_row(path.name, "yes" if same_clip else "no", ours, theirs)
        clips_agree += same_clip
        all_ours.append(ours)
        all_theirs.append(theirs)
    _print_row("all", f"{clips_agree} of {len(paths)}", np.concatenate(all_ours), np.concatenate(all_theirs))


def _print_row(name: str, clip_agrees: str, ours: Scores, theirs: Scores) -> None:
    # Steps of 1/256 tie: every label that shares the original's highest score counts as its top label.
    same = np.take_along_axis(theirs, ours.argmax(axis=1)[:, None], axis=1)[:, 0] == theirs.max(axis=1)
    gap = np.abs(ours - theirs)
    print(f"| {name} | {len(ours)} | {clip_agrees} | {same.mean():.1%} | {gap.mean():.5f} | {gap.max():.3f} |")


if __name__ == "__main__":
    main()
