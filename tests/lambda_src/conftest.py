"""AWS, mocked by moto in this process."""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws

from inference import clients
from inference.environment import Environment
from inference.inputs.audio import AudioLimits
from inference.local_predictor import LocalPredictor
from inference.model import Model
from inference.processor import Processor
from inference.store import PredictionStore

from .events import BUCKET, record
from .faulty_aws import FaultyAws, faulty_aws

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "model/model.onnx"
AUDIO = ROOT / "model/samples"
SPEECH = AUDIO / "sense_and_sensibility_01_austen_64kb-0870.wav"
TABLE = "predictions"
ENDPOINT_ANSWER = {
    "label": "Speech",
    "score": 0.99,
    "top_labels": [{"label": "Speech", "score": 0.99}],
    "audio_seconds": 7.1,
    "model_sha256": "ab" * 32,
    "etag": "e",
    "size_bytes": 5,
    "uploaded_at": "2026-11-20T09:29:00.000Z",
    "timings_ms": {"download": 1.0, "decode": 2.0, "inference": 3.0},
}
SECRETS = {  # AWS's own examples
    "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "AQoDYXdzEJr1K2EXAMPLEKb9O8sLT/LIWX",
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
            found: dict[str, Any] | None = dynamodb.get_item(TableName=TABLE, Key={"object_key": {"S": key}}).get(
                "Item"
            )
            return found

        yield SimpleNamespace(s3=s3, dynamodb=dynamodb, upload=upload, item=item)
    clients.forget_session()


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyAws]:
    """A loopback server that plays AWS, with recognisable credentials; botocore's back-off takes no time."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    with faulty_aws() as server:
        for name, value in {**SECRETS, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.url}.items():
            monkeypatch.setenv(name, value)
        clients.forget_session()
        yield server
    clients.forget_session()


@pytest.fixture
def start_local(faulty: FaultyAws, model: Model) -> Callable[[], Processor[LocalPredictor]]:
    """Makes a processor like a local variant's, with the faulty AWS."""

    def start() -> Processor[LocalPredictor]:
        environment = Environment(predictions_table=TABLE, predictor="standard", limits=AudioLimits())
        predictor = LocalPredictor(s3=clients.create_client("s3"), model=model, limits=environment.limits)
        store = PredictionStore(dynamodb=clients.create_client("dynamodb"), table=TABLE)
        return Processor(environment=environment, predictor=predictor, store=store)

    return start


def load_handler(name: str) -> ModuleType:
    """Import a handler as a new execution environment does: its module body is its INIT."""
    sys.modules.pop(name, None)
    return importlib.import_module(name)
