"""Properties of the stacks. Nothing is bundled, and no AWS call is made."""

import json
from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template

from app import add_stacks
from stacks.inference_stack import InferenceStack
from stacks.settings import Settings

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    context = json.loads((PROJECT / "cdk.json").read_text())["context"]
    app = App(
        context={**context, "aws:cdk:bundling-stacks": []},  # the functions' packages are not built for a test
        outdir=str(tmp_path_factory.mktemp("cdk.out")),
    )
    add_stacks(app)
    return app


@pytest.fixture(scope="module")
def templates(app: App) -> dict[str, Template]:
    """One for each variant, by its stack's id."""
    stacks = [child for child in app.node.children if isinstance(child, InferenceStack)]
    return {stack.node.id: Template.from_stack(stack) for stack in stacks}


def test_there_is_a_stack_for_each_variant(app: App, templates: dict[str, Template]) -> None:
    assert len(templates) == len(Settings.from_context(app.node).variants)


def test_files_are_private_and_encrypted(templates: dict[str, Template]) -> None:
    for template in templates.values():
        template.has_resource_properties(
            "AWS::S3::Bucket",
            {
                "BucketEncryption": Match.any_value(),
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "RestrictPublicBuckets": True},
            },
        )


def test_every_upload_is_predicted(templates: dict[str, Template]) -> None:
    for template in templates.values():
        created = {"Events": ["s3:ObjectCreated:*"]}
        template.has_resource_properties(
            "Custom::S3BucketNotifications",
            {
                "NotificationConfiguration": {
                    "LambdaFunctionConfigurations": Match.array_with([Match.object_like(created)])
                }
            },
        )


def test_what_fails_is_kept_in_the_dead_letter_queue(templates: dict[str, Template]) -> None:
    for template in templates.values():
        template.has_resource_properties(
            "AWS::Lambda::EventInvokeConfig", {"DestinationConfig": {"OnFailure": Match.any_value()}}
        )
        template.has_resource_properties("AWS::SQS::Queue", {"MessageRetentionPeriod": 14 * 24 * 3600})
