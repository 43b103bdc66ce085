"""A stack as its users see it: outputs, names, several copies, and the same templates at every synthesis."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.cx_api import CloudAssembly

from app import add_stacks
from tests.crossover.cdk.onnx_files import CONTRACT, write_model
from tests.crossover.cdk.option_sets import OPTION_SETS, Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app
from tests.synthesis import STACKS
from tools.synthesized import new_context

ROOT = Path(__file__).resolve().parents[2]


def run_app(folder: Path, *, validation: bool = False, **context: object) -> subprocess.CompletedProcess[str]:
    """Run app.py as the CDK command line does, without credentials or a region."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment |= {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(new_context(**context))}
    environment["CDK_VALIDATION"] = str(validation).lower()
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("stack", "handler", "more"),
    [
        ("Standard", "<Compute/Function.Arn>", {}),
        ("SnapStart", "<Compute/Live>", {}),
        (
            "SageMaker",
            "<Compute/Function.Arn>",
            {
                "EndpointName": "<Compute/Endpoint.EndpointName>",
                "UploadQueueUrl": "<Pipeline/UploadQueue/Queue>",
                "Ingest": "queue",
            },
        ),
    ],
)
def test_a_stack_publishes_what_its_users_need(
    templates: dict[str, StackTemplate], stack: str, handler: str, more: dict[str, str]
):
    outputs = templates[stack].outputs
    assert "removal_policy=destroy" in outputs.pop("Protection")  # tests/stacks/test_protection.py has the rest
    assert outputs == {
        "InputBucketName": "<Storage/InputBucket>",
        "PredictionsTableName": "<Storage/PredictionsTable>",
        "FunctionName": "<Compute/Function>",
        "HandlerArn": handler,  # what S3 or the queue invokes
        "DeadLetterQueueUrl": "<Pipeline/DeadLetterQueue>",
        "Predictor": stack.lower(),
        "InputKind": "audio",
        "DashboardName": "<Monitoring/Dashboard>",
        **more,
    }


def test_stacks_are_named_after_the_prefix(assembly: CloudAssembly):
    assert {stack.hierarchical_id: stack.stack_name for stack in assembly.stacks} == {
        name: f"Crossover-{name}" for name in (*STACKS, "Comparison")
    }


def test_stacks_are_tagged_and_protected_from_deletion_if_asked(
    assembly: CloudAssembly, synthesis_of: Callable[[str], Synthesis]
):
    def artifacts(folder: Path) -> dict[str, dict[str, Any]]:
        every = json.loads((folder / "manifest.json").read_text())["artifacts"]
        return {name: each["properties"] for name, each in every.items() if each["type"] == "aws:cloudformation:stack"}

    for name, stack in artifacts(synthesis_of("everything").folder).items():
        assert stack["tags"] == {"team": "audio"}
        assert stack.get("terminationProtection", False) is (name != "Comparison")  # which holds nothing
    for stack in artifacts(Path(assembly.directory)).values():
        assert not stack.get("tags")
        assert not stack.get("terminationProtection")


def test_no_resource_has_a_fixed_name_so_that_copies_do_not_collide(any_variant: StackTemplate):
    # Named by the stack's own id, the alias and the policies within their function and role.
    scoped = {"AWS::Lambda::Alias", "AWS::IAM::Policy"}
    for resource in any_variant.resources.values():
        kind = resource.type.split("::")[-1]
        name = resource.properties.get("Name" if resource.type == "AWS::Lambda::Alias" else f"{kind}Name", "")
        assert resource.type in scoped or not name or "<AWS::StackId>" in name, resource.path


def test_two_prefixes_make_two_copies_without_common_names(model_path: Path, tmp_path: Path):
    names = []
    for prefix in ("Crossover", "Trial"):
        app = new_app(tmp_path / prefix, model_path=str(model_path), stack_prefix=prefix)
        add_stacks(app)
        names.append({stack.stack_name for stack in app.synth().stacks})

    assert names[1] == {"Trial-Standard", "Trial-SnapStart", "Trial-SageMaker", "Trial-Comparison"}
    assert not names[0] & names[1]


def test_only_the_variants_asked_for_become_stacks(model_path: Path, tmp_path: Path):
    app = new_app(tmp_path, model_path=str(model_path), variants="snapstart")
    add_stacks(app)

    assert [stack.hierarchical_id for stack in app.synth().stacks] == ["SnapStart"]


def test_stacks_are_bound_to_no_account_and_region(assembly: CloudAssembly):
    for stack in assembly.stacks:
        assert (stack.environment.account, stack.environment.region) == ("unknown-account", "unknown-region")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["default", "everything"])
def test_two_syntheses_without_credentials_give_the_same_files(
    synthesis_of: Callable[[str], Synthesis], model_path: Path, tmp_path: Path, name: str
):
    settings = {"variants": "all", **OPTION_SETS[name]}
    result = run_app(tmp_path, validation=name == "everything", model_path=str(model_path), **settings)
    assert result.returncode == 0
    # AWS's rules for templates find nothing either; that cdk.json does not have these settings is said.
    findings = re.findall(r"^(?:WARNING|ERROR) (.*)", result.stderr + result.stdout, re.MULTILINE)
    assert {"for this deployment only" in finding for finding in findings} == (
        {True} if name == "everything" else set()
    )
    assert name == "everything" or result.stderr == ""

    first, second = files_of(synthesis_of(name).folder), files_of(tmp_path)
    assert {"Standard.template.json", "SnapStart.assets.json", "SageMaker.template.json"} <= set(first)
    assert first == second


def files_of(assembly: Path) -> dict[str, bytes]:
    """Templates and assets."""
    return {
        path.relative_to(assembly).as_posix(): path.read_bytes()
        for path in assembly.rglob("*")
        if path.is_file() and re.search(r"\.(template|assets)\.json$|/asset\.", path.as_posix())
    }


@pytest.mark.slow
def test_a_wrong_setting_ends_the_synthesis_with_one_line(tmp_path: Path):
    result = run_app(tmp_path, memory_mb="64")

    assert result.returncode == 1
    assert result.stderr == "crossover: The setting memory_mb is '64', but must be a whole number from 128 to 10240.\n"


@pytest.mark.slow
def test_a_model_without_its_contract_ends_the_synthesis_with_one_line(tmp_path: Path):
    path = write_model(tmp_path / "model.onnx", metadata={key: CONTRACT[key] for key in CONTRACT if key != "labels"})

    result = run_app(tmp_path / "assembly", model_path=str(path))

    assert result.returncode == 1
    assert result.stderr.startswith(f"crossover: The model file {path} cannot be served: its labels are ''")
    assert result.stderr.count("\n") == 1
