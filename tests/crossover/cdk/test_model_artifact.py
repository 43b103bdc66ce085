"""A model file is uploaded, with its contract."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Annotations, Match, Template

from crossover.cdk.model_artifact import ModelArtifact
from crossover.model.contract import ModelArtifactError
from tests.crossover.cdk.onnx_files import CONTRACT, write_model

REPORTED = Path(__file__).parents[2] / "lambda_src/reported/models"


def test_an_artifact_knows_its_contract_and_the_hash_of_its_bytes(tmp_path: Path):
    path = write_model(tmp_path / "model.onnx")

    model = ModelArtifact(Stack(App(), "Stack"), "Model", path=path)

    assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (model.contract.name, model.contract.version, model.contract.license) == ("tiny", "1", "MIT")
    assert (model.contract.input.kind, model.contract.output.kind) == ("audio", "labels")


def test_what_a_model_fails_on_is_a_warning_at_synth():
    stack = Stack(App(), "Stack")

    ModelArtifact(stack, "Model", path=REPORTED / "c2-nan-on-silence.onnx")

    Annotations.from_stack(stack).has_warning("/Stack/Model", Match.string_like_regexp("fails on digital silence"))


def permissions_to_read(path: Path) -> Any:
    stack = Stack(App(), "Stack")
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    ModelArtifact(stack, "Model", path=path).grant_read(role)
    return Template.from_stack(stack).find_resources("AWS::IAM::Policy")


def test_a_new_model_takes_no_permission_away_from_what_serves_the_old_one(tmp_path: Path):
    old, new = (
        write_model(tmp_path / f"{version}.onnx", metadata={**CONTRACT, "version": version}) for version in ("1", "2")
    )
    assert old.read_bytes() != new.read_bytes()

    assert permissions_to_read(old) == permissions_to_read(new)


def test_a_file_that_the_roles_could_not_read_is_refused(tmp_path: Path):
    path = write_model(tmp_path / "model.bin")

    with pytest.raises(ModelArtifactError, match=r"^The model is 'model.bin', but its name must end in .onnx.$"):
        ModelArtifact(Stack(App(), "Stack"), "Model", path=path)
