"""AWS answered in process by moto."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws

from inference import clients
from inference.model import Model

from .events import BUCKET, record

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "model/model.onnx"
AUDIO = ROOT / "tests/audio"
SPEECH = AUDIO / "sense_and_sensibility_01_austen_64kb-0870.wav"
TABLE = "predictions"
ENDPOINT_ANSWER = {
    "top_labels": [{"label": "Speech", "score": 0.99}],
    "audio_seconds": 7.1,
    "model_sha256": "ab" * 32,
    "etag": "e",
    "timings_ms": {"download": 1.0, "decode": 2.0, "inference": 3.0},
}
CONTEXT = SimpleNamespace(aws_request_id="c0ffee00-1111-2222-3333-444455556666")


@pytest.fixture(scope="session")
def model() -> Model:
    return Model.load(MODEL)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A bucket, a table and botocore clients, in moto."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PREDICTIONS_TABLE": TABLE,
        "MODEL_S3_URI": str(MODEL),
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        clients.forget_session()
        s3, dynamodb = clients.create_client("s3"), clients.create_client("dynamodb")
        s3.create_bucket(Bucket=BUCKET)
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "object_key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "object_key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

        def upload(key: str, body: bytes) -> dict[str, Any]:
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            return record(key, size=len(body))

        def item(key: str) -> dict[str, Any] | None:
            return dynamodb.get_item(TableName=TABLE, Key={"object_key": {"S": key}}).get("Item")

        yield SimpleNamespace(s3=s3, dynamodb=dynamodb, upload=upload, item=item)
    clients.forget_session()


def load_handler(name: str) -> ModuleType:
    """Import a handler as a fresh environment does: its module body is its INIT."""
    sys.modules.pop(name, None)
    return importlib.import_module(name)
