"""All three variants: deployed by the real CDK, one file through each, destroyed again."""

from pathlib import Path

import boto3
import pytest

from crossover.local.environment import find_interpreter
from crossover.local.work import LocalAws, known_variants
from tests.crossover.conftest import processes_of

pytestmark = pytest.mark.slow

SPEECH = Path(__file__).parents[1] / "audio/sense_and_sensibility_01_austen_64kb-0870.wav"
VARIANTS = ["standard", "snapstart", "sagemaker"]


@pytest.fixture(scope="module")
def deployed(aws: LocalAws) -> LocalAws:
    synth = aws.begin_synth(VARIANTS, python=find_interpreter().version)
    aws.bootstrap()
    aws.deploy(*synth)
    return aws


def test_all_variants_are_known() -> None:
    assert known_variants() == VARIANTS


def test_all_variants_hear_the_same(deployed: LocalAws) -> None:
    rows = deployed.predict(VARIANTS, [SPEECH])
    assert [row.variant for row in rows] == VARIANTS
    items = [row.result.item for row in rows if row.result]
    assert [item["status"] for item in items] == ["SUCCEEDED"] * 3
    assert [item["label"] for item in items] == ["Speech"] * 3
    assert [item["predictor"] for item in items] == VARIANTS
    assert [item["cold_start"] for item in items] == [True] * 3
    assert len({item["model_sha256"] for item in items}) == 1


def test_the_second_file_finds_warm_functions(deployed: LocalAws) -> None:
    deployed.predict(VARIANTS, [SPEECH])
    rows = deployed.predict(VARIANTS, [SPEECH])
    assert [row.result and row.result.item["cold_start"] for row in rows] == [False] * 3


def test_what_is_no_audio_becomes_a_failed_item_everywhere(deployed: LocalAws, tmp_path: Path) -> None:
    file = tmp_path / "no audio +ü.wav"
    file.write_text("These are words.")
    rows = deployed.predict(VARIANTS, [file])
    items = [row.result.item for row in rows if row.result]
    assert [item["status"] for item in items] == ["FAILED"] * 3
    assert [item["error_code"] for item in items] == ["UNSUPPORTED_FORMAT"] * 3
    assert all(item["object_key"].endswith("/no audio +ü.wav") for item in items)


def test_destroying_leaves_nothing(deployed: LocalAws) -> None:
    deployed.cdk.destroy().wait()
    assert deployed.stacks() == {"CDKToolkit": "CREATE_COMPLETE"}
    [bucket] = boto3.client("s3").list_buckets()["Buckets"]
    assert bucket["Name"].startswith("cdk-")  # where bootstrap keeps the assets
    assert boto3.client("dynamodb").list_tables()["TableNames"] == []
    assert boto3.client("sqs").list_queues().get("QueueUrls", []) == []
    assert boto3.client("lambda").list_functions()["Functions"] == []
    assert boto3.client("logs").describe_log_groups()["logGroups"] == []
    processes = processes_of(deployed.workspace)
    assert not [command for command in processes if "awslambdaric" in command or "sagemaker_container" in command]
