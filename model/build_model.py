"""Rebuilds Google's YAMNet as model.onnx: a waveform of any length in, one score per AudioSet class out.

    python model/in_own_environment.py model/requirements.txt model/build_model.py [OUTPUT]

The same input gives the same bytes. Everything from the waveform to the scores happens inside the graph, so that no
caller can preprocess its audio differently:

    waveform -> zero-padded to whole frames -> blocks of frames, one at a time:
        log-mel spectrogram -> frames of 0.975 s, every 0.48 s -> 27 convolutions -> frame scores
    -> weighted mean over all frames -> scores
"""

import hashlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import yamnet_tflite
from frames import FRAME_HOP, FRAME_LENGTH, SAMPLE_RATE, SPECTRA_PER_HOP, SPECTRUM_HOP, SPECTRUM_LENGTH
from graph import Graph
from onnx import GraphProto, ModelProto, TensorProto, checker, helper
from yamnet_tflite import Yamnet

METADATA = {
    "name": "yamnet",
    "version": "1.0.0",  # of this conversion: raise it with every change of the graph that changes scores
    "license": "Apache-2.0",
    "input_kind": "audio",
    "sample_rate": str(SAMPLE_RATE),
}

FFT_SIZE = 512

# Blocks bound the memory whatever the clip's length, and long clips are faster too, as more of a block stays in the
# CPU's cache: MODEL_CARD.md has the figures. A clip of up to 12 s is a single block, because reading all weights
# once more for a short second block would cost a 10 s clip 4 %.
FRAMES_PER_BLOCK = 24

INT64_MAX = np.iinfo(np.int64).max

# The minimum weight of a frame in the mean, so that a clip that is silent throughout still has a mean.
MIN_FRAME_WEIGHT = 0.001


def log_mel_spectrogram(graph: Graph, samples: str, yamnet: Yamnet) -> str:
    """Adds [samples] -> [1, 64 bands, spectra].

    The Fourier transform is a convolution with windowed cosines and sines: with onnxruntime's STFT operator a whole
    prediction takes 1.3 times as long, with its DFT 1.4 times. Only the bins that some mel band uses are computed.
    """
    bins = np.flatnonzero(yamnet.mel_weight.any(axis=0))
    # Only FFT_SIZE different angles occur. Taking their cosines from a table keeps the bytes the same on every machine.
    angle = np.outer(bins, np.arange(SPECTRUM_LENGTH)) % FFT_SIZE
    cosine = np.array([math.cos(2 * math.pi * k / FFT_SIZE) for k in range(FFT_SIZE)], np.float32)
    sine = np.array([math.sin(2 * math.pi * k / FFT_SIZE) for k in range(FFT_SIZE)], np.float32)
    kernels = np.concatenate([cosine[angle] * yamnet.window, sine[angle] * yamnet.window])[:, None, :]

    signal = graph.add("Unsqueeze", samples, graph.constant([0, 1]))
    parts = graph.add("Conv", signal, graph.constant(kernels, np.float32), strides=[SPECTRUM_HOP])
    squared_cosines, squared_sines = graph.halves(graph.add("Mul", parts, parts), axis=1)
    magnitude = graph.add("Sqrt", graph.add("Add", squared_cosines, squared_sines))
    mel = graph.add("MatMul", graph.constant(yamnet.mel_weight[:, bins], np.float32), magnitude)
    return graph.add("Log", graph.add("Add", mel, graph.constant(yamnet.mel_offset[:, None], np.float32)))


def overlapping_frames(graph: Graph, log_mel: str) -> str:
    """Adds [1, 64, 48 x (frames + 1)] -> [frames, 1, 96, 64]: a frame is a hop's spectra and those of the next hop."""
    spectra = graph.add("Transpose", log_mel, perm=[0, 2, 1])
    hops = graph.add("Reshape", spectra, graph.constant([-1, 1, SPECTRA_PER_HOP, 64]))
    all_but_last = graph.add("Slice", hops, graph.constant([0]), graph.constant([-1]), graph.constant([0]))
    all_but_first = graph.add("Slice", hops, graph.constant([1]), graph.constant([INT64_MAX]), graph.constant([0]))
    return graph.add("Concat", all_but_last, all_but_first, axis=2)


def class_scores(graph: Graph, frames: str, yamnet: Yamnet) -> str:
    """Adds [frames, 1, 96, 64] -> [frames, 521], each score in [0, 1]."""
    features = frames
    zero, six = graph.constant(0, np.float32), graph.constant(6, np.float32)
    for layer in yamnet.conv_layers:
        convolved = graph.add(
            "Conv",
            features,
            graph.weight(layer.weight),
            graph.constant(layer.bias, np.float32),
            group=layer.groups,
            strides=[layer.stride, layer.stride],
            auto_pad="SAME_UPPER",
        )
        features = graph.add("Clip", convolved, zero, six)
    embeddings = graph.add("Flatten", graph.add("GlobalAveragePool", features))
    bias = graph.constant(yamnet.class_bias, np.float32)
    return graph.add("Sigmoid", graph.add("Gemm", embeddings, graph.weight(yamnet.class_weight), bias, transB=1))


def frame_weights(graph: Graph, frame_scores: str, labels: tuple[str, ...]) -> str:
    """Adds [frames, 521] -> [frames]: how much each frame counts in the mean.

    It is 1 - 2 x the score of Silence, so that a frame that is more silent than not hardly counts.
    Why, and what it changes: docs/decisions/0001-frame-weights.md.
    """
    silence = graph.add("Gather", frame_scores, graph.constant(labels.index("Silence")), axis=1)
    twice = graph.add("Mul", silence, graph.constant(2, np.float32))
    sound = graph.add("Sub", graph.constant(1, np.float32), twice)
    return graph.add("Max", sound, graph.constant(MIN_FRAME_WEIGHT, np.float32))


def loop_body(yamnet: Yamnet, samples: str) -> GraphProto:
    """One iteration of the loop: adds the scores of one block of frames to the sums over all blocks.

    `samples` names the padded waveform of the enclosing graph. The last block may be shorter than the others.
    """
    # The weights are the body's own constants: onnxruntime reorders only weights in the same graph as the convolution,
    # and without that reordering a prediction takes 2.8 times as long.
    graph = Graph("block_")
    start = graph.add("Mul", "block", graph.constant([FRAMES_PER_BLOCK * FRAME_HOP]))
    # Neighbouring frames overlap, so a block ends where its last frame does. Slice stops at the end of the waveform.
    end = graph.add("Add", start, graph.constant([(FRAMES_PER_BLOCK - 1) * FRAME_HOP + FRAME_LENGTH]))
    block_samples = graph.add("Slice", samples, start, end)

    frames = overlapping_frames(graph, log_mel_spectrogram(graph, block_samples, yamnet))
    scores = class_scores(graph, frames, yamnet)
    weights = frame_weights(graph, scores, yamnet.labels)

    graph.add("Identity", "condition", output="next_condition")
    graph.add("Add", "score_sum", graph.add("MatMul", weights, scores), output="next_score_sum")
    total = graph.add("ReduceSum", weights, keepdims=1)
    graph.add("Add", "weight_sum", total, output="next_weight_sum")
    value = helper.make_tensor_value_info
    sums = [("score_sum", len(yamnet.labels)), ("weight_sum", 1)]
    return helper.make_graph(
        graph.nodes,
        "block",
        [value("block", TensorProto.INT64, []), value("condition", TensorProto.BOOL, [])]
        + [value(name, TensorProto.FLOAT, [size]) for name, size in sums],
        [value("next_condition", TensorProto.BOOL, [])]
        + [value(f"next_{name}", TensorProto.FLOAT, [size]) for name, size in sums],
        graph.constants,
    )


def build(yamnet: Yamnet) -> ModelProto:
    """The whole model: `waveform` float32 [samples], mono, 16 kHz, in [-1, 1] -> `scores` float32 [521].

    A clip is zero-padded to one frame, or to a whole number of hops beyond one, as YAMNet's authors do.
    """
    graph = Graph("")
    one, hop = graph.constant([1]), graph.constant([FRAME_HOP])
    length = graph.add("Shape", "waveform")
    beyond = graph.add("Max", graph.add("Sub", length, graph.constant([FRAME_LENGTH])), graph.constant([0]))
    hops = graph.add("Div", graph.add("Add", beyond, graph.constant([FRAME_HOP - 1])), hop)
    padded_length = graph.add("Add", graph.add("Mul", hops, hop), graph.constant([FRAME_LENGTH]))
    padding = graph.add("Concat", graph.constant([0]), graph.add("Sub", padded_length, length), axis=0)
    samples = graph.add("Pad", "waveform", padding)

    blocks = graph.add("Add", graph.add("Div", hops, graph.constant([FRAMES_PER_BLOCK])), one)
    score_sum, weight_sum = "score_sum_of_all_blocks", "weight_sum_of_all_blocks"
    graph.nodes.append(
        helper.make_node(
            "Loop",
            [
                graph.add("Squeeze", blocks),
                "",
                graph.constant(np.zeros(len(yamnet.labels)), np.float32),
                graph.constant([0], np.float32),
            ],
            [score_sum, weight_sum],
            body=loop_body(yamnet, samples),
        )
    )
    graph.add("Div", score_sum, weight_sum, output="scores")

    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            METADATA["name"],
            [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["samples"])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [len(yamnet.labels)])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,  # the oldest that allows opset 18, for older runtimes
        producer_name="crossover",
    )
    helper.set_model_props(model, {**METADATA, "labels": json.dumps(yamnet.labels)})
    checker.check_model(model, full_check=True)
    return model


def main() -> None:
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("model.onnx")
    data = build(yamnet_tflite.read()).SerializeToString(deterministic=True)
    output.write_bytes(data)
    print(f"{output}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
