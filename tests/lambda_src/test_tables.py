"""Tables from the upload to the item, by a model as scikit-learn's exports are, against moto."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from .conftest import CONTEXT, load_handler
from .events import event
from .tables import make_table_model, make_tree_model, npy, npz

Handle = Callable[[str, bytes], dict[str, Any]]
RESULTS = "results-bucket"


@pytest.fixture
def start(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[bytes], Handle]:
    """Makes a handler of a model; it gives the item of an upload."""

    def start(model: bytes) -> Handle:
        path = tmp_path / "model.onnx"
        path.write_bytes(model)
        aws.s3.create_bucket(Bucket=RESULTS)
        variables = {
            "MODEL_S3_URI": str(path),
            "PREDICTOR": "standard",
            "RESULTS_BUCKET": RESULTS,
            "MAX_ELEMENTS": "90000",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        handler = load_handler("standard_handler").handler

        def handle(key: str, data: bytes) -> dict[str, Any]:
            handler(event(aws.upload(key, data)), CONTEXT)
            item: dict[str, Any] = aws.item(key)
            return item

        return handle

    return start


def test_a_row_becomes_a_label_with_its_score(start: Callable[[bytes], Handle]) -> None:
    handle = start(make_table_model())
    files = {
        "row.json": b'{"age": 2, "city": "Basel"}',
        "row.csv": "city;age\nBasel;2\n".encode("utf-16"),
        "row.npz": npz(age=np.array([[2.0]]), city=np.array([["Basel"]])),
        "row": b"age,city\r\n2,Basel\r\n",
    }
    for name, data in files.items():
        item = handle(name, data)
        assert (item["status"]["S"], item["label"]["S"], item["rows"]["N"]) == ("SUCCEEDED", "yes", "1")
        assert float(item["score"]["N"]) == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-5)
        assert [each["M"]["label"]["S"] for each in item["top_labels"]["L"]] == ["yes", "no"]


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"age,city\n2,Basel\n3,Bern", "TOO_MANY_ROWS", "2 rows"),
        (b"age,city\n2,Paris", "MODEL_REFUSED_INPUT", "age [1, 1], city [1, 1]"),
        (b"age\n2", "MISSING_INPUT", "lacks 'city'"),
        (b"age,city\n,Basel", "MISSING_VALUES", "row 1, column 'age'"),
        (b"\x80\x04N.", "UNSUPPORTED_FORMAT", "a Python pickle"),
        (npz(age=np.zeros(90_001)), "MISSING_INPUT", "lacks 'city'"),
        (npz(age=np.zeros(90_001), city=np.array(["a"])), "TENSOR_TOO_LARGE", "at most 90,000 values"),
    ],
)
def test_what_cannot_be_predicted_becomes_a_failed_item(
    start: Callable[[bytes], Handle], data: bytes, code: str, message: str
) -> None:
    item = start(make_table_model())("file", data)
    assert (item["status"]["S"], item["error_code"]["S"]) == ("FAILED", code)
    assert message in item["error_message"]["S"]


def test_several_rows_have_all_their_scores_in_the_item(start: Callable[[bytes], Handle]) -> None:
    item = start(make_table_model(output_kind="tensors"))("rows.csv", b"age,city\n2,Basel\n-9,Z\xc3\xbcrich\n")
    assert (item["status"]["S"], item["rows"]["N"]) == ("SUCCEEDED", "2")
    outputs = item["outputs"]["M"]
    assert [each["S"] for each in outputs["label"]["M"]["values"]["L"]] == ["yes", "no"]
    first = outputs["output_probability"]["M"]["values"]["L"][0]["M"]
    assert float(first["yes"]["N"]) == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-5)


def test_a_large_result_is_in_the_item_but_not_in_the_log(
    start: Callable[[bytes], Handle], capsys: pytest.CaptureFixture[str]
) -> None:
    handle = start(make_tree_model(output_kind="tensors", outputs='["label"]'))
    for rows, logged in ((2, True), (1_500, False)):
        assert len(handle(f"{rows}.npy", npy(np.zeros((rows, 2))))["outputs"]["M"]["label"]["M"]["values"]["L"]) == rows
        line = json.loads(capsys.readouterr().out)
        assert (line["event"], line["rows"]) == ("prediction", rows)
        assert ("outputs" in line) == logged


def test_what_many_rows_give_is_in_the_results_bucket(start: Callable[[bytes], Handle], aws: SimpleNamespace) -> None:
    features = np.random.default_rng(0).uniform(0, 1, (30_000, 2))
    item = start(make_tree_model(output_kind="tensors"))("rows.npy", npy(features))
    assert (item["status"]["S"], item["rows"]["N"]) == ("SUCCEEDED", "30000")
    bucket, _, key = item["result_uri"]["S"].removeprefix("s3://").partition("/")
    arrays = np.load(io.BytesIO(aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
    x, y = features.astype(np.float32).T
    assert np.array_equal(arrays["label"], np.where(x <= 0.5, 0, np.where(y <= 0.5, 1, 2)))
    assert arrays["scores"].shape == (30_000, 3)
