"""Bucket, table, key and VPC that exist already, named by the settings: used as they are, and not looked up."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, assertions

from app import add_stacks
from stacks.existing import existing_vpc
from tests.crossover.cdk.linting import lint_findings
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, nag_findings, new_app
from tests.stacks.key_uses import key_uses

KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/findings"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
EXISTING: dict[str, Any] = {
    "input_bucket": "recordings",
    "decryption_key_arns": KEY,
    "event_source": "eventbridge",
    "vpc_id": "vpc-0123456789abcdef0",
    "subnet_ids": ",".join(SUBNETS),
}


@pytest.fixture(scope="module")
def folder(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("existing")
    app = new_app(folder, model_path=str(model_path), **EXISTING)
    add_stacks(app)
    assert nag_findings(app) == []
    return folder


@pytest.fixture(params=["Standard", "SnapStart", "SageMaker"])
def template(request: pytest.FixtureRequest, folder: Path) -> StackTemplate:
    return StackTemplate(json.loads((folder / f"{request.param}.template.json").read_text()))


def test_nothing_is_looked_up(folder: Path):
    assert json.loads((folder / "manifest.json").read_text()).get("missing", []) == []


def test_the_bucket_is_read_and_its_notifications_stay(template: StackTemplate):
    switch = template.only("Custom::S3BucketNotifications").properties
    reader = "Compute/ExecutionRole" if "Compute/ExecutionRole" in template.resources else "Compute/FunctionRole"

    assert template.of_type("AWS::S3::Bucket") == []
    assert (switch["BucketName"], switch["Managed"]) == ("recordings", False)
    assert switch["NotificationConfiguration"] == {"EventBridgeConfiguration": {}}
    assert ("s3:GetObject", "arn:<AWS::Partition>:s3:::recordings/*") in template.grants(reader)
    assert ("kms:Decrypt", KEY) in template.grants(reader)
    assert template.outputs["InputBucketName"] == "recordings"


@pytest.mark.parametrize(
    ("stack", "role", "services"),
    [
        ("Standard", "Compute/FunctionRole", {"s3", "dynamodb"}),
        ("SnapStart", "Compute/FunctionRole", {"s3", "dynamodb"}),
        ("SageMaker", "Compute/FunctionRole", {"dynamodb"}),
        ("SageMaker", "Compute/ExecutionRole", {"s3"}),
    ],
)
def test_where_the_customers_key_is_left_out_the_roles_still_read_what_it_encrypts(
    synthesis_of: Callable[[str], Synthesis], folder: Path, stack: str, role: str, services: set[str]
):
    before = synthesis_of("customer key").templates[stack]
    after = StackTemplate(json.loads((folder / f"{stack}.template.json").read_text()))

    assert key_uses(before, role) >= {(service, "<Key.Arn>") for service in services}
    assert key_uses(after, role) == {(service, KEY) for service in services}
    assert not after.of_type("AWS::KMS::Key")


def test_the_compute_runs_in_the_subnets_and_makes_no_network(template: StackTemplate):
    assert template.resources["Compute/Function"].properties["VpcConfig"]["SubnetIds"] == SUBNETS
    for type_ in ("VPC", "Subnet", "VPCEndpoint", "FlowLog"):
        assert template.of_type(f"AWS::EC2::{type_}") == []
    for group in template.of_type("AWS::EC2::SecurityGroup"):
        assert group.properties["VpcId"] == EXISTING["vpc_id"]
        assert [rule["ToPort"] for rule in group.properties["SecurityGroupEgress"]] == [443]
    for model in template.of_type("AWS::SageMaker::Model"):
        assert model.properties["VpcConfig"]["Subnets"] == SUBNETS


def test_cdk_need_not_warn_of_subnets_without_route_tables(tmp_path: Path):
    stack = Stack(App(outdir=str(tmp_path)), "S")
    existing_vpc(stack, "Vpc", EXISTING["vpc_id"], SUBNETS)

    assert assertions.Annotations.from_stack(stack).find_warning("*", assertions.Match.any_value()) == []


def test_a_table_of_one_variant_gets_its_items(model_path: Path, tmp_path: Path):
    names = {"input_bucket": "arn:aws:s3:::recordings", "predictions_table": TABLE}
    app = new_app(tmp_path, model_path=str(model_path), variants="standard", **names)
    add_stacks(app)
    (stack,) = app.synth().stacks
    template = StackTemplate(stack.template)

    assert template.of_type("AWS::DynamoDB::Table") == template.of_type("AWS::S3::Bucket") == []
    assert ("dynamodb:PutItem", TABLE) in template.grants("Compute/FunctionRole")
    assert (
        template.resources["Compute/Function"].properties["Environment"]["Variables"]["PREDICTIONS_TABLE"]
        == (template.outputs["PredictionsTableName"])
    )


@pytest.mark.slow
def test_cfn_lint_reports_nothing(folder: Path):
    for path in folder.glob("*.template.json"):
        assert lint_findings(path.read_text()) == [], path.name
