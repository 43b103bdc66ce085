"""New models for deployed variants: a good one takes over without losing an upload, a bad one is rolled back."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from crossover import deployed
from crossover.aws import Clients
from crossover.deployed import Upload, Variant
from crossover.errors import CrossoverError
from crossover.local.work import LocalAws
from crossover.paths import sources
from tests.crossover.cdk.onnx_files import write_model

from .conftest import synthesize

pytestmark = pytest.mark.slow

CLIP = sources() / "model/samples/misc_crow.flac"
MAX_UPLOADS = 120
UPLOAD_INTERVAL_SECONDS = 0.5
WAIT_SECONDS = 60


def renamed_model(folder: Path) -> Path:
    """The same model under another version."""
    data = (sources() / "model/model.onnx").read_bytes()
    field = b"\x0a\x07version\x12\x05"  # the metadata's key and its value's length, in protobuf's notation
    assert data.count(field + b"1.0.0") == 1
    file = folder / "renamed.onnx"
    file.write_bytes(data.replace(field + b"1.0.0", field + b"1.0.1"))
    return file


def models_of(clients: Clients, uploads: list[Upload]) -> set[str]:
    """The model_sha256 of the uploads' items, every one of which must be a success."""
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(lambda upload: deployed.wait(clients, upload, timeout_seconds=WAIT_SECONDS), uploads)
    items = [result.item for result in results]
    assert {item["status"] for item in items} == {"SUCCEEDED"}
    return {item["model_sha256"] for item in items}


def upload_to(clients: Clients, *variants: Variant) -> list[Upload]:
    return [deployed.upload(clients, variant, CLIP) for variant in variants]


@contextmanager
def uploading(clients: Clients, *variants: Variant) -> Iterator[list[Upload]]:
    """Upload a file to each variant again and again while the block runs."""
    uploads, end = list[Upload](), threading.Event()

    def upload() -> None:
        while not end.wait(UPLOAD_INTERVAL_SECONDS) and len(uploads) < MAX_UPLOADS:
            uploads.extend(upload_to(clients, *variants))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(upload)
        try:
            yield uploads
        finally:
            end.set()
        running.result()


def published_versions(clients: Clients, variant: Variant) -> list[str]:
    versions = clients("lambda").list_versions_by_function(FunctionName=variant.function)["Versions"]
    return [version["Version"] for version in versions if version["Version"] != "$LATEST"]


def dead_letters(clients: Clients, variant: Variant) -> str:
    name = "ApproximateNumberOfMessages"
    answer = clients("sqs").get_queue_attributes(QueueUrl=variant.dead_letter_queue, AttributeNames=[name])
    count: str = answer["Attributes"][name]
    return count


@pytest.fixture(scope="module")
def new_model(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A new model, deployed while files kept coming in, none of which is lost; its hash.

    At the same time the events begin to come by EventBridge.
    """
    [old] = models_of(clients, upload_to(clients, *variants.values()))
    synth = synthesize(aws, model=renamed_model(tmp_path_factory.mktemp("model")), event_source="eventbridge")
    synth.wait()
    with uploading(clients, *variants.values()) as uploads:
        aws.deploy(synth, aws.steps.step("cdk synth"))
    assert len(uploads) >= len(variants)
    later = upload_to(clients, *variants.values())
    assert models_of(clients, uploads) <= {old, *models_of(clients, later)}
    [new] = models_of(clients, later)
    assert new != old
    return new


def test_a_new_model_takes_over_without_losing_an_upload(
    clients: Clients, variants: dict[str, Variant], new_model: str
) -> None:
    assert [dead_letters(clients, variant) for variant in variants.values()] == ["0", "0", "0"]


def test_the_events_come_by_eventbridge(
    clients: Clients, variants: dict[str, Variant], new_model: str, tmp_path: Path
) -> None:
    for variant in variants.values():
        configuration = clients("s3").get_bucket_notification_configuration(Bucket=variant.bucket)
        assert "EventBridgeConfiguration" in configuration
        assert "LambdaFunctionConfigurations" not in configuration


def test_one_version_stays_published(clients: Clients, variants: dict[str, Variant], new_model: str) -> None:
    assert len(published_versions(clients, variants["snapstart"])) == 1


def test_a_model_that_cannot_predict_is_rolled_back(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant], new_model: str, tmp_path: Path
) -> None:
    # It says of itself what the synthesis wants to hear, but gives as many scores as there are samples. SnapStart finds
    # out before the snapshot and the endpoint before it is healthy, both by predicting once.
    synth = synthesize(aws, model=write_model(tmp_path / "bad.onnx"), event_source="eventbridge")
    with pytest.raises(CrossoverError, match="cdk deploy failed"):
        aws.deploy(synth, aws.steps.step("cdk synth"))
    careful = [variants["snapstart"], variants["sagemaker"]]
    assert [aws.stacks()[variant.stack] for variant in careful] == ["UPDATE_ROLLBACK_COMPLETE"] * 2
    assert models_of(clients, upload_to(clients, *careful)) == {new_model}
    assert len(published_versions(clients, variants["snapstart"])) == 1
