"""New models for deployed variants: a good one takes over without losing an upload, a bad one is rolled back."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from crossover.aws import Clients
from crossover.deadletters.redriving import Choice, redrive
from crossover.deployed import Variant, find_variants
from crossover.errors import CrossoverError
from crossover.local.work import LocalAws
from crossover.project import stack_prefix
from tests.crossover.cdk.onnx_files import CONTRACT

from .conftest import synthesize
from .model_updates import cold_uploads, dead_letters, models_of, refused_reads, renamed_model, upload_to
from .test_permissions import letter_of, roles, without

pytestmark = pytest.mark.slow
QUEUED = {"event_source": "eventbridge", "ingest": "queue", "max_concurrency": "4"}


def model_of_loud_sounds(path: Path) -> Path:
    """A model whose scores are no numbers below a loudness between that of the synthesis's noise and that of the
    handlers' own sample, which loses its upper frequencies when it is resampled.
    """
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["waveform", "waveform"], ["squares"]),
            helper.make_node("ReduceMean", ["squares"], ["power"], keepdims=1),
            helper.make_node("Sub", ["power", "least"], ["more"]),
            helper.make_node("Sqrt", ["more"], ["loudness"]),
            helper.make_node("Concat", ["loudness", "loudness"], ["scores"], axis=0),
        ],
        "loud",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["samples"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [2])],
        [helper.make_tensor("least", TensorProto.FLOAT, [], [3e-7])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, CONTRACT)
    onnx.save(model, path)
    return path


def give_up_moving(clients: Clients, variant: Variant) -> None:
    """What docs/troubleshooting.md advises for an alias that goes on moving to a version whose INIT has failed."""
    alias = {"FunctionName": variant.function, "Name": "live"}
    moving = clients("lambda").get_alias(**alias)
    [old] = moving["RoutingConfig"]["AdditionalVersionWeights"]
    none: Any = {"AdditionalVersionWeights": {}}
    clients("lambda").update_alias(**alias, FunctionVersion=old, RoutingConfig=none)
    clients("cloudformation").continue_update_rollback(StackName=variant.stack)
    clients("cloudformation").get_waiter("stack_rollback_complete").wait(
        StackName=variant.stack, WaiterConfig={"Delay": 1}
    )


def published_versions(clients: Clients, variant: Variant) -> list[str]:
    versions = clients("lambda").list_versions_by_function(FunctionName=variant.function)["Versions"]
    return [version["Version"] for version in versions if version["Version"] != "$LATEST"]


@pytest.fixture(scope="module")
def new_model(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A new model, deployed while files kept coming in, none of which is lost; its hash.

    At the same time the events begin to come by EventBridge, and through a queue.
    """
    [old] = models_of(clients, upload_to(clients, *variants.values()))
    synth = synthesize(aws, model=renamed_model(tmp_path_factory.mktemp("model")), **QUEUED)
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
    assert [dead_letters(clients, variant) for variant in variants.values()] == [0] * len(variants)


def test_the_events_come_by_eventbridge(
    clients: Clients, variants: dict[str, Variant], new_model: str, tmp_path: Path
) -> None:
    for variant in variants.values():
        configuration = clients("s3").get_bucket_notification_configuration(Bucket=variant.bucket)
        assert "EventBridgeConfiguration" in configuration
        assert "LambdaFunctionConfigurations" not in configuration


def test_what_fails_in_the_queue_is_kept_and_can_be_redriven(
    clients: Clients, variants: dict[str, Variant], new_model: str
) -> None:
    queued = find_variants(clients, prefix=stack_prefix(), names=["snapstart", "sagemaker"])
    assert all(variant.upload_queue for variant in queued)
    with ExitStack() as taken_away:
        for variant in queued:
            role = roles(clients, variant)["Compute/FunctionRole"]
            taken_away.enter_context(without(clients, role, "dynamodb:PutItem"))
        uploads = upload_to(clients, *queued)
        letters = [letter_of(clients, upload) for upload in uploads]
    assert [letter.condition for letter in letters] == ["MaxReceiveCount"] * 2
    for variant in queued:
        outcome = redrive(clients, variant, Choice(), report=lambda letter, what: None)
        assert (outcome.redriven, outcome.left) == (1, 0)
    assert models_of(clients, uploads) == {new_model}


@pytest.mark.parametrize("name", ["snapstart", "efs", "provisioned"])
def test_one_version_stays_published(clients: Clients, variants: dict[str, Variant], new_model: str, name: str) -> None:
    assert len(published_versions(clients, variants[name])) == 1


def test_the_old_model_leaves_the_file_system_with_the_old_version(
    aws: LocalAws, variants: dict[str, Variant], new_model: str
) -> None:
    """Cold starts of the old version have read it while the new one was deployed."""
    assert [path.name for path in aws.workspace.temporary.glob("efs/*/models/*")] == [f"model-{new_model}.onnx"]


def test_a_model_that_cannot_predict_is_rolled_back(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant], new_model: str, tmp_path: Path
) -> None:
    # The synthesis does not find it out. SnapStart does before the snapshot, the endpoint before it is healthy, and a
    # provisioned environment before it is ready, all by predicting once.
    synth = synthesize(aws, model=model_of_loud_sounds(tmp_path / "bad.onnx"), **QUEUED)
    with pytest.raises(CrossoverError, match="cdk deploy failed"):
        aws.deploy(synth, aws.steps.step("cdk synth"))
    careful = [variants[name] for name in ("snapstart", "sagemaker", "provisioned")]
    back, failed = "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"
    assert [aws.stacks()[variant.stack] for variant in careful] == [back, back, failed]
    give_up_moving(clients, variants["provisioned"])
    assert models_of(clients, upload_to(clients, *careful)) == {new_model}
    assert len(published_versions(clients, variants["snapstart"])) == 1
