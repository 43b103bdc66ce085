"""The templates pass cfn-lint and cdk-nag's AwsSolutions pack; what is accepted has a reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_s3 as s3
from aws_cdk.cx_api import CloudAssembly
from cfnlint import lint

from app import add_stacks

from .templates import nag_findings, new_app


@pytest.mark.parametrize("removal_policy", ["destroy", "retain"])
def test_cdk_nag_has_nothing_left_to_say(model_path: Path, tmp_path: Path, removal_policy: str):
    app = new_app(tmp_path, model_path=str(model_path), removal_policy=removal_policy)
    add_stacks(app)

    assert nag_findings(app) == []


def test_cdk_nag_is_really_asked(tmp_path: Path):
    app = new_app(tmp_path)
    s3.Bucket(Stack(app, "Stack"), "Bucket")

    assert "AwsSolutions-S1 at Stack/Bucket/Resource" in nag_findings(app)


def test_every_accepted_finding_has_a_reason(app: App):
    accepted = {
        rule: reason
        for construct in app.node.find_all()
        for entry in construct.node.metadata
        if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY
        for rule, reason in entry.data.items()
    }

    assert {rule.rpartition("::")[2].partition("[")[0] for rule in accepted} >= {"AwsSolutions-S1", "AwsSolutions-L1"}
    assert all(reason.endswith(".") and len(reason.split()) >= 5 for reason in accepted.values())


@pytest.mark.parametrize("stack", ["Standard", "SnapStart", "SageMaker"])
def test_cfn_lint_has_nothing_to_say(assembly: CloudAssembly, stack: str):
    assert lint((Path(assembly.directory) / f"{stack}.template.json").read_text()) == []


def test_cfn_lint_is_really_asked(assembly: CloudAssembly):
    template: dict[str, Any] = json.loads((Path(assembly.directory) / "Standard.template.json").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["MemorySize"] = 64

    assert lint(json.dumps(template)) != []
