"""Stacks bound to an account and region, also in China and GovCloud: no other partition's ARN, nothing looked up."""

import json
from pathlib import Path

import pytest

from app import add_stacks
from tests.crossover.cdk.templates import StackTemplate, nag_findings, new_app
from tests.synthesis import STACKS

ASSET_KEY = "arn:aws-cn:kms:cn-north-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def synthesize(folder: Path, model_path: Path, region: str, asset_key: str, variants: str = "all") -> list[str]:
    """cdk-nag's findings, with everything on."""
    app = new_app(
        folder,
        model_path=str(model_path),
        variants=variants,
        env=f"123456789012/{region}",
        asset_key_arn=asset_key,
        encryption="customer",
        network="isolated",
        rollout="canary",
    )
    add_stacks(app)
    return nag_findings(app)


@pytest.fixture(scope="module")
def china(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("china")
    assert synthesize(folder, model_path, "cn-north-1", ASSET_KEY) == []
    return folder


def test_no_arn_is_of_another_partition(china: Path, model_path: Path, tmp_path: Path):
    asset_key = ASSET_KEY.replace("aws-cn", "aws-us-gov").replace("cn-north-1", "us-gov-west-1")
    assert synthesize(tmp_path, model_path, "us-gov-west-1", asset_key, "sagemaker") == []
    for folder, count in ((china, len(STACKS) + 1), (tmp_path, 1)):
        templates = list(folder.glob("*.template.json"))
        assert len(templates) == count
        for template in templates:
            assert "arn:aws:" not in template.read_text(), template


def test_nothing_is_looked_up_though_account_and_region_are_known(china: Path):
    manifest = json.loads((china / "manifest.json").read_text())

    assert manifest.get("missing", []) == []
    environments = {artifact.get("environment") for artifact in manifest["artifacts"].values()}
    assert environments - {None} == {"aws://123456789012/cn-north-1"}


@pytest.mark.parametrize(
    ("stack", "role"),
    [
        ("Standard", "Compute/FunctionRole"),
        ("SnapStart", "Compute/FunctionRole"),
        ("SageMaker", "Compute/ExecutionRole"),
    ],
)
def test_who_reads_the_model_may_decrypt_it_with_the_key_of_the_cdks_bucket(china: Path, stack: str, role: str):
    template = StackTemplate(json.loads((china / f"{stack}.template.json").read_text()))
    (statement,) = [each for each in template.statements(role) if ASSET_KEY in str(each["Resource"])]

    assert statement["Action"] == "kms:Decrypt"
    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": "s3.<AWS::Region>.amazonaws.com"}}
