"""Maps over the model's input become pictures of the uploaded picture's size."""

import io
import json
import tracemalloc

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from inference.input_error import InputError
from inference.outputs.parts import maps
from inference.outputs.tensors import TensorsOutput
from tests.onnx_models import SIZE
from tests.onnx_models.segmentation import make_level_map, make_segmentation

from .graphs import picture, tensor

LABELS = json.dumps(["sky", "sea", "sand"])


def read(output, *, input_kind="image", **metadata):
    faults: list[str] = []
    outputs = output if isinstance(output, list) else [output]
    kind = TensorsOutput.read(metadata, outputs, faults, input_kind)
    assert (kind is None) == bool(faults)
    return kind, faults


def drawn(array, decoded, **metadata):
    """The picture, and what the item says."""
    names = {"f": "float", "i": "int64", "u": "uint8"}
    kind, faults = read(tensor("y", list(array.shape), names[array.dtype.kind]), **metadata)
    assert not faults
    made = kind.outcome([{"y": array}], decoded)
    assert (made.file.suffix, made.file.media_type) == (".png", "image/png")
    with Image.open(io.BytesIO(made.file.content)) as file:
        file.load()
        assert file.mode == "L"
        return np.asarray(file), made.values


def stripes(width, height):
    """A picture of classes 0 to 2, each a third of its width."""
    return np.broadcast_to(np.arange(width) * 3 // width, (height, width)).astype(np.uint8)


@pytest.mark.parametrize("resize", ["squash", "fit"])
@pytest.mark.parametrize(("width", "height"), [(90, 30), (30, 90), (600, 450)])
@pytest.mark.parametrize("size", [24, 120])
def test_a_map_has_the_pictures_size_and_place_without_the_padding(resize, width, height, size):
    decoded = picture(width, height, 240, resize)
    at = decoded.placement
    assert at
    # What a perfect model gives: for each pixel of its map, the class of the picture there; 2 in the padding.
    step = 240 / size
    columns = ((np.arange(size) + 0.5) * step - at.left) / at.scale_x
    rows = ((np.arange(size) + 0.5) * step - at.top) / at.scale_y
    true = stripes(width, height)
    given = true[np.clip(rows, 0, height - 1).astype(int)][:, np.clip(columns, 0, width - 1).astype(int)].copy()
    given[(rows < 0) | (rows >= height)] = 2
    given[:, (columns < 0) | (columns >= width)] = 2
    found, values = drawn(given[np.newaxis], decoded, map="classes")
    assert found.shape == (height, width)
    # A pixel of the map covers several of the picture, so that an edge may be half of that off.
    off = step / at.scale_x / 2
    sure = np.abs((np.arange(width) + 0.5)[:, np.newaxis] - np.array([width / 3, width * 2 / 3])).min(axis=1) > off + 1
    assert np.array_equal(found[:, sure], true[:, sure])
    assert sum(values["class_shares"].values()) == pytest.approx(1, abs=1e-5)


def test_a_class_without_a_name_is_told_by_its_id():
    _, values = drawn(np.array([[0, 1]]), picture(8, 4, 2), map="classes", labels='["", "sea"]')
    assert values["class_shares"] == {"0": 0.5, "sea": 0.5}


def test_classes_never_mix():
    found, _ = drawn(np.array([[0, 2], [2, 0]]), picture(50, 50, 2), map="classes")
    assert set(np.unique(found)) == {0, 2}


@pytest.mark.parametrize(
    ("layout", "shape"),
    [("scores first", (1, 3, 8, 9)), ("scores last", (1, 8, 9, 3)), ("without batch", (3, 8, 9))],
)
def test_the_best_class_of_each_pixel_is_drawn(layout, shape):
    best = np.random.default_rng(1).integers(0, 3, (8, 9))
    scores = np.eye(3, dtype=np.float32)[best]
    scores = scores if layout == "scores last" else scores.transpose(2, 0, 1)
    for labels in ({"labels": LABELS}, {}):
        found, values = drawn(scores.reshape(shape), picture(9, 8, 9), map="classes", **labels)
        assert np.array_equal(found[:, :], found)
    exact = picture(72, 72, 72)
    found, values = drawn(scores.reshape(shape), exact, map="classes", labels=LABELS)
    assert np.array_equal(found, np.kron(best, np.ones((9, 8), np.uint8)))
    shares = {label: round(float((best == class_id).mean()), 6) for class_id, label in enumerate(json.loads(LABELS))}
    assert values["class_shares"] == shares
    assert values["outputs"] == {"y": {"shape": list(shape), "dtype": "float32"}}


@pytest.mark.parametrize(("width", "height"), [(40, 40), (97, 31), (3, 200)])
def test_levels_are_interpolated_as_pillow_does(width, height):
    levels = np.random.default_rng(2).random((1, 1, 20, 20), np.float32)
    decoded = picture(width, height, 20)
    if min(width, height) >= 20:  # Pillow smooths where it makes a picture smaller
        expected = Image.fromarray(levels[0, 0]).resize((width, height), Image.Resampling.BILINEAR)
        found, values = drawn(levels, decoded, map="levels")
        assert np.abs(found - 255 * np.asarray(expected)).max() < 0.51
        assert values == {"outputs": {"y": {"shape": [1, 1, 20, 20], "dtype": "float32"}}}
    assert drawn(np.ones_like(levels), decoded, map="levels")[0].min() == 255


def test_logits_become_levels():
    logits = np.array([[-1000, 0], [0, 1000]], np.float32)
    found, _ = drawn(logits, picture(2, 2, 2), map="levels", activation="sigmoid")
    assert found.tolist() == [[0, 128], [128, 255]]


def test_a_large_picture_is_drawn_in_bands_as_in_one(monkeypatch):
    levels = np.random.default_rng(3).random((1, 16, 16), np.float32)
    decoded = picture(64, 48, 16)
    for kind, array in (("levels", levels), ("classes", (levels * 255).astype(np.uint8))):
        whole = drawn(array, decoded, map=kind)
        with monkeypatch.context() as patch:
            patch.setattr(maps, "BAND_PIXELS", 200)
            banded = drawn(array, decoded, map=kind)
        assert np.array_equal(whole[0], banded[0])
        assert whole[1] == banded[1]


def test_a_wide_picture_takes_little_memory_whatever_the_map():
    placement = picture(30_000, 4, 1024).placement
    assert placement
    tracemalloc.start()
    try:
        size = sum(band.size for band in maps.bilinear(np.ones((1024, 1024), np.float32), placement))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 30_000 * 4
    assert peak < 30_000_000  # every row of the map at the picture's width has 123 MB


def test_a_picture_is_always_the_same_bytes():
    kind, _ = read(tensor("y", [8, 8]), map="levels")
    result = {"y": np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)}
    first, second = (kind.outcome([result], picture(50, 60, 8)).file.content for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("metadata", "array", "message"),
    [
        ({"map": "classes", "labels": LABELS}, np.full((4, 4), 3), "UNKNOWN_CLASS_ID: The model found the class 3"),
        ({"map": "classes"}, np.full((4, 4), 256), "UNKNOWN_CLASS_ID: The model found classes from 256 to 256"),
        ({"map": "classes"}, np.full((4, 4), -1), "UNKNOWN_CLASS_ID: The model found classes from -1 to -1"),
        ({"map": "levels"}, np.full((4, 4), 1.5, np.float32), "UNEXPECTED_OUTPUT: The model's output 'y' is from 1.5"),
        ({"map": "levels"}, np.full((4, 4), np.nan, np.float32), "NON_FINITE_OUTPUT: The model's output 'y'"),
    ],
)
def test_a_map_of_other_values_is_refused(metadata, array, message):
    with pytest.raises(InputError, match=message):
        drawn(array, picture(8, 8, 4), **metadata)


def test_levels_that_leave_the_range_by_rounding_are_cut():
    assert drawn(np.full((4, 4), 1.0001, np.float32), picture(8, 8, 4), map="levels")[0].max() == 255


def test_another_shape_than_declared_is_refused():
    kind, _ = read(tensor("y", ["batch", "n", "height", "width"]), map="levels")
    with pytest.raises(InputError, match=r"UNEXPECTED_OUTPUT.*\[1, 2, 4, 4\] for this input, but must be one map"):
        kind.outcome([{"y": np.zeros((1, 2, 4, 4), np.float32)}], picture(8, 8, 4))


SCORES = tensor("y", [1, 3, 64, 64])


@pytest.mark.parametrize(
    ("metadata", "output", "fault"),
    [
        ({"map": "colours"}, SCORES, "its map is 'colours', but must be 'classes' or 'levels'"),
        ({"map": "classes", "input_kind": "tensor"}, SCORES, "where its input_kind is not 'image'"),
        ({"map": "classes", "resize": "crop"}, SCORES, "its resize is 'crop', but must be another for a map"),
        ({"map": "classes"}, [SCORES, tensor("aux", [1, 3, 64, 64])], "name one of them in the metadata outputs"),
        ({"map": "classes"}, tensor("y", [1, 300, 400, 400]), "scores of 300 classes, but must have from 2 to 256"),
        ({"map": "classes"}, tensor("y", [1, 1, 64, 64]), "one alone is a map of levels"),
        ({"map": "classes", "labels": '["a"]'}, SCORES, "must have one score for each of 1 labels"),
        ({"map": "classes", "labels": '{"300": "a"}'}, tensor("y", [1, 64, 64], "int64"), "labels go to class 300"),
        ({"map": "classes", "labels": "a"}, SCORES, "must be a JSON list of strings"),
        ({"map": "classes", "activation": "sigmoid"}, SCORES, "for a map of levels only"),
        ({"map": "classes"}, tensor("y", [1, 64, 64]), "or class ids, int [1, height, width]"),
        ({"map": "classes"}, tensor("y", [64, 64], "bool"), "or class ids, int [1, height, width]"),
        ({"map": "levels"}, SCORES, "must be levels, float [1, 1, height, width]"),
        ({"map": "levels"}, tensor("y", [64, 64], "uint8"), "must be levels, float [1, 1, height, width]"),
        ({"map": "levels", "activation": "softmax"}, tensor("y", [64, 64]), "must be 'sigmoid'"),
    ],
)
def test_faults_of_the_contract_are_named(metadata, output, fault):
    _, faults = read(output, **metadata)
    assert any(fault in each for each in faults), faults


@pytest.mark.parametrize("make", [make_segmentation, make_level_map])
def test_a_real_graph_draws_what_it_sees(make):
    session = onnxruntime.InferenceSession(make().SerializeToString())
    kind, faults = read(session.get_outputs(), **session.get_modelmeta().custom_metadata_map)
    assert not faults
    image = np.full((1, 3, SIZE, SIZE), 0.5, np.float32)
    image[0, :, :, SIZE // 2 :] = np.array([1, 0, 0])[:, np.newaxis, np.newaxis]
    (array,) = session.run(list(kind.names), {"image": image})
    made = kind.outcome([dict(zip(kind.names, [array], strict=True))], picture(200, 100, SIZE, "squash"))
    found = np.asarray(Image.open(io.BytesIO(made.file.content)))
    assert found.shape == (100, 200)
    assert found[50, [10, 190]].tolist() == ([0, 1] if make is make_segmentation else [0, 255])
    if make is make_segmentation:
        assert made.values["class_shares"] == {"background": 0.5, "red": 0.5}
