"""What names, types and shapes of a graph tell."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from crossover.model import guesses


@dataclass
class Tensor:
    name: str
    shape: Sequence[int | str | None]
    type: str = "tensor(float)"


@pytest.mark.parametrize(
    ("taken", "given"),
    [
        ("h", "hn"),
        ("h", "h_n"),
        ("h0", "hn"),
        ("c", "cn"),
        ("state", "stateN"),
        ("state_in", "state_out"),
        ("hidden", "new_hidden"),
        ("prev_state", "next_state"),
        ("cache", "cache_out"),
        ("h", "new_state"),
    ],
)
def test_a_state_is_an_input_that_an_output_continues(taken: str, given: str):
    inputs = [Tensor("input", [1, 512]), Tensor(taken, [2, 1, 64])]
    outputs = [Tensor("output", [1, 1]), Tensor(given, [2, "batch", 64])]

    assert guesses.states(inputs, outputs) == {taken: given}


def test_several_states_are_told_apart_by_their_names():
    inputs = [
        Tensor("input", [1, None]),
        Tensor("sr", [], "tensor(int64)"),
        Tensor("h", [2, 1, 64]),
        Tensor("c", [2, 1, 64]),
    ]
    outputs = [Tensor("output", [1, 1]), Tensor("hn", [2, 1, 64]), Tensor("cn", [2, 1, 64])]

    assert guesses.states(inputs, outputs) == {"h": "hn", "c": "cn"}


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ([Tensor("input", [1, 512]), Tensor("h", [2, 1, 64])], [Tensor("output", [1, 1]), Tensor("hn", [2, 1, 32])]),
        ([Tensor("input", [1, 4]), Tensor("mask", [1, 4])], [Tensor("output", [1, 4])]),
        ([Tensor("state", [1, 4])], [Tensor("next_state", [1, 4])]),
    ],
)
def test_other_inputs_are_no_states(inputs: list[Tensor], outputs: list[Tensor]):
    assert guesses.states(inputs, outputs) == {}


@pytest.mark.parametrize(
    ("tensor", "kind"),
    [
        (Tensor("input", [1, 3, 224, 224]), "image"),
        (Tensor("input", ["N", 3, "h", "w"]), "image"),
        (Tensor("input", [1, 32, 32, 1], "tensor(uint8)"), "image"),
        (Tensor("input", [1, 4]), "tensor"),
        (Tensor("input", [1, 8, 16, 16]), "tensor"),
        (Tensor("input", [8, 3, 16, 16]), "tensor"),
        (Tensor("input", [1, 3, 16, 16], "tensor(int64)"), "tensor"),
    ],
)
def test_the_kind_of_input_follows_from_its_shape(tensor: Tensor, kind: str):
    assert guesses.input_kind([tensor], has_sample_rate=False).value == kind
    with_rate = guesses.input_kind([tensor], has_sample_rate=True).value
    assert with_rate == ("image" if kind == "image" else "audio")


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ([1, 3, 224, 224], {"layout": "NCHW", "channels": "RGB", "size": "224"}),
        (["N", 1, 28, 32], {"layout": "NCHW", "channels": "GRAY", "size": "28x32"}),
        ([1, 224, 224, 3], {"layout": "NHWC", "channels": "RGB", "size": "224"}),
        ([1, 3, "h", "w"], {"layout": "NCHW", "channels": "RGB"}),
        ([1, 4], {}),
    ],
)
def test_size_layout_and_channels_follow_from_the_shape_of_a_picture(
    shape: list[int | str | None], told: dict[str, str]
):
    assert {name: guess.value for name, guess in guesses.image(Tensor("x", shape)).items()} == told


@pytest.mark.parametrize(
    ("outputs", "labels", "kind"),
    [
        ([Tensor("logits", [1, 1000])], 0, "labels"),
        ([Tensor("label", ["N"], "tensor(int64)"), Tensor("p", [], "seq(map(int64,tensor(float)))")], 0, "labels"),
        ([Tensor("label", ["N"], "tensor(int64)"), Tensor("probabilities", ["N", 3])], 0, "labels"),
        (
            [Tensor("boxes", ["N", 4]), Tensor("labels", ["N"], "tensor(int64)"), Tensor("scores", ["N"])],
            91,
            "detections",
        ),
        ([Tensor("output0", [1, 84, 8400])], 80, "detections"),
        ([Tensor("output0", [1, 84, 8400])], 0, "tensors"),
        ([Tensor("mask", [1, 1, 64, 64])], 0, "tensors"),
        ([Tensor("a", [1, 8]), Tensor("b", [1, 8])], 0, "tensors"),
    ],
)
def test_the_kind_of_output_follows_from_the_outputs(outputs: list[Tensor], labels: int, kind: str):
    assert guesses.output_kind(outputs, of="image", labels=labels).value == kind


def test_only_pictures_have_boxes():
    assert guesses.output_kind([Tensor("boxes", [1, 4])], of="tensor", labels=4).value == "labels"


@pytest.mark.parametrize(
    ("name", "shape", "hint"),
    [
        ("waveform", [1, 16_000], True),
        ("x", ["samples"], True),
        ("x", [1, "samples"], True),
        ("x", ["rows", 4], False),
        ("x", [1, 4], False),
    ],
)
def test_what_may_be_audio_is_said_so(name: str, shape: list[int | str], hint: bool):
    reason = guesses.input_kind([Tensor(name, shape)], has_sample_rate=False).reason

    assert reason.endswith("; if it is audio, give --sample-rate") is hint


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ([1, 21, 64, 64], "; for a map of pixels give --map, and of classes --labels"),
        ([1, 84, 8400], "; if these are boxes, give --labels"),
    ],
)
def test_what_tensors_of_a_picture_may_be_is_said(shape: list[int], hint: str):
    guess = guesses.output_kind([Tensor("output", shape)], of="image", labels=0)

    assert (guess.value, guess.reason.endswith(hint)) == ("tensors", True)
