"""The loader copies a model whole and right, or leaves nothing under its name."""

import hashlib
import io
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from .conftest import load_handler

MODEL = b"weights" * 1000
SHA256 = hashlib.sha256(MODEL).hexdigest()
NAME = f"model-{SHA256}.onnx"
EVENT = {"name": NAME, "bucket": "assets", "key": "new.onnx", "sha256": SHA256}


class S3:
    """Objects of one content; what it raises first, in turn."""

    def __init__(self, content: bytes = MODEL, *failures: ClientError) -> None:
        self.content, self.failures = content, list(failures)
        self.read: list[tuple[str, str]] = []

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803, AWS's names
        if self.failures:
            raise self.failures.pop(0)
        self.read.append((Bucket, Key))
        return {"Body": StreamingBody(io.BytesIO(self.content), len(MODEL))}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "..."}}, "GetObject")


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("MODEL_FOLDER", str(tmp_path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    module = load_handler("efs_loader_handler")
    monkeypatch.setattr(module, "s3", S3())
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return module


def test_a_model_is_copied_and_found_under_its_name_alone(loader: ModuleType, tmp_path: Path):
    loader.handler(EVENT, None)

    assert (tmp_path / NAME).read_bytes() == MODEL
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert loader.s3.read == [("assets", "new.onnx")]


def test_another_model_stays_beside_it(loader: ModuleType, tmp_path: Path):
    (tmp_path / "model-old.onnx").write_bytes(b"old")

    loader.handler(EVENT, None)

    assert (tmp_path / "model-old.onnx").read_bytes() == b"old"


def test_a_model_that_is_there_is_not_copied_again(loader: ModuleType, tmp_path: Path):
    (tmp_path / NAME).write_bytes(MODEL)

    loader.handler(EVENT, None)

    assert loader.s3.read == []


@pytest.mark.parametrize("left", [NAME, f"{NAME}.tmp"])
def test_a_damaged_model_or_one_that_was_not_finished_is_copied_anew(loader: ModuleType, tmp_path: Path, left: str):
    (tmp_path / left).write_bytes(MODEL[:-1] * 2)

    loader.handler(EVENT, None)

    assert (tmp_path / NAME).read_bytes() == MODEL
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_another_object_than_the_model_is_refused_with_both_hashes(
    loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(loader, "s3", S3(MODEL.upper()))

    with pytest.raises(loader.LoadingError) as error:
        loader.handler(EVENT, None)

    other = hashlib.sha256(MODEL.upper()).hexdigest()
    assert str(error.value) == (
        f"The model s3://assets/new.onnx has the SHA-256 {other}, but the one to deploy has {SHA256}."
    )
    assert list(tmp_path.iterdir()) == []


def test_only_a_part_of_a_model_is_in_memory_at_a_time(loader: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loader, "CHUNK_BYTES", 100)

    assert {len(chunk) for chunk in loader._chunks("assets", "new.onnx")} == {100}


def test_permissions_that_are_not_known_yet_are_waited_for(
    loader: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(loader, "s3", S3(MODEL, refusal("AccessDenied"), refusal("AccessDenied")))

    loader.handler(EVENT, None)

    assert (tmp_path / NAME).is_file()


def test_an_object_that_is_not_there_is_named(loader: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loader, "s3", S3(MODEL, refusal("NoSuchKey")))

    with pytest.raises(loader.LoadingError, match=r"^The model s3://assets/new\.onnx cannot be read: NoSuchKey\.$"):
        loader.handler(EVENT, None)


def test_a_model_is_removed_and_nothing_else(loader: ModuleType, tmp_path: Path):
    for name in (NAME, f"{NAME}.tmp", "model-new.onnx"):
        (tmp_path / name).write_bytes(MODEL)

    loader.handler({"name": NAME}, None)
    loader.handler({"name": NAME}, None)  # CloudFormation may ask twice

    assert [path.name for path in tmp_path.iterdir()] == ["model-new.onnx"]
