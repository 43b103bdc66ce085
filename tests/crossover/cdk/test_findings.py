"""The templates pass cfn-lint and cdk-nag's AwsSolutions pack; what is accepted has a reason."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.cx_api import CloudAssembly

from tests.crossover.cdk.linting import lint_findings
from tests.crossover.cdk.option_sets import OPTION_SETS, Synthesis
from tests.crossover.cdk.templates import nag_findings, new_app


def test_cdk_nag_reports_no_findings(any_synthesis: Synthesis):
    assert any_synthesis.findings == []


def test_cdk_nag_really_runs(tmp_path: Path):
    app = new_app(tmp_path)
    s3.Bucket(Stack(app, "Stack"), "Bucket")

    assert "AwsSolutions-S1 at Stack/Bucket/Resource" in nag_findings(app)


def test_every_accepted_finding_has_a_reason(any_synthesis: Synthesis):
    rules = {rule.rpartition("::")[2].partition("[")[0] for rule in any_synthesis.reasons}

    assert rules >= {"AwsSolutions-S1", "AwsSolutions-L1"}
    assert all(reason.endswith(".") and len(reason.split()) >= 5 for reason in any_synthesis.reasons.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTION_SETS)
def test_cfn_lint_reports_nothing(synthesis_of: Callable[[str], Synthesis], name: str):
    for path in synthesis_of(name).folder.glob("*.template.json"):
        assert lint_findings(path.read_text()) == [], path.name


@pytest.mark.slow
def test_cfn_lint_really_runs(assembly: CloudAssembly):
    template: dict[str, Any] = json.loads((Path(assembly.directory) / "Standard.template.json").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["MemorySize"] = 64

    assert {finding.rule.id for finding in lint_findings(json.dumps(template))} == {"E3034"}
