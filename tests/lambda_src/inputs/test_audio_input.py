"""What a graph of audio gets: its shape and type, windows of a fixed length, states, constants."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from inference.inputs.audio import AudioInput
from inference.model import Model, ModelError

RATE = 1000
METADATA = {"sample_rate": str(RATE)}


def tensor(name: str, *shape: int | str | None, type_: str = "tensor(float)") -> SimpleNamespace:
    return SimpleNamespace(name=name, type=type_, shape=list(shape))


def read(*inputs: Any, **metadata: str) -> AudioInput:
    faults: list[str] = []
    found = AudioInput.read({**METADATA, **metadata}, inputs, faults)
    assert faults == []
    assert found is not None
    return found


def feeds(kind: AudioInput, samples: int) -> list[np.ndarray]:
    waveform = np.linspace(-1, 1, samples, dtype=np.float32)
    return [feed[kind.name] for feed in kind._decoded(waveform).feeds]


@pytest.mark.parametrize(
    ("shape", "found"),
    [(("samples",), (50,)), ((1, "samples"), (1, 50)), (("N", 1, None), (1, 1, 50)), ((-1, -1), (1, 50))],
)
def test_batches_of_one_are_added(shape: tuple[Any, ...], found: tuple[int, ...]) -> None:
    (only,) = feeds(read(tensor("x", *shape)), 50)
    assert only.shape == found


@pytest.mark.parametrize(
    ("type_", "dtype", "full_scale"),
    [("float16", "float16", 1), ("double", "float64", 1), ("int16", "int16", 32767)],
)
def test_samples_have_the_graphs_type(type_: str, dtype: str, full_scale: int) -> None:
    (only,) = feeds(read(tensor("x", "samples", type_=f"tensor({type_})")), 3)
    assert only.dtype == dtype
    assert only.tolist() == [-full_scale, 0, full_scale]


@pytest.mark.parametrize("samples", [1, 99, 100, 101, 199, 200, 250])
def test_windows_cover_every_sample_and_the_last_ends_with_the_waveform(samples: int) -> None:
    windows = feeds(read(tensor("x", 1, 100)), samples)
    waveform = np.linspace(-1, 1, samples, dtype=np.float32)
    assert all(window.shape == (1, 100) for window in windows)
    assert len(windows) == -(-samples // 100)
    assert {float(value) for value in waveform} <= {float(value) for window in windows for value in window.flat}
    if samples >= 100:
        np.testing.assert_array_equal(windows[-1][0], waveform[-100:])
    else:
        np.testing.assert_array_equal(windows[-1][0], np.pad(waveform, (0, 100 - samples)))


def test_windows_of_a_graph_with_states_follow_each_other() -> None:
    windows = feeds(read(tensor("x", 1, 100), states='{"h": "hn"}'), 250)
    waveform = np.linspace(-1, 1, 250, dtype=np.float32)
    np.testing.assert_array_equal(np.concatenate([window[0] for window in windows]), np.pad(waveform, (0, 50)))


def test_a_graph_of_an_open_length_gets_windows_where_they_are_declared() -> None:
    windows = feeds(read(tensor("x", 1, "samples"), window="100"), 250)
    assert [window.shape for window in windows] == [(1, 100)] * 3


@pytest.mark.parametrize(("shape", "declared"), [((1, None), {"window": "100"}), ((1, 110), {})])
@pytest.mark.parametrize("samples", [1, 100, 250])
def test_a_context_is_what_came_before_the_window(
    shape: tuple[int | None, ...], declared: dict[str, str], samples: int
) -> None:
    windows = feeds(read(tensor("x", *shape), context="10", **declared), samples)
    waveform = np.linspace(-1, 1, samples, dtype=np.float32)
    count = -(-samples // 100)
    padded = np.pad(waveform, (10, count * 100 - samples))
    assert len(windows) == count
    for index, window in enumerate(windows):
        np.testing.assert_array_equal(window[0], padded[100 * index : 100 * index + 110])


def test_the_windowing_says_how_scores_are_joined() -> None:
    assert read(tensor("x", 100))._decoded(np.ones(1, np.float32)).join == "mean"
    assert read(tensor("x", 100), windowing="max")._decoded(np.ones(1, np.float32)).join == "max"


@pytest.mark.parametrize(
    ("inputs", "metadata", "fault"),
    [
        ([], {}, "its input is none, but must be one waveform"),
        ([tensor("a", "n"), tensor("b", "n")], {}, "its input is a, tensor(float) ['n'], b, "),
        ([tensor("a", 2, "n")], {}, "its input is a, tensor(float) [2, 'n'], but must be one waveform"),
        ([tensor("a", 0)], {}, "its input is a, tensor(float) [0], but must be one waveform"),
        ([tensor("a", "n", type_="tensor(int64)")], {}, "its input is a, tensor(int64)"),
        ([tensor("a", "n")], {"sample_rate": "x"}, "its sample_rate is 'x', but must be a whole number of Hz"),
        ([tensor("a", "n")], {"window": "0"}, "its window is '0', but must be a whole number of samples from 1 to"),
        ([tensor("a", "n")], {"window": "9" * 5000}, "its window is '99"),
        ([tensor("a", "n")], {"context": "1.5"}, "its context is '1.5', but must be a whole number of samples"),
        ([tensor("a", "n")], {"context": "5"}, "its context is '5', but has a meaning only where its window is"),
        (
            [tensor("a", 100)],
            {"window": "50"},
            "its window of 50 samples and context of 0 make not the 100",
        ),
        ([tensor("a", 100)], {"context": "100"}, "its window of 0 samples and context of 100 make not"),
        ([tensor("a", "n")], {"windowing": "median"}, "its windowing is 'median', but must be 'mean' or 'max'"),
    ],
)
def test_what_cannot_take_audio_is_named(inputs: list[Any], metadata: dict[str, str], fault: str) -> None:
    faults: list[str] = []
    assert AudioInput.read({**METADATA, **metadata}, inputs, faults) is None
    (only,) = faults
    assert only.startswith(fault)


def recurrent_model(**metadata: str) -> bytes:
    """`score = mean(x) * sr`, plus the state, which each window sets to its own mean."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=0),
            helper.make_node("Cast", ["sr"], ["factor"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["mean", "factor"], ["scaled"]),
            helper.make_node("Add", ["scaled", "h"], ["sum"]),
            helper.make_node("Unsqueeze", ["sum", "axis"], ["score"]),
            helper.make_node("Identity", ["mean"], ["hn"]),
        ],
        "recurrent",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4]),
            helper.make_tensor_value_info("h", TensorProto.FLOAT, ["N"]),
            helper.make_tensor_value_info("sr", TensorProto.INT64, []),
        ],
        [
            helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1]),
            helper.make_tensor_value_info("hn", TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor("axis", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    declared = {"name": "r", "version": "1", "license": "MIT", "input_kind": "audio", "labels": '["speech"]'}
    states = {"states": json.dumps({"h": "hn"}), "constants": json.dumps({"sr": 10})}
    helper.set_model_props(model, {**declared, **METADATA, **states, **metadata})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def test_states_start_at_zero_and_run_on_from_window_to_window_of_a_file() -> None:
    model = Model.load(recurrent_model(windowing="max"))
    kind = model.contract.input
    assert isinstance(kind, AudioInput)
    ones = kind._decoded(np.array([1, 1, 1, 1, 3, 3, 3, 3], np.float32))
    for _ in range(2):  # the second file starts at zero again
        assert [result["score"].item() for result in model.run(ones.feeds)] == [10.0, 31.0]
    assert model.predict(ones).values["score"] == 31.0


@pytest.mark.parametrize(
    ("metadata", "fault"),
    [
        ({"states": "h"}, "its states are 'h', but must be a JSON object"),
        ({"states": '{"g": "hn"}'}, "its states name 'g' and 'hn', but must name an input"),
        ({"states": '{"h": "gn"}'}, "its states name 'h' and 'gn', but must name an input"),
        ({"states": '{"h": ["hn"]}'}, "its states name 'h' and"),
        ({"constants": '{"rate": 1}'}, "its constants name 'rate', but the graph's inputs are x, "),
        ({"constants": "[1]"}, "its constants are '[1]', but must be a JSON object"),
        ({"constants": '{"sr": "fast"}'}, "its constant 'sr' is \"fast\", but must be tensor(int64) []"),
        ({"constants": '{"sr": 1.5}'}, "its constant 'sr' is 1.5, but must be tensor(int64) []"),
        ({"constants": '{"sr": NaN}'}, "its constant 'sr' is NaN, but must be tensor(int64) []"),
        ({"constants": '{"h": [0]}'}, "its input 'h' is declared as a state and as a constant"),
        (
            {"states": '{"h": "score"}'},
            "its state h, tensor(float) ['N'] goes on with score, tensor(float)",
        ),
        ({"constants": '{"sr": [1, 2]}'}, "its constant 'sr' is [1, 2], but must be tensor(int64) []"),
    ],
)
def test_states_and_constants_that_the_graph_does_not_have_are_named(metadata: dict[str, str], fault: str) -> None:
    with pytest.raises(ModelError) as caught:
        Model.load(recurrent_model(**metadata))
    assert any(each.startswith(fault) for each in caught.value.faults), caught.value.faults
