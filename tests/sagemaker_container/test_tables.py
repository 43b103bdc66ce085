"""The container with a model of tables: bodies of every format, and refusals."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.lambda_src.tables import make_tree_model, npy, npz

from .conftest import Server, run_server

ROW = np.array([[1, 0]])


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("tables")
    (folder / "model.onnx").write_bytes(make_tree_model())
    with run_server(folder, model_dir=folder, INPUT_KIND="tensor", MAX_ELEMENTS="6") as server:
        server.wait_for_ping(200)
        yield server


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"width,height\n1,0\n", "text/csv"),
        ("1;0".encode("utf-16"), "text/csv; charset=utf-16"),
        (npy(ROW), "application/x-npy"),
        (npz(x=ROW), "application/x-npz"),
        (b'{"x": [[1, 0]]}', "application/x-tensor+json"),
        (npy(ROW), "application/octet-stream"),
    ],
    ids=["csv", "csv in UTF-16", "npy", "npz", "json", "npy without a type"],
)
def test_a_body_of_every_format_is_predicted(tables: Server, body: bytes, content_type: str) -> None:
    answer = tables.predict(body, content_type)

    assert answer.status == 200, answer.json
    assert (answer.json["label"], answer.json["score"], answer.json["rows"]) == ("low", 1, 1)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"1,0\n1,1\n", "text/csv", 422, "TOO_MANY_ROWS"),
        (b"1,\n", "text/csv", 422, "MISSING_VALUES"),
        (npy(np.zeros((4, 2))), "application/x-npy", 422, "TENSOR_TOO_LARGE"),
        (npy(ROW)[:-1], "application/x-npy", 422, "CORRUPT_TENSOR"),
        (b"RIFF\0\0\0\0WAVE", "application/octet-stream", 422, "UNSUPPORTED_FORMAT"),
        (b"[[1, 0]]", "application/json", 400, "INVALID_REQUEST"),  # which is an S3 object reference
        (b"1,0\n", "text/plain", 415, "UNSUPPORTED_CONTENT_TYPE"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_what_the_model_does_not_take_is_refused(
    tables: Server, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = tables.predict(body, content_type)

    assert (answer.status, answer.error_code) == (status, code)
    assert tables.predict(npy(ROW), "application/x-npy").status == 200
