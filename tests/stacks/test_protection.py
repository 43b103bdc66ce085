"""What protects the data: published as deployed, and warned of where the next deployment would lose it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, assertions

from app import add_stacks
from crossover.deployed import read_protection
from stacks.protection import protection, warnings
from stacks.settings import Settings
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app
from tests.stacks.key_uses import key_uses

OLD_KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
NEW_KEY = "arn:aws:kms:eu-west-1:123456789012:key/99999999-2222-3333-4444-555555555555"
ONE: dict[str, Any] = {"variants": "standard"}
KEPT: dict[str, Any] = {"removal_policy": "retain", "bucket_versioning": True}


@pytest.fixture(scope="module")
def existing_key(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> StackTemplate:
    app = new_app(
        tmp_path_factory.mktemp("existing"),
        model_path=str(model_path),
        variants="standard",
        encryption="customer",
        encryption_key_arn=NEW_KEY,
        decryption_key_arns=[OLD_KEY],
    )
    add_stacks(app)
    (stack,) = app.synth().stacks
    return StackTemplate(stack.template)


# --- what a stack publishes


def test_a_stack_publishes_the_protecting_settings_as_they_are_deployed(synthesis_of: Callable[[str], Synthesis]):
    for name, encryption, removal in (("default", "aws", "destroy"), ("everything", "customer", "retain")):
        for template in synthesis_of(name).templates.values():
            values = dict(part.split("=") for part in template.outputs["Protection"].split(" "))
            assert (values["encryption"], values["removal_policy"]) == (encryption, removal)
            assert values["bucket_versioning"] == values["point_in_time_recovery"] == str(removal == "retain").lower()


def test_a_stack_publishes_its_key(synthesis_of: Callable[[str], Synthesis], existing_key: StackTemplate):
    for template in synthesis_of("customer key").templates.values():
        assert template.outputs["KeyArn"] == "<Key.Arn>"
    assert existing_key.outputs["KeyArn"] == NEW_KEY
    assert "KeyArn" not in synthesis_of("default").templates["Standard"].outputs


def test_the_command_line_reads_what_is_published():
    boundary = f"arn:aws:iam::123456789012:policy/{'path/' * 100}team=a"
    keys: dict[str, Any] = {"encryption_key_arn": NEW_KEY, "decryption_key_arns": [OLD_KEY] * 5}
    settings = Settings(encryption="customer", permissions_boundary=boundary, predictions_table="mine", **keys, **ONE)
    published = protection(settings)
    read = read_protection(published)

    assert (read["encryption"], read["permissions_boundary"], read["item_lifetime_days"]) == (
        "customer",
        boundary,
        "none",
    )
    assert "_arn" not in published  # up to six ARNs would not fit
    assert (read["input_bucket"], read["predictions_table"]) == ("own", "existing")
    assert len(published.encode()) <= 1024  # which CloudFormation takes


# --- the key outlives what might need it


@pytest.mark.parametrize("name", ["customer key", "everything"])
def test_the_key_stays_when_it_leaves_the_template_or_the_stack_goes(
    synthesis_of: Callable[[str], Synthesis], templates: dict[str, StackTemplate], name: str
):
    for variant, before in synthesis_of(name).templates.items():
        after = templates[variant]
        leaving = {path: before.resources[path] for path in before.resources if path not in after.resources}
        keys = [resource for resource in leaving.values() if resource.type == "AWS::KMS::Key"]
        # Except where a failed deployment takes back the key that it has just created.
        assert [key.definition["DeletionPolicy"] for key in keys] == ["RetainExceptOnCreate"]
        assert [key.definition["UpdateReplacePolicy"] for key in keys] == ["Retain"]


def test_new_data_are_under_an_existing_key_and_old_data_stay_readable(existing_key: StackTemplate):
    (rule,) = existing_key.only("AWS::S3::Bucket").properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    groups = existing_key.of_type("AWS::Logs::LogGroup")

    assert existing_key.of_type("AWS::KMS::Key") == []
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == NEW_KEY
    assert existing_key.only("AWS::DynamoDB::Table").properties["SSESpecification"]["KMSMasterKeyId"] == NEW_KEY
    assert existing_key.only("AWS::SQS::Queue").properties["KmsMasterKeyId"] == NEW_KEY
    assert {group.properties["KmsKeyId"] for group in groups} == {NEW_KEY}
    uses = key_uses(existing_key, "Compute/FunctionRole")
    assert uses == {(service, key) for service in ("s3", "dynamodb") for key in (OLD_KEY, NEW_KEY)} | {("sqs", NEW_KEY)}


# --- what synth warns of


@pytest.fixture
def cdk_json(tmp_path: Path) -> Callable[..., Path]:
    def write(**context: object) -> Path:
        path = tmp_path / "cdk.json"
        path.write_text(json.dumps({"app": "python3 app.py", "context": context}))
        return path

    return write


def test_what_is_written_into_cdk_json_is_not_warned_of(cdk_json: Callable[..., Path]):
    assert warnings(Settings(), cdk_json()) == {}
    assert warnings(Settings(**KEPT), cdk_json(**KEPT)) == {}
    assert warnings(Settings(**KEPT), cdk_json(removal_policy="retain", bucket_versioning="true")) == {}


@pytest.mark.parametrize(
    ("name", "here", "later"),
    [("encryption", "customer", "aws"), ("network", "isolated", "public"), ("input_lifetime_days", "30", "none")],
)
def test_a_protecting_setting_that_the_next_deployment_forgets_is_warned_of_by_name(
    cdk_json: Callable[..., Path], name: str, here: str, later: str
):
    (text,) = warnings(Settings(**{name: here}), cdk_json()).values()  # type: ignore[arg-type]

    assert text == (
        f"The setting {name} is {here} for this deployment only: with cdk.json alone it is {later}, which the next "
        "deployment goes back to. Write it into cdk.json."
    )


def test_a_key_that_the_next_deployment_forgets_is_warned_of(cdk_json: Callable[..., Path]):
    settings = Settings(encryption="customer", encryption_key_arn=NEW_KEY, decryption_key_arns=(OLD_KEY,))
    found = warnings(settings, cdk_json(encryption="customer"))

    assert f"encryption_key_arn is {NEW_KEY} for this deployment only" in found["encryption_key_arn-not-in-cdk-json"]
    assert f"decryption_key_arns is {OLD_KEY} for this" in found["decryption_key_arns-not-in-cdk-json"]
    assert all("with cdk.json alone it is none," in text for text in found.values())
    assert len(found) == 2


def test_taking_protection_away_for_one_deployment_is_warned_of_too(cdk_json: Callable[..., Path]):
    (text,) = warnings(Settings(), cdk_json(encryption="customer")).values()

    assert "encryption is aws for this deployment only: with cdk.json alone it is customer" in text


def test_other_settings_may_come_from_the_command_line(cdk_json: Callable[..., Path]):
    assert warnings(Settings(memory_mb=2048, variants="standard"), cdk_json()) == {}  # type: ignore[arg-type]


def test_versions_and_backups_that_a_destroy_deletes_are_warned_of(cdk_json: Callable[..., Path]):
    (text,) = warnings(Settings(bucket_versioning=True), cdk_json(bucket_versioning=True)).values()

    assert text.startswith("removal_policy is destroy in spite of bucket_versioning: `cdk destroy` deletes all files")


def test_kept_files_without_versions_are_warned_of(cdk_json: Callable[..., Path]):
    (text,) = warnings(Settings(removal_policy="retain"), cdk_json(removal_policy="retain")).values()

    assert text.startswith("removal_policy is retain, but bucket_versioning is false: a file that is overwritten")


def test_versions_of_an_existing_bucket_are_its_owners(cdk_json: Callable[..., Path]):
    settings: dict[str, Any] = {"removal_policy": "retain", "input_bucket": "recordings", **ONE}

    assert warnings(Settings(**settings), cdk_json(**settings)) == {}


def test_the_warnings_are_shown_by_the_cdk(model_path: Path, tmp_path: Path):
    app: App = new_app(tmp_path, model_path=str(model_path), variants="standard", removal_policy="retain")
    add_stacks(app)
    stack = app.node.find_child("Standard")
    assert isinstance(stack, Stack)

    found = assertions.Annotations.from_stack(stack).find_warning(
        "*", assertions.Match.string_like_regexp("removal_policy is retain for this deployment only")
    )

    assert len(found) == 1


@pytest.mark.parametrize(
    ("source", "senders"),
    [
        ("notification", "s3.amazonaws.com"),
        ("eventbridge", "events.amazonaws.com"),
        ("both", "s3.amazonaws.com and events.amazonaws.com"),
    ],
)
def test_it_is_warned_that_the_policy_of_an_existing_key_must_allow_who_sends_into_the_queue(
    model_path: Path, tmp_path: Path, source: str, senders: str
):
    options = {"encryption": "customer", "encryption_key_arn": NEW_KEY, "event_source": source}
    app = new_app(tmp_path, model_path=str(model_path), variants="standard,sagemaker", **options)
    add_stacks(app)

    stacks = {stack.node.id: stack for stack in app.node.children if isinstance(stack, Stack)}
    text = assertions.Match.string_like_regexp(f"which must let {senders} use kms:Decrypt and kms:GenerateDataKey")
    assertions.Annotations.from_stack(stacks["SageMaker"]).has_warning("/SageMaker", text)
    assertions.Annotations.from_stack(stacks["Standard"]).has_no_warning("*", text)  # it has no queue
