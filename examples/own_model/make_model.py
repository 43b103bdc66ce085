"""Makes an ONNX file that tells which of three notes a recording holds.

    python make_model.py notes.onnx

A model of one's own need not be made so: whatever writes ONNX will do. `crossover model describe` adds the contract.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SAMPLE_RATE = 16_000  # Hz; the handlers resample every recording to it
NOTES = {"A4": 440.00, "C5": 523.25, "E5": 659.26}  # Hz, equal temperament
WINDOW = 2_048  # samples, 0.128 s: the notes are more than 10 of its frequency bins apart from one another


def kernels() -> np.ndarray:
    """A cosine and a sine of each note, under a Hann window: float32 [2 * notes, 1, WINDOW]."""
    angles = 2 * np.pi * np.outer(list(NOTES.values()), np.arange(WINDOW)) / SAMPLE_RATE
    waves = np.concatenate([np.cos(angles), np.sin(angles)]) * np.hanning(WINDOW)
    return waves[:, np.newaxis].astype(np.float32)


def make_model() -> onnx.ModelProto:
    """`waveform`, float32 [samples] from -1 to 1, to `scores`, float32 [notes]: each note's share of their energy."""
    nodes = [
        # A window of silence more, so that a recording shorter than the window has a result too.
        helper.make_node("Pad", ["waveform", "padding"], ["padded"]),
        helper.make_node("Unsqueeze", ["padded", "batch_and_channel"], ["signal"]),
        helper.make_node("Conv", ["signal", "kernels"], ["waves"], strides=[WINDOW // 2]),
        helper.make_node("ReduceSumSquare", ["waves", "batch_and_time"], ["energies"], keepdims=0),
        helper.make_node("Reshape", ["energies", "phases_by_notes"], ["by_phase"]),
        helper.make_node("ReduceSum", ["by_phase", "first_axis"], ["by_note"], keepdims=0),
        helper.make_node("ReduceSum", ["by_note", "first_axis"], ["total"]),
        # Silence has no energy to divide by.
        helper.make_node("Add", ["total", "tiny"], ["divisor"]),
        helper.make_node("Div", ["by_note", "divisor"], ["scores"]),
    ]
    constants = {
        "padding": np.array([0, WINDOW], np.int64),
        "batch_and_channel": np.array([0, 1], np.int64),
        "kernels": kernels(),
        "batch_and_time": np.array([0, 2], np.int64),
        "phases_by_notes": np.array([2, len(NOTES)], np.int64),
        "first_axis": np.array([0], np.int64),
        "tiny": np.array(1e-9, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "notes",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["samples"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [len(NOTES)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    onnx.save(make_model(), sys.argv[1])
