"""What a backfill needs: a role that may do no more than a job, and a bucket whose objects are never uploads."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import Stack

from crossover.cdk import Backfill, InvalidValueError, ModelArtifact, PipelineStorage, StandardLambda
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app

ROLE = "Backfill/Role"


@pytest.fixture
def everything(synthesis_of: Callable[[str], Synthesis]) -> dict[str, StackTemplate]:
    return synthesis_of("everything").templates


@pytest.mark.parametrize(
    ("stack", "invoked"),
    [
        ("Standard", {"<Compute/Live>", "<Compute/Function.Arn>"}),  # also by a job from before the alias
        ("SageMaker", {"<Compute/Live>", "<Compute/Function.Arn>"}),
        ("SnapStart", {"<Compute/Live>"}),
    ],
)
def test_the_role_may_do_what_a_job_does_and_no_more(
    everything: dict[str, StackTemplate], stack: str, invoked: set[str]
) -> None:
    template = everything[stack]
    assert template.grants(ROLE) == {
        *(("lambda:InvokeFunction", function) for function in invoked),
        ("s3:PutInventoryConfiguration", "<Storage/InputBucket.Arn>"),
        ("s3:GetObject", "<Backfill/Bucket.Arn>/manifests/*"),
        ("s3:PutObject", "<Backfill/Bucket.Arn>/reports/*"),
    }
    [trust] = template.resources[ROLE].properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "batchoperations.s3.amazonaws.com"},
        "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": "<AWS::AccountId>"}},
    }


def test_its_bucket_notifies_nobody_and_keeps_nothing_for_long(everything: dict[str, StackTemplate]) -> None:
    template = everything["Standard"]
    bucket = template.resources["Backfill/Bucket"].properties
    assert [rule.get("ExpirationInDays") for rule in bucket["LifecycleConfiguration"]["Rules"]] == [30]
    [encryption] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}  # S3 Batch reads no other manifest
    notified = [each.properties["BucketName"] for each in template.of_type("Custom::S3BucketNotifications")]
    assert notified == ["<Storage/InputBucket>"]


def test_the_outputs_name_them_and_which_keys_are_predicted(everything: dict[str, StackTemplate]) -> None:
    outputs = everything["SnapStart"].outputs
    assert outputs["BackfillRoleArn"] == "<Backfill/Role.Arn>"
    assert outputs["BackfillBucketName"] == "<Backfill/Bucket>"
    assert (outputs["KeyPrefix"], outputs["KeySuffix"]) == ("in/", ".wav")
    assert len(outputs["ModelSha256"]) == 64


def test_without_the_setting_there_is_neither(any_variant: StackTemplate) -> None:
    assert ROLE not in any_variant.resources
    assert "BackfillRoleArn" not in any_variant.outputs


def test_a_suffix_with_a_wildcard_is_refused(tmp_path: Path, model_path: Path) -> None:
    stack = Stack(new_app(tmp_path / "assembly"), "Own")
    storage, model = PipelineStorage(stack, "Storage"), ModelArtifact(stack, "Model", path=model_path)
    compute = StandardLambda(stack, "Compute", storage=storage, model=model)
    with pytest.raises(InvalidValueError, match="key_suffix"):
        Backfill(stack, "Backfill", storage=storage, model=model, compute=compute, key_suffix="*.wav")
