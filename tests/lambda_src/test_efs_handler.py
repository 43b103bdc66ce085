"""The model on a file system: when it is loaded, and that it is the deployed one."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from inference.model import ModelError

from .conftest import CONTEXT, MODEL, SPEECH, load_handler
from .events import batch_task, event

SHA256 = hashlib.sha256(MODEL.read_bytes()).hexdigest()


@pytest.fixture
def model_file(aws: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the model will be; as the stack sets the environment."""
    path = tmp_path / f"model-{SHA256}.onnx"
    monkeypatch.setenv("PREDICTOR", "efs")
    monkeypatch.setenv("MODEL_S3_URI", str(path))
    monkeypatch.setenv("MODEL_SHA256", SHA256)
    return path


def test_an_eager_model_is_loaded_at_init(model_file: Path, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODEL_LOADING", "eager")
    model_file.symlink_to(MODEL)

    handler = load_handler("efs_handler").handler
    model_file.unlink()
    handler(event(aws.upload("speech.wav", SPEECH.read_bytes())), CONTEXT)

    item = aws.item("speech.wav")
    assert (item["label"]["S"], item["model_sha256"]["S"], item["cold_start"]["BOOL"]) == ("Speech", SHA256, True)


def test_a_lazy_model_is_loaded_with_the_first_event_that_finds_it(
    model_file: Path, aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MODEL_LOADING", "lazy")
    handler = load_handler("efs_handler").handler
    uploaded = event(aws.upload("speech.wav", SPEECH.read_bytes()))

    with pytest.raises(Exception, match=model_file.name):
        handler(uploaded, CONTEXT)
    model_file.symlink_to(MODEL)
    handler(uploaded, CONTEXT)
    assert aws.item("speech.wav")["cold_start"]["BOOL"]

    model_file.unlink()
    handler(event(aws.upload("again.wav", SPEECH.read_bytes())), CONTEXT)
    assert not aws.item("again.wav")["cold_start"]["BOOL"]


@pytest.mark.parametrize(
    ("content", "answered"), [(None, "TemporaryFailure UNREACHABLE"), (b"no model", "PermanentFailure UNEXPECTED")]
)
def test_a_job_is_answered_that_a_lazy_model_could_not_be_loaded(
    model_file: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, answered: str
):
    monkeypatch.setenv("MODEL_LOADING", "lazy")
    if content:
        model_file.write_bytes(content)

    (result,) = load_handler("efs_handler").handler(batch_task("speech.wav"), CONTEXT)["results"]

    assert f"{result['resultCode']} {result['resultString'].partition(':')[0]}" == answered
    assert model_file.name in result["resultString"] or content


def test_another_model_than_the_deployed_one_is_refused(model_file: Path, monkeypatch: pytest.MonkeyPatch):
    model_file.symlink_to(MODEL)
    monkeypatch.setenv("MODEL_SHA256", "ab" * 32)

    with pytest.raises(ModelError) as error:
        load_handler("efs_handler")

    assert str(error.value) == (
        f"The model {model_file} has the SHA-256 {SHA256}, but the deployed one has {'ab' * 32}."
    )
