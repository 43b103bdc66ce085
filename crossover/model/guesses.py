"""What a graph's inputs and outputs tell of its contract."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

SAMPLE_RATE_NAMES = ("sr", "sample_rate", "sampling_rate")
INTEGERS = ("tensor(int32)", "tensor(int64)")
FLOATS = ("tensor(float)", "tensor(float16)", "tensor(double)")
PICTURES = (*FLOATS, "tensor(uint8)", "tensor(int8)")
BOX_WORDS = ("box",)
AUDIO_WORDS = ("waveform", "audio", "wav")

STATE_NAMES = re.compile(r"(h|c|state|states|hidden|hidden_state|cell|cell_state|cache|memory|context)\d*")
AFFIXES = re.compile(
    r"^(prev|past|previous|initial|new|next|present|output|input|in|out)_|_(in|out|n|new|next|prev|0|t|o|i)$"
)


class Tensor(Protocol):
    """An input or output of the graph, as onnxruntime's NodeArg describes it."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def shape(self) -> Sequence[int | str | None]: ...


@dataclass(frozen=True)
class Guess:
    """A value of the metadata, and the reason for it, which completes "because ..."."""

    value: str
    reason: str


def states(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> dict[str, str]:
    """The inputs that a recurrent graph's own outputs continue, by their names and shapes: `{"h": "hn"}`.

    At least one input and one output remain.
    """
    found: dict[str, str] = {}
    for taken in inputs:
        if not STATE_NAMES.fullmatch(_core(taken.name)):
            continue
        fitting = [each for each in outputs if each.name not in found.values() and _continues(taken, each)]
        named = [each for each in fitting if _core(each.name) == _core(taken.name)]
        fitting = named or [each for each in fitting if STATE_NAMES.fullmatch(_core(each.name))]
        if len(fitting) == 1:
            found[taken.name] = fitting[0].name
    return found if len(found) < min(len(inputs), len(outputs)) else {}


def _core(name: str) -> str:
    """What the names of a state have in common: hn, h_out, new_h and h0 are all h."""
    core = name.rpartition("/")[2].rpartition(":")[0] or name.rpartition("/")[2]
    core = AFFIXES.sub("", core.lower())
    core = AFFIXES.sub("", core)
    return re.sub(r"(?<=^[hc])[n0]$|(?<=state)[nN]$", "", core)


def _continues(taken: Tensor, given: Tensor) -> bool:
    """Whether an output can be the input of the next run."""
    return (
        taken.type == given.type
        and len(taken.shape) == len(given.shape) > 0
        and all(map(_agree, taken.shape, given.shape))
    )


def _agree(one: int | str | None, other: int | str | None) -> bool:
    return one == other or not isinstance(one, int) or not isinstance(other, int)


def sample_rate_input(inputs: Sequence[Tensor]) -> Tensor | None:
    """The input that takes the sample rate."""
    found = (
        each
        for each in inputs
        if each.name.lower() in SAMPLE_RATE_NAMES and each.type in INTEGERS and list(each.shape) in ([], [1])
    )
    return next(found, None)


def channels_axis(tensor: Tensor) -> int | None:
    """Of a picture: 1 or 3; None where the tensor is none."""
    if tensor.type not in PICTURES or len(tensor.shape) != 4 or not _is_one(tensor.shape[0]):
        return None
    return next((axis for axis in (1, 3) if tensor.shape[axis] in (1, 3)), None)


def _is_one(size: int | str | None) -> bool:
    return size == 1 or not isinstance(size, int) or size < 0


def input_kind(data: Sequence[Tensor], *, has_sample_rate: bool) -> Guess:
    """Of the inputs that are neither states nor constants."""
    if len(data) == 1 and channels_axis(data[0]) is not None:
        return Guess("image", f"its input is {_text(data[0])}")
    if has_sample_rate:
        return Guess("audio", "there is a sample rate")
    if len(data) > 1:
        names = ", ".join(each.name for each in data)
        return Guess("tensor", f"it has {len(data)} inputs: {names}; --constants makes one fixed")
    hint = "; if it is audio, give --sample-rate" if any(map(may_be_audio, data)) else ""
    return Guess("tensor", f"its input is {', '.join(map(_text, data))}{hint}")


def may_be_audio(tensor: Tensor) -> bool:
    """By its name, or as it is [samples] or [1, samples] of an open length."""
    if tensor.type not in FLOATS or not 1 <= len(tensor.shape) <= 2:
        return False
    named = any(word in tensor.name.lower() for word in AUDIO_WORDS)
    return named or (not isinstance(tensor.shape[-1], int) and all(size == 1 for size in tensor.shape[:-1]))


def image(tensor: Tensor) -> dict[str, Guess]:
    """Size, layout and channels of a picture, as far as its shape tells them."""
    axis = channels_axis(tensor)
    if axis is None:
        return {}
    layout = "NCHW" if axis == 1 else "NHWC"
    found = {"layout": Guess(layout, f"its input is {_text(tensor)}")}
    height, width = (tensor.shape[2:4]) if axis == 1 else (tensor.shape[1:3])
    if isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0:
        found["size"] = Guess(str(height) if height == width else f"{height}x{width}", f"its input is {_text(tensor)}")
    if tensor.shape[axis] == 1:
        found["channels"] = Guess("GRAY", "its input has one channel")
    else:
        found["channels"] = Guess("RGB", "its input has three channels; it may be BGR")
    return found


def classes(output: Tensor) -> int | None:
    """Scores that an output has, if it can be an output of scores; 0 where their number is open."""
    if output.type.startswith("seq(map("):
        return 0
    if output.type not in FLOATS or not 1 <= len(output.shape) <= 2 or not all(map(_is_one, output.shape[:-1])):
        return None
    last = output.shape[-1]
    return last if isinstance(last, int) and last > 0 else 0


def scores(outputs: Sequence[Tensor]) -> Tensor | None:
    """The one output that can be of scores; the label that scikit-learn's classifiers give beside them is none."""
    fitting = [each for each in outputs if classes(each) is not None]
    named = [each for each in fitting if each.name == "scores"]
    if named:
        return named[0]
    return fitting[0] if len(fitting) == 1 else None


def output_kind(outputs: Sequence[Tensor], *, of: str, labels: int) -> Guess:
    """
    Args:
        of: the kind of input.
        labels: how many there are; 0 where that is not known.
    """
    text = ", ".join(map(_text, outputs))
    if of == "image" and _are_boxes(outputs, labels):
        return Guess("detections", f"its outputs are {text}")
    if scores(outputs):
        return Guess("labels", f"its outputs are {text}")
    hint = ""
    if of == "image" and len(outputs) == 1 and len(outputs[0].shape) == 4:
        hint = "; for a map of pixels give --map, and of classes --labels"
    elif of == "image" and box_columns(outputs):
        hint = "; if these are boxes, give --labels"
    return Guess("tensors", f"its outputs are {text}{hint}")


def _are_boxes(outputs: Sequence[Tensor], labels: int) -> bool:
    if any(word in each.name.lower() for each in outputs for word in BOX_WORDS):
        return True
    if not _are_rows(outputs) or not labels:
        return False
    # Of 6 are also a box, a score and a class.
    return outputs[0].shape[-1] == 6 or any(size in (4 + labels, 5 + labels) for size in outputs[0].shape[1:])


def _are_rows(outputs: Sequence[Tensor]) -> bool:
    return len(outputs) == 1 and len(outputs[0].shape) == 3 and outputs[0].type in FLOATS


def box_columns(outputs: Sequence[Tensor]) -> int:
    """Columns of rows that can be boxes, [1, columns, N] or [1, N, columns]; 0 where the graph does not tell."""
    known = [size for size in outputs[0].shape[1:] if isinstance(size, int)] if _are_rows(outputs) else []
    return min(known) if known and min(known) > 4 else 0


def _text(tensor: Tensor) -> str:
    return f"{tensor.name}, {tensor.type.removeprefix('tensor(').removesuffix(')')} {list(tensor.shape)}"
