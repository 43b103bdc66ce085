"""Models of other kinds than audio and labels, deployed with the constructs: files go in, the right items come out."""

import io
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import onnx
import pytest
from PIL import Image

from crossover import deployed
from crossover.aws import Clients
from crossover.deployed import find_variants
from crossover.local.python_environments import LAMBDA_PYTHON, find_interpreter
from crossover.local.work import LocalAws
from crossover.paths import sources
from tests.lambda_src.tables import make_table_model
from tests.onnx_models import COLOURS
from tests.onnx_models.detectors import make_detector
from tests.onnx_models.embedding import make_embedding
from tests.onnx_models.segmentation import make_segmentation

pytestmark = pytest.mark.slow

APP = Path(__file__).with_name("kinds_app.py")
IMAGE_MODEL = sources() / "model/image/model.onnx"
CAT = sources() / "model/image/samples/chelsea.jpg"


@pytest.fixture(scope="module")
def clients(aws: LocalAws) -> Clients:
    """Clients of the local AWS."""
    return cache(boto3.client)


@pytest.fixture(scope="module")
def kinds(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The deployed stacks."""
    models = tmp_path_factory.mktemp("models")
    (models / "Labels-standard.onnx").write_bytes(IMAGE_MODEL.read_bytes())
    onnx.save(make_detector(), models / "Boxes-standard.onnx")
    onnx.save(make_segmentation(), models / "Map-standard.onnx")
    onnx.save(make_segmentation(), models / "Map-sagemaker.onnx")
    onnx.save(make_embedding(), models / "Embedding-sagemaker.onnx")
    (models / "Table-sagemaker.onnx").write_bytes(make_table_model())
    python = find_interpreter().version
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    synth = aws.commands.start(
        "cdk synth of kinds",
        [sys.executable, str(APP), str(models), "" if python == LAMBDA_PYTHON else python],
        environment={**environment, "PYTHONPATH": str(sources()), "CDK_OUTDIR": str(aws.workspace.assembly)},
        folder=models,
        seconds=300,
    )
    aws.bootstrap()
    synth.wait()
    aws.cdk.deploy().wait()


def predict(clients: Clients, stack: str, file: Path) -> dict[str, Any]:
    [variant] = find_variants(clients, prefix=f"Kinds-{stack}")
    result = deployed.predict(clients, variant, file, timeout_seconds=120)
    assert result.item["status"] == "SUCCEEDED", result.item
    return dict(result.item)


def stored(clients: Clients, item: dict[str, Any]) -> bytes:
    bucket, _, key = item["result_uri"].removeprefix("s3://").partition("/")
    content: bytes = clients("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 x 50 pixels of grey with a red and a blue rectangle, turned by the camera: as it is looked at, 50 x 100."""
    upright = Image.new("RGB", (50, 100), (90, 90, 90))
    upright.paste((255, 0, 0), (5, 10, 25, 40))
    upright.paste((0, 0, 255), (10, 60, 45, 90))
    path = tmp_path_factory.mktemp("pictures") / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)
    return path


def test_a_picture_gets_its_label(kinds: None, clients: Clients) -> None:
    item = predict(clients, "Labels-standard", CAT)
    assert item["label"] == "tiger cat"
    assert (item["width"], item["height"]) == Image.open(CAT).size
    assert len(item["top_labels"]) == 5


def test_boxes_are_in_the_pixels_of_the_upright_picture(kinds: None, clients: Clients, picture: Path) -> None:
    item = predict(clients, "Boxes-standard", picture)
    assert (item["width"], item["height"], item["detection_count"]) == (50, 100, 2)
    boxes = {found["label"]: list(found["box"].values()) for found in item["detections"]}
    assert boxes.keys() == {"red", "blue"}
    np.testing.assert_allclose(boxes["red"], [5, 10, 25, 40], atol=3)  # a pixel of the model's is 1.6 of the picture's
    np.testing.assert_allclose(boxes["blue"], [10, 60, 45, 90], atol=3)


@pytest.mark.parametrize("variant", ["standard", "sagemaker"])
def test_a_map_is_in_the_results_bucket(kinds: None, clients: Clients, picture: Path, variant: str) -> None:
    item = predict(clients, f"Map-{variant}", picture)
    levels = np.asarray(Image.open(io.BytesIO(stored(clients, item))))
    assert levels.shape == (100, 50)
    names = ("background", *COLOURS)
    assert [names[levels[y, x]] for x, y in ((15, 25), (27, 75), (30, 25), (2, 98))] == [
        *("red", "blue", "background", "background"),
    ]
    assert item["result_uri"].endswith(".png")


def test_the_same_file_has_the_same_result(kinds: None, clients: Clients, picture: Path) -> None:
    first, second = (predict(clients, "Map-standard", picture) for _ in range(2))
    assert first["result_uri"] == second["result_uri"]
    assert first["object_key"] != second["object_key"]


def test_a_large_tensor_is_in_the_results_bucket_of_the_endpoints_stack(
    kinds: None, clients: Clients, picture: Path
) -> None:
    item = predict(clients, "Embedding-sagemaker", picture)
    with np.load(io.BytesIO(stored(clients, item)), allow_pickle=False) as arrays:
        assert list(arrays["embedding"].shape) == item["outputs"]["embedding"]["shape"]
    assert "values" not in item["outputs"]["embedding"]
    assert item["timings_ms"]["store_result"] > 0


def test_a_table_gets_its_label(kinds: None, clients: Clients, tmp_path: Path) -> None:
    file = tmp_path / "row.csv"
    file.write_text("city,age\nBasel,2\n")
    item = predict(clients, "Table-sagemaker", file)
    assert (item["label"], item["rows"]) == ("yes", 1)
    assert item["score"] == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-5)


def test_what_is_no_picture_becomes_a_failed_item(kinds: None, clients: Clients, tmp_path: Path) -> None:
    file = tmp_path / "words.jpg"
    file.write_text("These are words.")
    [variant] = find_variants(clients, prefix="Kinds-Boxes-standard")
    item = deployed.predict(clients, variant, file, timeout_seconds=60).item
    assert (item["status"], item["error_code"]) == ("FAILED", "UNSUPPORTED_FORMAT")
