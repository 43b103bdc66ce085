"""SnapStart works only through the alias and is billed by the version: one alias, one version, published last."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from app import add_stacks
from tests.crossover.cdk.onnx_files import CONTRACT, write_model
from tests.crossover.cdk.templates import StackTemplate, new_app


@pytest.fixture
def version_id(tmp_path: Path) -> Callable[..., str]:
    """The logical id of the published version: CloudFormation publishes a new one when it changes."""

    def synthesize(model: Path, **settings: Any) -> str:
        app = new_app(tmp_path / "assembly", model_path=str(model), variants="snapstart", **settings)
        add_stacks(app)
        (stack,) = app.synth().stacks
        logical_id: str
        (logical_id,) = [
            key for key, value in stack.template["Resources"].items() if value["Type"] == "AWS::Lambda::Version"
        ]
        return logical_id

    return synthesize


def test_snapshots_are_taken_of_published_versions(snapstart: StackTemplate):
    function = snapstart.resources["Compute/Function"].properties

    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}


def test_the_alias_live_points_at_the_one_published_version(snapstart: StackTemplate):
    version = snapstart.only("AWS::Lambda::Version")
    alias = snapstart.only("AWS::Lambda::Alias").properties

    assert version.properties["FunctionName"] == "<Compute/Function>"
    assert alias == {
        "Name": "live",
        "FunctionName": "<Compute/Function>",
        "FunctionVersion": f"<{version.path}.Version>",
    }


def test_an_update_deletes_the_version_it_replaces(snapstart: StackTemplate):
    version = snapstart.only("AWS::Lambda::Version").definition

    assert version["DeletionPolicy"] == "Delete"
    assert version["UpdateReplacePolicy"] == "Delete"


def test_nothing_is_provisioned_because_lambda_refuses_that_with_snapstart(snapstart: StackTemplate):
    for resource in snapstart.resources.values():
        assert not any(key.startswith("ProvisionedConcurrency") for key in resource.properties)


def test_the_version_is_published_after_the_role_may_read_the_model_and_write_logs(snapstart: StackTemplate):
    before = snapstart.created_before("Compute/Function/CurrentVersion")

    assert {"Compute/FunctionRole/DefaultPolicy", "Compute/FunctionLogs", "Storage/PredictionsTable"} <= before


def test_another_model_or_configuration_publishes_a_new_version(tmp_path: Path, version_id: Callable[..., str]):
    model = write_model(tmp_path / "model.onnx")
    other = write_model(tmp_path / "other.onnx", metadata={**CONTRACT, "version": "2"})
    first = version_id(model)

    assert version_id(other) != first
    assert version_id(model, memory_mb=2048) != first
    assert version_id(model, max_audio_seconds=30) != first


def test_the_same_sources_publish_no_new_version(tmp_path: Path, version_id: Callable[..., str]):
    model = write_model(tmp_path / "model.onnx")
    copy = write_model(tmp_path / "copy.onnx")

    assert version_id(model) == version_id(copy)


def test_cdk_does_not_warn_that_no_version_is_published(app: App):
    warnings = [
        message.entry.data
        for stack in app.synth().stacks
        for message in stack.messages
        if message.level.name == "WARNING"
    ]

    assert warnings == []
