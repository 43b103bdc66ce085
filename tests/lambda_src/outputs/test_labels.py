"""Scores become labels: activations, windows, batches of one, maps, and what cannot be labels."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.input_error import InputError
from inference.kinds import Decoded
from inference.outputs.labels import LabelsOutput, top_labels

YES_NO = LabelsOutput(labels=("no", "yes"), scores="scores", activation="")


def label_and_score(output: LabelsOutput, *results: Any, join: str = "mean", **facts: int) -> tuple[str, float]:
    decoded = Decoded(feeds=[], facts=facts, join=join)
    values = output.outcome([{"scores": result} for result in results], decoded).values
    return values["label"], values["score"]


def tensor(name: str, *shape: int | str, type_: str = "tensor(float)") -> SimpleNamespace:
    return SimpleNamespace(name=name, type=type_, shape=list(shape))


def test_the_best_labels_come_first_and_ties_keep_the_models_order() -> None:
    best = top_labels(["a", "b", "c", "d"], [0.1, 0.7, 0.1, 0.9], count=3)
    assert best == [{"label": "d", "score": 0.9}, {"label": "b", "score": 0.7}, {"label": "a", "score": 0.1}]


def test_a_model_with_few_classes_gives_them_all() -> None:
    assert [item["label"] for item in top_labels(["no", "yes"], [0.2, 0.8])] == ["yes", "no"]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(2,), (1, 2), (1, 1, 2)])
def test_batches_of_one_and_other_floats_are_taken(shape: tuple[int, ...], dtype: Any) -> None:
    assert label_and_score(YES_NO, np.array([0.25, 0.75], dtype).reshape(shape)) == ("yes", 0.75)


def test_scores_of_windows_become_one() -> None:
    windows = np.array([0.5, 0.25]), np.array([0.0, 0.5]), np.array([0.0, 0.5])
    assert label_and_score(YES_NO, *windows) == ("yes", 0.416667)
    assert label_and_score(YES_NO, *windows, join="max") == ("no", 0.5)


def test_logits_become_scores() -> None:
    softmax = LabelsOutput(labels=("no", "yes"), scores="scores", activation="softmax")
    sigmoid = LabelsOutput(labels=("no", "yes"), scores="scores", activation="sigmoid")
    logits = np.array([1000.0, 1000.0 + np.log(3)], np.float64)
    label, score = label_and_score(softmax, logits)
    assert label == "yes"
    assert score == pytest.approx(0.75, abs=1e-4)
    assert label_and_score(sigmoid, np.array([-1000.0, np.log(3)], np.float32)) == ("yes", 0.75)


def test_a_map_of_scores_is_read_by_its_labels() -> None:
    numbered = LabelsOutput(labels=("0", "1"), scores="scores", activation="")
    assert label_and_score(numbered, [{1: 0.75, 0: 0.25}]) == ("1", 0.75)
    assert label_and_score(YES_NO, [{"yes": 0.75, "no": 0.25}]) == ("yes", 0.75)
    for unlike in ({"yes": 0.75}, {"yes": 0.5, "perhaps": 0.5}, {1: 0.5, 2: 0.5}):
        with pytest.raises(InputError, match=r"UNEXPECTED_OUTPUT: .* but its labels are 'no', 'yes'\."):
            label_and_score(YES_NO, [unlike])


def test_a_map_by_numbers_of_classes_is_in_the_order_of_the_labels() -> None:
    assert label_and_score(YES_NO, [{1: 0.75, 0: 0.25}]) == ("yes", 0.75)
    digits = LabelsOutput(labels=("1", "0"), scores="scores", activation="")
    assert label_and_score(digits, [{0: 0.25, 1: 0.75}]) == ("1", 0.75)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("activation", ["", "softmax"])
def test_scores_that_are_no_numbers_are_refused(value: float, activation: str) -> None:
    output = LabelsOutput(labels=("no", "yes"), scores="scores", activation=activation)
    if (value, activation) != (-np.inf, "softmax"):  # whose softmax is 0
        with pytest.raises(InputError, match="NON_FINITE_SCORES"):
            label_and_score(output, np.array([value, 0.5], np.float32))


@pytest.mark.parametrize("scores", [np.zeros((3, 2), np.float32), [{"no": 0.5, "yes": 0.5}] * 3])
def test_several_rows_are_no_prediction_for_one_file(scores: Any) -> None:
    with pytest.raises(InputError, match="TOO_MANY_ROWS: The file has 3 rows"):
        label_and_score(YES_NO, scores, rows=3)
    with pytest.raises(
        InputError, match=r"UNEXPECTED_OUTPUT: .* shape \[3, 2\]"
    ):  # frames of audio, parts of a picture
        label_and_score(YES_NO, scores)


def test_one_score_for_each_of_as_many_rows_as_labels_is_no_prediction() -> None:
    with pytest.raises(InputError, match=r"UNEXPECTED_OUTPUT: .* shape \[2, 1\]"):
        label_and_score(YES_NO, np.array([[0.25], [0.75]]), rows=2)
    only = LabelsOutput(labels=("yes",), scores="scores", activation="")
    assert label_and_score(only, np.array([0.75]), rows=1) == ("yes", 0.75)
    with pytest.raises(InputError, match="TOO_MANY_ROWS: The file has 2 rows"):
        label_and_score(only, np.array([0.25, 0.75]), rows=2)


@pytest.mark.parametrize(
    ("labels", "input_kind", "shapes", "scores"),
    [
        (["no", "yes"], "tensor", [["N"]], None),
        (["no", "yes"], "tensor", [["N"], ["N", "classes"]], "output 1"),
        (["no", "yes"], "tensor", [[2]], "output 0"),
        (["yes"], "tensor", [["N"]], "output 0"),
        (["no", "yes"], "audio", [["N"]], "output 0"),
    ],
)
def test_an_open_dimension_alone_is_that_of_the_rows_of_a_tensor(
    labels: list[str], input_kind: str, shapes: list[list[int | str]], scores: str | None
) -> None:
    faults: list[str] = []
    outputs = [tensor(f"output {number}", *shape) for number, shape in enumerate(shapes)]
    output = LabelsOutput.read({"labels": json.dumps(labels)}, outputs, faults, input_kind)
    assert (output and output.scores) == scores
    assert [fault.endswith("one for each row)") for fault in faults] == [True] * (scores is None)


def test_another_number_of_scores_is_refused() -> None:
    with pytest.raises(InputError, match=r"UNEXPECTED_OUTPUT: .* shape \[3\] .* has 2 labels"):
        label_and_score(YES_NO, np.zeros(3, np.float32))


LABELS = {"labels": json.dumps(["no", "yes"])}


@pytest.mark.parametrize(
    ("outputs", "metadata", "scores"),
    [
        ([tensor("anything", "N", 2)], {}, "anything"),
        ([tensor("label", "N", type_="tensor(int64)"), tensor("probabilities", "N", 2)], {}, "probabilities"),
        ([tensor("label", 1, type_="tensor(int64)"), tensor("p", type_="seq(map(int64,tensor(float)))")], {}, "p"),
        ([tensor("embedding", 1, 512), tensor("logits", 1, 2)], {}, "logits"),
        ([tensor("scores", 1, 2), tensor("other", 1, 2)], {}, "scores"),
        ([tensor("scores", 1, 2), tensor("other", 1, 2)], {"scores": "other"}, "other"),
    ],
)
def test_the_output_with_the_scores_is_found(outputs: Any, metadata: dict[str, str], scores: str) -> None:
    faults: list[str] = []
    output = LabelsOutput.read({**LABELS, **metadata}, outputs, faults, "image")
    assert faults == []
    assert output is not None
    assert output.names == (scores,)


OUTPUT = "its output is a, tensor("


@pytest.mark.parametrize(
    ("outputs", "metadata", "fault"),
    [
        ([tensor("a", 1, 2), tensor("b", 1, 2)], {}, OUTPUT),
        ([tensor("a", 1, 2)], {"scores": "b"}, OUTPUT),
        ([tensor("a", 1, 3)], {}, OUTPUT),
        ([tensor("a", 5, 2)], {}, OUTPUT),
        ([tensor("a", 1, 2, type_="tensor(int64)")], {}, OUTPUT),
        ([tensor("a", 1, 2)], {"labels": "no,yes"}, "its labels are 'no,yes', but must be a JSON list of strings"),
        ([tensor("a", 1, 2)], {"labels": "[" * 10_000}, "its labels are '[[["),
        ([tensor("a", 1, 2)], {"labels": '["\\ud800", "b"]'}, "its labels are "),
        ([tensor("a", 1, 2)], {"labels": json.dumps(["a", "x" * 1001])}, "its labels are "),
        ([tensor("a", 1, 2)], {"activation": "tanh"}, "its activation is 'tanh', but must be"),
        (
            [tensor("a", 1, 1)],
            {"labels": '["yes"]', "activation": "softmax"},
            "its activation is 'softmax', which of one label is always 1",
        ),
    ],
)
def test_what_cannot_be_labels_is_named(outputs: Any, metadata: dict[str, str], fault: str) -> None:
    faults: list[str] = []
    assert LabelsOutput.read({**LABELS, **metadata}, outputs, faults, "image") is None
    (only,) = faults
    assert only.startswith(fault)
