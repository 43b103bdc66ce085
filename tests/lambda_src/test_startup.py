"""The download of the model while a function starts."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from inference import startup

from .conftest import MODEL, TABLE
from .faulty_aws import FaultyAws, says, xml_error

DENIED = xml_error("AccessDenied", 403)
ENVIRON = {"PREDICTIONS_TABLE": TABLE, "PREDICTOR": "standard", "MODEL_S3_URI": "s3://assets/model.onnx"}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between two attempts, s, none of which takes any time but on the clock."""
    waits = list[float]()
    clock = SimpleNamespace(sleep=waits.append, monotonic=lambda: sum(waits))
    monkeypatch.setattr(startup, "time", clock)
    return waits


def test_a_model_that_may_not_be_read_yet_is_read_later(faulty: FaultyAws, waits: list[float]) -> None:
    faulty.answers = {"s3": [DENIED, DENIED, says(MODEL.read_bytes())]}
    processor = startup.start_local(ENVIRON)
    assert processor.predictor.model.contract.name == "yamnet"
    assert len(waits) == 2


def test_a_model_that_may_not_be_read_for_half_a_minute_fails_the_start(faulty: FaultyAws, waits: list[float]) -> None:
    faulty.answers = {"s3": [DENIED]}
    with pytest.raises(ClientError, match="AccessDenied"):
        startup.start_local(ENVIRON)
    assert 30 <= sum(waits) <= 32


def test_a_model_that_is_not_there_fails_the_start_at_once(faulty: FaultyAws, waits: list[float]) -> None:
    faulty.answers = {"s3": [xml_error("NoSuchKey", 404)]}
    with pytest.raises(ClientError, match="NoSuchKey"):
        startup.start_local(ENVIRON)
    assert waits == []
