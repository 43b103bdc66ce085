"""New models for deployed variants: a good one takes over without losing an upload, a bad one is rolled back."""

from pathlib import Path

import pytest

from crossover.aws import Clients
from crossover.deployed import Variant
from crossover.errors import CrossoverError
from crossover.local.work import LocalAws
from tests.crossover.cdk.onnx_files import write_model

from .conftest import synthesize
from .model_updates import cold_uploads, dead_letters, models_of, refused_reads, renamed_model, upload_to

pytestmark = pytest.mark.slow


def published_versions(clients: Clients, variant: Variant) -> list[str]:
    versions = clients("lambda").list_versions_by_function(FunctionName=variant.function)["Versions"]
    return [version["Version"] for version in versions if version["Version"] != "$LATEST"]


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
    with cold_uploads(aws.workspace, clients, *variants.values()) as uploads:
        aws.deploy(synth, aws.steps.step("cdk synth"))
    assert len(uploads) >= len(variants)
    later = upload_to(clients, *variants.values())
    assert models_of(clients, uploads) <= {old, *models_of(clients, later)}
    [new] = models_of(clients, later)
    assert new != old
    return new


def test_a_new_model_takes_over_without_losing_an_upload(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant], new_model: str
) -> None:
    assert refused_reads(aws) == set()
    assert [dead_letters(clients, variant) for variant in variants.values()] == [0, 0, 0]


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
