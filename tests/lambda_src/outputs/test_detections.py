"""Boxes, scores and classes, in every form that graphs give them."""

import json
import math

import numpy as np
import onnxruntime
import pytest

from inference.input_error import InputError
from inference.outputs import detections
from inference.outputs.detections import DetectionsOutput
from inference.outputs.parts.item_size import ITEM_BYTES, item_size
from tests.onnx_models import COLOURS, SIZE
from tests.onnx_models.detectors import make_detector, make_raw_detector

from .graphs import picture, tensor

LABELS = json.dumps(["cat", "dog"])
BOXES, SCORES, CLASSES = tensor("boxes", ["n", 4]), tensor("scores", ["n"]), tensor("labels", ["n"], "int64")
SQUARE = picture(100, 100, 100)


def read(outputs, *, input_kind="image", **metadata):
    faults: list[str] = []
    metadata = {"labels": LABELS, "boxes_format": "xyxy", **metadata}
    kind = DetectionsOutput.read({key: value for key, value in metadata.items() if value}, outputs, faults, input_kind)
    assert (kind is None) == bool(faults)
    return kind, faults


def found(outputs, arrays, decoded=SQUARE, **metadata):
    kind, faults = read(outputs, **metadata)
    assert not faults
    assert set(kind.names) <= set(arrays)
    return kind.outcome([arrays], decoded).values


def lists(boxes, scores, classes):
    return {
        "boxes": np.array(boxes, np.float32).reshape(-1, 4),
        "scores": np.array(scores, np.float32),
        "labels": np.array(classes, np.int64),
    }


def box(left, top, right, bottom):
    return {"left": left, "top": top, "right": right, "bottom": bottom}


def test_detections_are_listed_with_the_highest_score_first_and_ties_in_the_graphs_order():
    values = found(
        [BOXES, SCORES, CLASSES],
        lists([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], [0.5, 0.123456789 + 0.5, 0.5], [0, 1, 1]),
    )
    assert values == {
        "detections": [
            {"label": "dog", "score": 0.623457, "box": box(5.0, 6.0, 7.0, 8.0)},
            {"label": "cat", "score": 0.5, "box": box(1.0, 2.0, 3.0, 4.0)},
            {"label": "dog", "score": 0.5, "box": box(9.0, 10.0, 11.0, 12.0)},
        ],
        "detection_count": 3,
    }
    json.dumps(values, allow_nan=False)


def test_a_picture_without_any_has_an_empty_list():
    values = found([BOXES, SCORES, CLASSES], lists([], [], []))
    assert values == {"detections": [], "detection_count": 0}


@pytest.mark.parametrize(
    ("boxes_format", "given"),
    [
        ("xyxy", [10, 20, 40, 80]),
        ("yxyx", [20, 10, 80, 40]),
        ("xywh", [10, 20, 30, 60]),
        ("cxcywh", [25, 50, 30, 60]),
    ],
)
@pytest.mark.parametrize("unit", ["pixels", "fraction"])
def test_every_format_and_unit_of_boxes_is_the_same_box(boxes_format, given, unit):
    arrays = lists(np.array(given) / (100 if unit == "fraction" else 1), [0.9], [0])
    values = found([BOXES, SCORES, CLASSES], arrays, boxes_format=boxes_format, boxes_unit=unit)
    assert values["detections"][0]["box"] == box(10.0, 20.0, 40.0, 80.0)


@pytest.mark.parametrize("resize", ["squash", "fit", "crop"])
@pytest.mark.parametrize(("width", "height"), [(1000, 500), (500, 1000), (37, 23), (640, 640)])
def test_boxes_are_in_the_uploaded_pictures_pixels(resize, width, height):
    """Where the same picture is drawn larger or smaller by resizing, its box is found in it at the same place."""
    decoded = picture(width, height, 320, resize)
    at = decoded.placement
    assert at
    middle = [width / 2, height / 2] * 2
    true = np.array(middle) + np.array([-width / 8, -height / 8, width / 8, height / 8])
    drawn = true * ([at.scale_x, at.scale_y] * 2) + ([at.left, at.top] * 2)
    values = found([BOXES, SCORES, CLASSES], lists(drawn, [0.9], [0]), decoded)
    assert list(values["detections"][0]["box"].values()) == pytest.approx(true, abs=0.051)


def test_boxes_are_clipped_to_the_picture_and_rounded_to_a_tenth_of_a_pixel():
    given = [[-5, 10.26, 50.04, 200], [-20, 0, -1, 50], [0, 100, 10, 130], [30, 30, 30, 40], [50, 50, 50.04, 60]]
    values = found([BOXES, SCORES, CLASSES], lists(given, [0.9] * 5, [0] * 5))
    assert [each["box"] for each in values["detections"]] == [box(0.0, 10.3, 50.0, 100.0)]


def test_what_lies_in_the_padding_of_a_fitted_picture_is_dropped():
    wide = picture(200, 100, 100, "fit")  # 25 rows above and below are padding
    values = found([BOXES, SCORES, CLASSES], lists([[0, 0, 100, 20], [0, 20, 50, 50]], [0.9, 0.8], [0, 0]), wide)
    assert [each["box"] for each in values["detections"]] == [box(0.0, 0.0, 100.0, 50.0)]


def test_the_forms_of_torchvision_and_tensorflow_are_told_by_their_names_and_types():
    kind, _ = read([tensor("2769", ["n", 4]), tensor("3012", ["n"], "int64"), tensor("3013", ["n"])])
    assert (kind.roles.boxes, kind.roles.classes, kind.roles.scores) == ("2769", "3012", "3013")
    outputs = [
        *(tensor(f"detection_{name}", shape) for name, shape in (("boxes", [1, 3, 4]), ("classes", [1, 3]))),
        *(tensor("detection_scores", [1, 3]), tensor("num_detections", [1])),
    ]
    arrays = {
        "detection_boxes": np.array([[[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], [0, 0, 0, 0]]], np.float32),
        "detection_classes": np.array([[18, 3, 1]], np.float32),
        "detection_scores": np.array([[0.9, 0.8, 0.99]], np.float32),
        "num_detections": np.array([2], np.float32),
    }
    labels = json.dumps({"3": "car", "18": "dog"})
    values = found(outputs, arrays, labels=labels, boxes_format="yxyx", boxes_unit="fraction")
    assert [each["label"] for each in values["detections"]] == ["dog", "car"]
    assert values["detections"][0]["box"] == box(20.0, 10.0, 40.0, 30.0)


def test_classes_may_be_counted_from_another_number_than_0():
    arrays = lists([[1, 2, 3, 4], [5, 6, 7, 8]], [0.9, 0.8], [1, 2])
    values = found([BOXES, SCORES, CLASSES], arrays, class_offset="1")
    assert [each["label"] for each in values["detections"]] == ["cat", "dog"]


RAW = np.array(
    [[50, 50, 20, 40, 0.9, 0.1], [51, 50, 20, 40, 0.8, 0.1], [50, 50, 20, 40, 0.1, 0.7], [9, 9, 2, 2, 0.2, 0]]
)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("batch", [False, True])
def test_one_output_holds_everything_in_rows_or_columns(turned, batch):
    """Of YOLOv8: the box, and a score for each class."""
    array = RAW.astype(np.float32)
    array = array.T if turned else array
    array = array[np.newaxis] if batch else array
    outputs = [tensor("output0", list(array.shape))]
    values = found(outputs, {"output0": array}, boxes_format="cxcywh", columns="scores", nms="0.5")
    assert [(each["label"], each["score"]) for each in values["detections"]] == [("cat", 0.9), ("dog", 0.7)]
    assert values["detections"][0]["box"] == box(40.0, 30.0, 60.0, 70.0)


@pytest.mark.parametrize(("nms", "count"), [("", 2), ("1", 3)])
def test_boxes_of_rows_are_suppressed_unless_all_are_wanted(nms, count):
    arrays = {"o": RAW[np.newaxis].astype(np.float32)}
    values = found([tensor("o", [1, 4, 6])], arrays, boxes_format="", columns="scores", nms=nms)
    assert values["detection_count"] == count
    assert values["detections"][0]["box"] == box(40.0, 30.0, 60.0, 70.0)  # as YOLO has them, unless declared


def test_boxes_of_lists_are_reported_as_the_graph_chose_them():
    values = found([BOXES, SCORES, CLASSES], lists([[1, 2, 3, 4]] * 3, [0.5] * 3, [0] * 3))
    assert values["detection_count"] == 3


def test_a_class_with_an_empty_label_is_not_reported():
    """As DETR's "no object", its last class, or COCO's unused class ids."""
    labels = json.dumps(["cat", "dog", ""])
    logits = np.array([[[5, 1, 6], [0, 0, 9]]], np.float32)
    arrays = {"pred_boxes": np.full((1, 2, 4), 0.5, np.float32), "logits": logits}
    outputs = [tensor("logits", [1, 100, 3]), tensor("pred_boxes", [1, 100, 4])]
    declared = {"labels": labels, "boxes_format": "cxcywh", "boxes_unit": "fraction", "activation": "softmax"}
    values = found(outputs, arrays, **declared)
    score = pytest.approx(1 / (1 + math.exp(-4) + math.exp(1)), abs=1e-5)
    assert values["detections"] == [{"label": "cat", "score": score, "box": box(25.0, 25.0, 75.0, 75.0)}]
    arrays = lists([[1, 2, 3, 4], [5, 6, 7, 8]], [0.9, 0.8], [2, 1])
    assert [each["label"] for each in found([BOXES, SCORES, CLASSES], arrays, labels=labels)["detections"]] == ["dog"]


def test_the_output_with_everything_may_be_named_among_others():
    """As YOLOv5's exports that keep the maps it is made of."""
    outputs = [tensor("output", [1, 25200, 7]), tensor("340", [1, 3, 80, 80, 7]), tensor("392", [1, 3, 40, 40, 7])]
    kind, _ = read(outputs, boxes="output", boxes_format="")
    assert (kind.names, kind.columns) == (("output",), "objectness")
    kind, _ = read([BOXES, SCORES, CLASSES], boxes="boxes")
    assert kind.names == ("boxes", "scores", "labels")


@pytest.mark.parametrize("activation", ["", "sigmoid"])
def test_a_score_is_multiplied_by_the_objectness(activation):
    """Of YOLOv5: the box, its objectness, and a score for each class."""
    rows = np.array([[50, 50, 20, 40, 0.5, 0.9, 0.2], [50, 50, 20, 40, 0.9, 0.1, 0.2]])
    if activation:
        rows[:, 4:] = np.log(rows[:, 4:] / (1 - rows[:, 4:]))
    arrays = {"o": rows[np.newaxis].astype(np.float32)}
    values = found([tensor("o", [1, 25200, 7])], arrays, boxes_format="cxcywh", activation=activation)
    assert [(each["label"], each["score"]) for each in values["detections"]] == [("cat", 0.45)]


def test_rows_may_have_one_score_and_a_class():
    """Of YOLOv10, whose graph has made its choice."""
    rows = np.array([[10, 20, 40, 80, 0.9, 1], [10, 20, 40, 80, 0.8, 0], [0, 0, 0, 0, 0, 7]], np.float32)
    values = found([tensor("o", [1, 300, 6])], {"o": rows[np.newaxis]}, columns="class")
    assert [(each["label"], each["score"]) for each in values["detections"]] == [("dog", 0.9), ("cat", 0.8)]


@pytest.mark.parametrize("boxes_shape", [(1, 3, 4), (1, 3, 1, 4), (3, 4)])
def test_boxes_and_a_score_for_each_class_with_a_background(boxes_shape):
    """Of SSD: softmax over the background, which is class 0, and the labels."""
    logits = np.array([[[0, 3, 1], [5, 0, 0], [0, 1, 3]]], np.float32)
    arrays = {"boxes": np.tile(np.array([10, 20, 40, 80], np.float32), (3, 1)).reshape(boxes_shape), "scores": logits}
    outputs = [tensor("boxes", list(boxes_shape)), tensor("scores", [1, 3, 3])]
    values = found(outputs, arrays, class_offset="1", activation="softmax")
    score = round(math.exp(3) / (math.exp(3) + math.exp(1) + 1), 6)
    assert [(each["label"], each["score"]) for each in values["detections"]] == [
        ("cat", pytest.approx(score, abs=2e-6)),
        ("dog", pytest.approx(score, abs=2e-6)),
    ]


def test_what_does_not_fit_is_counted():
    count = 7
    boxes = [[10 * i, 0, 10 * i + 5, 5] for i in range(count)]
    arrays = lists(boxes, np.linspace(0.9, 0.5, count), [0] * count)
    for nms in ("", "0.5"):
        values = found([BOXES, SCORES, CLASSES], arrays, max_detections="3", nms=nms)
        assert (values["detection_count"], values["detections_left_out"]) == (3, 4)
        assert values["detections"][0]["score"] == 0.9


def test_suppression_goes_on_where_the_best_boxes_give_too_few(monkeypatch):
    monkeypatch.setattr(detections, "MAX_CANDIDATES", 2)
    arrays = lists([[0, 0, 9, 9], [0, 0, 9, 9], [20, 20, 30, 30]], [0.9, 0.8, 0.7], [0, 0, 0])
    values = found([BOXES, SCORES, CLASSES], arrays, nms="0.5")
    assert [each["score"] for each in values["detections"]] == [0.9, 0.7]


@pytest.mark.parametrize("shape", [[1, 6, "n"], ["batch", 6, None], [6, -1]])
def test_the_graph_tells_columns_from_boxes_where_there_are_as_many(shape):
    array = np.zeros((6, 6), np.float32)
    array[:, 0] = RAW[0]
    batch = (1,) * (len(shape) - 2)
    values = found([tensor("o", shape)], {"o": array.reshape(*batch, 6, 6)}, boxes_format="", columns="scores")
    assert values["detections"] == [{"label": "cat", "score": 0.9, "box": box(40.0, 30.0, 60.0, 70.0)}]
    rows = array.T.reshape(*batch, 6, 6)
    rest = [*shape[:-2], shape[-1], shape[-2]]
    assert found([tensor("o", rest)], {"o": rows}, boxes_format="", columns="scores") == values


def test_columns_are_told_by_the_run_where_the_graph_leaves_both_sizes_open():
    for array in (RAW[:3], RAW[:3].T):
        arrays = {"o": array.astype(np.float32)}
        assert found([tensor("o", ["a", "b"])], arrays, boxes_format="", columns="scores")["detection_count"] == 2
    with pytest.raises(InputError, match=r"UNEXPECTED_OUTPUT.*\[4, 6\] for this input, but must have 6 columns"):
        found([tensor("o", [6, "n"])], {"o": RAW.astype(np.float32)}, boxes_format="", columns="scores")


@pytest.mark.parametrize(
    ("shape", "scores"), [((3, 5), SCORES), ((1, 4, 3), SCORES), ((4, 3), tensor("scores", ["n", 2])), ((4,), SCORES)]
)
def test_boxes_of_another_shape_are_refused(shape, scores):
    outputs = [tensor("boxes", [None] * len(shape)), scores, *([CLASSES] if scores is SCORES else [])]
    arrays = {"boxes": np.ones(shape, np.float32), "labels": np.zeros(3, np.int64)}
    arrays["scores"] = np.full((3,) if scores is SCORES else (3, 2), 0.9, np.float32)
    with pytest.raises(InputError, match="UNEXPECTED_OUTPUT"):
        found(outputs, arrays, boxes="boxes", scores="scores")


@pytest.mark.parametrize("count", [[math.nan], [-1], [3], [1.5], [math.inf], [], [1, 1]])
def test_a_count_that_is_not_one_of_its_boxes_is_refused(count):
    arrays = {**lists([[1, 2, 3, 4], [5, 6, 7, 8]], [0.9, 0.8], [0, 1]), "num_dets": np.array(count, np.float32)}
    with pytest.raises(InputError, match=r"UNEXPECTED_OUTPUT.*'num_dets'"):
        found([BOXES, SCORES, CLASSES, tensor("num_dets", ["n"])], arrays)
    arrays["num_dets"] = np.array([0], np.int32)
    values = found([BOXES, SCORES, CLASSES, tensor("num_dets", [1], "int32")], arrays)
    assert values["detection_count"] == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_refused(value):
    for arrays, code in (
        (lists([[1, 2, 3, 4]], [value], [0]), "NON_FINITE_SCORES"),
        (lists([[1, value, 3, 4]], [0.9], [0]), "NON_FINITE_OUTPUT"),
    ):
        with pytest.raises(InputError) as refused:
            found([BOXES, SCORES, CLASSES], arrays)
        assert refused.value.code == code
    raw = RAW[np.newaxis].astype(np.float32)
    raw[0, 3, 4] = value
    with pytest.raises(InputError, match="NON_FINITE_SCORES"):
        found([tensor("o", [1, 4, 6])], {"o": raw}, columns="scores")


def test_a_class_without_a_label_is_named():
    with pytest.raises(InputError, match=r"UNKNOWN_CLASS_ID.*the class 7.* from 0 to 1"):
        found([BOXES, SCORES, CLASSES], lists([[1, 2, 3, 4]], [0.9], [7]))
    with pytest.raises(InputError, match=r"UNKNOWN_CLASS_ID.*the class 0.5"):
        rows = np.array([[1, 2, 3, 4, 0.9, 0.5]], np.float32)
        found([tensor("o", [300, 6])], {"o": rows}, columns="class")


def test_outputs_of_different_lengths_are_refused():
    with pytest.raises(InputError, match=r"UNEXPECTED_OUTPUT.*2 boxes, 1 scores and 1 classes"):
        found([BOXES, SCORES, CLASSES], lists([[1, 2, 3, 4], [1, 2, 3, 4]], [0.9], [0]))
    with pytest.raises(InputError, match=r"UNEXPECTED_OUTPUT.*must have 6 columns"):
        found([tensor("o", ["a", "b"])], {"o": np.zeros((5, 5), np.float32)}, columns="scores")


@pytest.mark.parametrize(
    ("metadata", "outputs", "fault"),
    [
        ({"input_kind": "audio"}, [BOXES, SCORES, CLASSES], "must be another where its input_kind is not 'image'"),
        ({"labels": "cat"}, [BOXES, SCORES, CLASSES], "its labels are 'cat', but must be a JSON list"),
        ({"boxes_format": ""}, [BOXES, SCORES, CLASSES], "its boxes_format is '', but must be one of xyxy, yxyx"),
        ({"boxes_unit": "mm"}, [BOXES, SCORES, CLASSES], "must be one of pixels, fraction"),
        ({"min_score": "2"}, [BOXES, SCORES, CLASSES], "its min_score is '2', but must be a number from 0.0 to 1.0"),
        ({"nms": "half"}, [BOXES, SCORES, CLASSES], "its nms is 'half'"),
        ({"max_detections": "1e9"}, [BOXES, SCORES, CLASSES], "must be a whole number from 1 to 1,000"),
        ({"boxes": "bboxes"}, [BOXES, SCORES, CLASSES], "its boxes is 'bboxes', but must be one of its outputs"),
        ({"activation": "softmax"}, [BOXES, SCORES, CLASSES], "where only one class has a score"),
        ({}, [tensor("a", [5]), tensor("b", [5])], "do not tell the boxes, scores and classes"),
        ({}, [tensor("boxes", ["n", 5]), SCORES, CLASSES], "but must be [N, 4]"),
        ({}, [BOXES, tensor("scores", ["n"], "int64"), CLASSES], "floating-point"),
        ({}, [tensor("boxes", [1, 9, 4]), tensor("scores", [1, 9, 3])], "must be [N, 2], one for each class"),
        ({}, [tensor("o", [1, 6, 8400])], "set the metadata columns"),
        ({}, [tensor("o", [1, 85, 8400])], "must have the columns of one of: 6 (scores), 7 (objectness), 6 (class)"),
        ({"columns": "objectness"}, [tensor("o", [1, 6, 8400])], "must have 7 columns"),
        ({"columns": "all"}, [tensor("o", [1, 6, 8400])], "must be one of scores, objectness, class"),
        ({"labels": '{"1": "cat", "3": "dog"}'}, [tensor("o", [1, 7, 8400])], "must be a list where each class has"),
        ({}, [tensor("boxes", [1, 4, "n"]), tensor("scores", [1, "n", 2])], "but must be [N, 4]"),
        ({}, [BOXES, SCORES, CLASSES, tensor("num_dets", [1], "string")], "but must be numbers"),
        ({"columns": "objectness"}, [BOXES, SCORES, CLASSES], "it has columns, but must have none where"),
        ({"labels": '{"0": "cat"}', "class_offset": "1"}, [BOXES, SCORES, CLASSES], "its class_offset is 1, but must"),
        (
            {"labels": '["cat"]', "activation": "softmax"},
            [BOXES, tensor("scores", ["n", 1])],
            "its activation is 'softmax', but must be another for one class",
        ),
        ({"labels": '["\\ud800", "b"]'}, [BOXES, SCORES, CLASSES], "but must be a JSON list of strings"),
        ({"labels": json.dumps(["a" * 1001])}, [BOXES, SCORES, CLASSES], "of at most 1,000 bytes"),
        ({"labels": json.dumps({"1" * 5000: "a"})}, [BOXES, SCORES, CLASSES], "but must be a JSON list of strings"),
    ],
)
def test_faults_of_the_contract_are_named(metadata, outputs, fault):
    _, faults = read(outputs, **metadata)
    assert any(fault in each for each in faults), faults


def test_several_faults_are_named_at_once():
    _, faults = read([BOXES, SCORES, CLASSES], boxes_format="", min_score="2", nms="3")
    assert len(faults) == 3


@pytest.mark.parametrize(("label", "most"), [("é" * 500, 272), ("a", 1000)])
def test_as_many_detections_as_are_allowed_fit_an_item(label, most):
    boxes = np.random.default_rng(0).uniform(0, 50_000, (most, 2)).round(1)
    arrays = lists(np.hstack([boxes, boxes + 10_000.1]), np.full(most, 1 / 3), [0] * most)
    huge = picture(100_000, 100_000, 100_000)
    metadata = {"labels": json.dumps([label]), "max_detections": str(most)}
    values = found([BOXES, SCORES, CLASSES], arrays, huge, **metadata)
    assert values["detection_count"] == most
    assert item_size(values) <= ITEM_BYTES


def test_labels_of_1000_bytes_leave_room_for_fewer_detections():
    kind, _ = read([BOXES, SCORES, CLASSES], labels=json.dumps(["x" * 1000]))
    assert kind.max_detections == 100
    _, faults = read([BOXES, SCORES, CLASSES], labels=json.dumps(["x" * 1000]), max_detections="900")
    assert faults == ["its max_detections is '900', but must be a whole number from 1 to 272"]


@pytest.mark.parametrize("make", [make_detector, make_raw_detector])
def test_a_real_graph_finds_the_rectangles_that_were_drawn(make):
    session = onnxruntime.InferenceSession(make().SerializeToString())
    faults: list[str] = []
    kind = DetectionsOutput.read(session.get_modelmeta().custom_metadata_map, session.get_outputs(), faults, "image")
    assert kind
    assert not faults
    image = np.full((1, 3, SIZE, SIZE), 0.5, np.float32)
    drawn = [("red", 0.9, (5, 10, 50, 20)), ("blue", 0.8, (40, 30, 64, 64)), ("green", 0.7, (0, 24, 9, 40))]
    for colour, strength, (left, top, right, bottom) in drawn:
        pixels = np.where(np.array(COLOURS) == colour, strength, 0.1)
        image[0, :, top:bottom, left:right] = pixels[:, np.newaxis, np.newaxis]
    names = list(kind.names)
    result = dict(zip(names, session.run(names, {"image": image}), strict=True))
    values = kind.outcome([result], picture(2 * SIZE, 3 * SIZE, SIZE)).values
    assert [(each["label"], each["score"], tuple(each["box"].values())) for each in values["detections"]] == [
        (colour, strength, (2 * left, 3 * top, 2 * right, 3 * bottom))
        for colour, strength, (left, top, right, bottom) in drawn
    ]
    assert make().SerializeToString() == make().SerializeToString()
