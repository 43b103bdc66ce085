"""The stack's own key: it encrypts all that the stack stores, and is used only through the storing services."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import NestedStack, Stack

from crossover.cdk import (
    FunctionOptions,
    InferencePipeline,
    ModelArtifact,
    PipelineStorage,
    StandardLambda,
    create_key,
    create_log_group,
)
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app
from tools.synthesized import as_list

KEY_ID = "s3:x-amz-server-side-encryption-aws-kms-key-id"
ALGORITHM = "s3:x-amz-server-side-encryption"
LOG_GROUP = "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:"


@pytest.fixture(params=["Standard", "SnapStart", "SageMaker"])
def encrypted(request: pytest.FixtureRequest, synthesis_of: Callable[[str], Synthesis]) -> StackTemplate:
    return synthesis_of("customer key").templates[request.param]


def service(name: str) -> str:
    return f"{name}.<AWS::Region>.amazonaws.com"


def key_policy(template: StackTemplate) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = template.only("AWS::KMS::Key").properties["KeyPolicy"]["Statement"]
    return statements


def test_by_default_there_is_no_key(any_variant: StackTemplate):
    assert any_variant.of_type("AWS::KMS::Key") == []


def test_files_predictions_dead_letters_and_all_logs_are_under_the_one_key(encrypted: StackTemplate):
    (rule,) = encrypted.only("AWS::S3::Bucket").properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    table = encrypted.only("AWS::DynamoDB::Table").properties["SSESpecification"]
    groups = encrypted.of_type("AWS::Logs::LogGroup")

    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "<Key.Arn>"}
    assert rule["BucketKeyEnabled"] is True  # else each upload and download would be a request to KMS
    assert table == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "<Key.Arn>"}
    assert encrypted.only("AWS::SQS::Queue").properties["KmsMasterKeyId"] == "<Key.Arn>"
    assert len(groups) >= 3
    assert {group.properties["KmsKeyId"] for group in groups} == {"<Key.Arn>"}


def test_the_key_is_rotated_every_year(encrypted: StackTemplate):
    assert encrypted.only("AWS::KMS::Key").properties["EnableKeyRotation"] is True


def test_the_key_can_be_used_through_a_service_only(encrypted: StackTemplate):
    use = {"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"}
    for statement in key_policy(encrypted):
        actions = {action.removeprefix("kms:") for action in as_list(statement["Action"])}
        assert not any("*" in action for action in actions)
        if actions & (use | {"CreateGrant"}):
            assert statement["Condition"], statement["Sid"]


def test_the_account_uses_the_key_through_the_services_that_store_the_data(encrypted: StackTemplate):
    used_through = {
        name
        for statement in key_policy(encrypted)
        if "kms:Decrypt" in as_list(statement["Action"]) and "AWS" in statement["Principal"]
        for name in as_list(statement["Condition"]["StringEquals"]["kms:ViaService"])
    }

    assert used_through == {service("s3"), service("dynamodb"), service("sqs"), service("logs")}


@pytest.mark.parametrize(("stack", "has_files"), [("Efs", True), ("Standard", False)])
def test_efs_uses_the_key_of_a_stack_with_a_file_system(
    synthesis_of: Callable[[str], Synthesis], stack: str, has_files: bool
):
    """Without these four actions EFS refuses to create it: https://docs.aws.amazon.com/efs/latest/ug/EFSKMS.html"""
    through_efs = [
        sorted(statement["Action"])
        for statement in key_policy(synthesis_of("customer key").templates[stack])
        if statement.get("Condition") == {"StringEquals": {"kms:ViaService": service("elasticfilesystem")}}
    ]
    needed = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"]

    assert through_efs == ([needed] if has_files else [])


def test_cloudwatch_logs_may_use_the_key_for_the_stacks_log_groups(encrypted: StackTemplate):
    logs = {"Service": "logs.<AWS::Region>.<AWS::URLSuffix>"}
    (statement,) = [entry for entry in key_policy(encrypted) if entry["Principal"] == logs]
    patterns = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]

    assert patterns == [f"{LOG_GROUP}<AWS::StackName>-*", f"{LOG_GROUP}/aws/sagemaker/Endpoints/*"]
    for group in encrypted.of_type("AWS::Logs::LogGroup"):
        # A group without a name is named by CloudFormation, the stack's name first.
        assert group.properties.get("LogGroupName", "").startswith(("/aws/sagemaker/Endpoints/", ""))


def test_cloudwatch_logs_may_use_a_shared_key_for_the_log_groups_of_each_stack_that_uses_it(
    model_path: Path, tmp_path: Path
):
    app = new_app(tmp_path / "assembly")
    base, one, two = Stack(app, "Base"), Stack(app, "One", stack_name="Prod-One"), Stack(app, "Two")
    nested = NestedStack(two, "Nested")
    key = create_key(base, "Key")
    options = FunctionOptions(encryption_key=key)
    for stack, options_of_functions in ((one, options), (nested, FunctionOptions())):
        storage = PipelineStorage(stack, "Storage", encryption_key=key)
        model = ModelArtifact(stack, "Model", path=model_path)
        compute = StandardLambda(stack, "Compute", storage=storage, model=model, options=options_of_functions)
        InferencePipeline(stack, "Pipeline", storage=storage, compute=compute, encryption_key=key)
    create_log_group(one, "Named", options=options, name="/team/audit")

    found = {
        pattern.removeprefix(LOG_GROUP)
        for statement in key_policy(StackTemplate.of(app, base))
        for pattern in statement.get("Condition", {}).get("ArnLike", {}).get("kms:EncryptionContext:aws:logs:arn", [])
    }
    # The name of a nested stack begins with its parent's.
    assert found == {"Prod-One-*", "Two-*", "/team/audit", "/aws/sagemaker/Endpoints/*"}


@pytest.mark.parametrize(
    ("stack", "role", "uses"),
    [
        ("Standard", "Compute/FunctionRole", {("s3", "Decrypt"), ("dynamodb", "Decrypt"), ("sqs", "Decrypt, new")}),
        ("SnapStart", "Compute/FunctionRole", {("s3", "Decrypt"), ("dynamodb", "Decrypt"), ("sqs", "Decrypt, new")}),
        ("SageMaker", "Compute/FunctionRole", {("dynamodb", "Decrypt"), ("sqs", "Decrypt, new")}),
        ("SageMaker", "Compute/ExecutionRole", {("s3", "Decrypt")}),
    ],
)
def test_a_role_uses_the_key_for_what_it_does_and_for_nothing_else(
    synthesis_of: Callable[[str], Synthesis], stack: str, role: str, uses: set[tuple[str, str]]
):
    written = {"Decrypt": {"kms:Decrypt"}, "Decrypt, new": {"kms:Decrypt", "kms:GenerateDataKey"}}
    statements = [
        statement
        for statement in synthesis_of("customer key").templates[stack].statements(role)
        if "kms" in str(statement["Action"])
    ]
    found = {
        statement["Condition"]["StringEquals"]["kms:ViaService"]: set(as_list(statement["Action"]))
        for statement in statements
    }

    assert found == {service(name): written[what] for name, what in uses}
    assert {statement["Resource"] for statement in statements} == {"<Key.Arn>"}


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({}, False),
        ({ALGORITHM: "aws:kms", KEY_ID: "<Key.Arn>"}, False),
        ({ALGORITHM: "aws:kms", KEY_ID: "arn:another"}, True),
        ({ALGORITHM: "aws:kms"}, True),  # which is AWS's own key of S3
        ({ALGORITHM: "AES256"}, True),
    ],
)
def test_an_upload_names_no_encryption_or_the_buckets_key(
    encrypted: StackTemplate, said: dict[str, str], refused: bool
):
    def holds(operator: str, key: str, value: str) -> bool:
        # A negated comparison holds where the key is absent (IAM user guide, "String condition operators").
        return (key not in said) == (value == "true") if operator == "Null" else said.get(key) != value

    denials = [
        all(
            holds(operator, key, value)
            for operator, keys in statement["Condition"].items()
            for key, value in keys.items()
        )
        for statement in encrypted.only("AWS::S3::BucketPolicy").properties["PolicyDocument"]["Statement"]
        if statement["Action"] == "s3:PutObject"
    ]

    assert len(denials) == 2
    assert any(denials) is refused
