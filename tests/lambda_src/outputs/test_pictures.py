"""From an uploaded picture to boxes and maps in its own pixels, however it is stored and resized."""

import io

import numpy as np
import pytest
from PIL import Image

from inference.inputs.image import ImageLimits
from inference.model import Model
from tests.onnx_models.detectors import make_detector, make_raw_detector
from tests.onnx_models.segmentation import make_segmentation

WIDTH, HEIGHT = 256, 128
GRAY = (128, 128, 128)
RECTANGLES = {"red": (100, 16, 140, 40), "blue": (120, 64, 188, 112)}  # also within the square that is cropped
COLOURS = {"red": (250, 20, 20), "blue": (20, 20, 200)}
ORIENTATION = 0x0112  # of EXIF
STORED = {  # how a picture is stored that its EXIF orientation makes upright
    1: [],
    2: [Image.Transpose.FLIP_LEFT_RIGHT],
    3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE],
    6: [Image.Transpose.ROTATE_90],
    7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}


def upright():
    picture = Image.new("RGB", (WIDTH, HEIGHT), GRAY)
    for name, (left, top, right, bottom) in RECTANGLES.items():
        picture.paste(COLOURS[name], (left, top, right, bottom))
    return picture


def stored(orientation):
    picture = upright()
    for turn in STORED[orientation]:
        picture = picture.transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    file = io.BytesIO()
    picture.save(file, "PNG", exif=exif)
    return file.getvalue()


@pytest.fixture(scope="module", params=["squash", "fit", "crop"])
def resize(request):
    return request.param


@pytest.fixture(scope="module", params=[make_detector, make_raw_detector], ids=["lists", "rows"])
def detector(request, resize):
    return Model.load(request.param(resize=resize).SerializeToString())


def predict(model, data):
    return model.predict(model.contract.input.decode(data, ImageLimits()))


@pytest.mark.parametrize("orientation", STORED)
def test_boxes_are_those_that_were_drawn(detector, orientation):
    values = predict(detector, stored(orientation)).values
    assert {each["label"]: tuple(each["box"].values()) for each in values["detections"]} == RECTANGLES


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("resize", ["squash", "fit"])
def test_a_map_is_the_picture_that_was_drawn(resize, orientation):
    outcome = predict(Model.load(make_segmentation(resize=resize).SerializeToString()), stored(orientation))
    found = np.asarray(Image.open(io.BytesIO(outcome.file.content)))
    true = np.zeros((HEIGHT, WIDTH), np.uint8)
    for class_id, name in ((1, "red"), (3, "blue")):
        left, top, right, bottom = RECTANGLES[name]
        true[top:bottom, left:right] = class_id
    assert np.array_equal(found, true)
    shares = {name: (box[2] - box[0]) * (box[3] - box[1]) / (WIDTH * HEIGHT) for name, box in RECTANGLES.items()}
    assert outcome.values["class_shares"] == {
        "background": pytest.approx(1 - sum(shares.values()), abs=1e-6),
        **{name: pytest.approx(share, abs=1e-6) for name, share in shares.items()},
    }
