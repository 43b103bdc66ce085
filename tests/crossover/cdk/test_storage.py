"""The bucket and the table: private and encrypted, deleted or kept with the stack, or existing ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from crossover.cdk.compute import VARIANTS, StandardLambda
from crossover.cdk.model_artifact import ModelArtifact
from crossover.cdk.pipeline import InferencePipeline
from crossover.cdk.storage import PipelineStorage
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app


@pytest.fixture
def empty_app(tmp_path: Path) -> App:
    return new_app(tmp_path / "assembly")


@pytest.fixture
def kept(empty_app: App) -> StackTemplate:
    stack = Stack(empty_app, "Kept")
    PipelineStorage(stack, "Storage", removal_policy=RemovalPolicy.RETAIN)
    return StackTemplate.of(empty_app, stack)


def test_under_all_settings_buckets_are_private(any_synthesis: Synthesis):
    for template in any_synthesis.templates.values():
        for bucket in template.of_type("AWS::S3::Bucket"):
            assert list(bucket.properties["PublicAccessBlockConfiguration"].values()) == [True] * 4
            assert bucket.properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_under_all_settings_bucket_and_table_are_encrypted(any_synthesis: Synthesis):
    for template in any_synthesis.templates.values():
        bucket = template.resources["Storage/InputBucket"].properties
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        keys = template.of_type("AWS::KMS::Key")
        algorithm = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert algorithm == ("aws:kms" if keys else "AES256")
        # Without a specification a table is encrypted by a key that AWS owns: it cannot be left unencrypted.
        specification = template.only("AWS::DynamoDB::Table").properties.get("SSESpecification", {})
        assert specification.get("SSEEnabled", False) is bool(keys)


def test_under_all_settings_bucket_and_table_are_reached_by_tls_only(any_synthesis: Synthesis):
    plain_http = {"Bool": {"aws:SecureTransport": "false"}}
    for template in any_synthesis.templates.values():
        policies = [policy.properties["PolicyDocument"] for policy in template.of_type("AWS::S3::BucketPolicy")]
        table = template.only("AWS::DynamoDB::Table").properties["ResourcePolicy"]["PolicyDocument"]
        for service, policy in (*(("s3", policy) for policy in policies), ("dynamodb", table)):
            (denial,) = [each for each in policy["Statement"] if each.get("Condition") == plain_http]
            assert (denial["Effect"], denial["Action"]) == ("Deny", f"{service}:*")
            assert denial["Principal"] == {"AWS": "*"}


def test_the_input_bucket_is_private_and_encrypted(standard: StackTemplate):
    bucket = standard.only("AWS::S3::Bucket").properties

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BlockedEncryptionTypes": {
            "EncryptionType": ["SSE-C"]
        },  # the uploader's own key, which this stack does not have
    }


def test_the_input_bucket_is_reached_by_current_tls_only(standard: StackTemplate):
    statements = standard.only("AWS::S3::BucketPolicy").properties["PolicyDocument"]["Statement"]
    denied = [statement["Condition"] for statement in statements if statement["Effect"] == "Deny"]

    assert denied == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": 1.2}},
    ]


def test_incomplete_uploads_are_removed(standard: StackTemplate):
    (rule,) = standard.only("AWS::S3::Bucket").properties["LifecycleConfiguration"]["Rules"]

    assert rule == {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}


def test_the_table_has_the_objects_key_and_an_expiry_attribute(standard: StackTemplate):
    table = standard.only("AWS::DynamoDB::Table").properties

    assert table["KeySchema"] == [{"AttributeName": "object_key", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "object_key", "AttributeType": "S"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert "SSESpecification" not in table  # the default: encrypted with a key that AWS owns


def test_by_default_everything_is_deleted_with_the_stack(any_variant: StackTemplate):
    for resource in any_variant.resources.values():
        assert resource.definition.get("DeletionPolicy", "Delete") == "Delete", resource.path
        assert resource.definition.get("UpdateReplacePolicy", "Delete") == "Delete", resource.path
    emptied = any_variant.only("Custom::S3AutoDeleteObjects").properties
    assert emptied["BucketName"] == "<Storage/InputBucket>"
    assert any_variant.only("AWS::DynamoDB::Table").properties["DeletionProtectionEnabled"] is False


def test_versions_lifetimes_and_backups_are_settings(synthesis_of: Callable[[str], Synthesis], standard: StackTemplate):
    kept = synthesis_of("kept").templates["Standard"]
    bucket, table = kept.only("AWS::S3::Bucket").properties, kept.only("AWS::DynamoDB::Table").properties

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "VersioningConfiguration" not in standard.only("AWS::S3::Bucket").properties
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 30
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(
    ("versioned", "deleted"),
    [
        (False, {"ExpirationInDays": 9}),
        (True, {"ExpirationInDays": 9, "NoncurrentVersionExpiration": {"NoncurrentDays": 9}}),
    ],
)
def test_uploads_are_deleted_after_their_lifetime_with_their_versions(
    empty_app: App, versioned: bool, deleted: dict[str, Any]
):
    stack = Stack(empty_app, "Stack")
    PipelineStorage(stack, "Storage", input_lifetime_days=9, versioned=versioned)
    (rule,) = StackTemplate.of(empty_app, stack).only("AWS::S3::Bucket").properties["LifecycleConfiguration"]["Rules"]

    assert rule == {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}, **deleted}


@pytest.mark.parametrize("recovery", [False, True])
def test_continuous_backups_are_a_separate_setting(empty_app: App, recovery: bool):
    stack = Stack(empty_app, "Stack")
    PipelineStorage(stack, "Storage", point_in_time_recovery=recovery, removal_policy=RemovalPolicy.RETAIN)
    table = StackTemplate.of(empty_app, stack).only("AWS::DynamoDB::Table").properties

    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": recovery}


def test_kept_storage_survives_the_stack(kept: StackTemplate):
    bucket, table = kept.only("AWS::S3::Bucket"), kept.only("AWS::DynamoDB::Table")

    assert bucket.definition["DeletionPolicy"] == table.definition["DeletionPolicy"] == "Retain"
    assert table.properties["DeletionProtectionEnabled"] is True
    assert kept.of_type("Custom::S3AutoDeleteObjects") == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_existing_bucket_and_table_are_used_as_they_are(empty_app: App, model_path: Path, variant: str):
    stack = Stack(empty_app, "Stack")
    storage = PipelineStorage(
        stack,
        "Storage",
        input_bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "recordings"),
        predictions_table=dynamodb.Table.from_table_name(stack, "Table", "findings"),
    )
    model = ModelArtifact(stack, "Model", path=model_path)
    compute = VARIANTS[variant](stack, "Compute", storage=storage, model=model)
    InferencePipeline(stack, "Pipeline", storage=storage, compute=compute)

    template = StackTemplate.of(empty_app, stack)
    reader = "Compute/ExecutionRole" if variant == "sagemaker" else "Compute/FunctionRole"
    table = "arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/findings"
    notifications = template.only("Custom::S3BucketNotifications").properties

    assert template.of_type("AWS::S3::Bucket") == template.of_type("AWS::DynamoDB::Table") == []
    assert ("s3:GetObject", "arn:<AWS::Partition>:s3:::recordings/*") in template.grants(reader)
    assert ("dynamodb:PutItem", table) in template.grants("Compute/FunctionRole")
    assert notifications["BucketName"] == "recordings"
    assert notifications["Managed"] is False  # what others have configured on the bucket stays


def test_the_keys_of_an_encrypted_bucket_and_table_may_be_used(empty_app: App, model_path: Path):
    stack = Stack(empty_app, "Stack")
    storage = PipelineStorage(
        stack,
        "Storage",
        input_bucket=s3.Bucket(stack, "Bucket", encryption_key=kms.Key(stack, "BucketKey")),
        predictions_table=dynamodb.Table(
            stack,
            "Table",
            partition_key=dynamodb.Attribute(name="object_key", type=dynamodb.AttributeType.STRING),
            encryption_key=kms.Key(stack, "TableKey"),
        ),
    )
    StandardLambda(stack, "Compute", storage=storage, model=ModelArtifact(stack, "Model", path=model_path))

    grants = StackTemplate.of(empty_app, stack).grants("Compute/FunctionRole")

    assert {action for action, resource in grants if resource == "<BucketKey.Arn>"} == {"kms:Decrypt"}
    assert ("kms:Decrypt", "<TableKey.Arn>") in grants
