"""The constructs in another app, without this project's stacks and settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Stack
from aws_cdk.aws_cloudwatch import Metric
from moto import mock_aws

from crossover.cdk import (
    VARIANTS,
    ExistingEndpoint,
    FunctionOptions,
    InferencePipeline,
    InvalidValueError,
    ModelArtifact,
    ModelEndpoint,
    PipelineStorage,
    SageMakerEndpoint,
    StandardLambda,
)
from crossover.deployed import find_variants
from tests.crossover.cdk.templates import StackTemplate, new_app

Parts = tuple[App, Stack, PipelineStorage, ModelArtifact]


@pytest.fixture
def parts(model_path: Path, tmp_path: Path) -> Parts:
    app = new_app(tmp_path)
    stack = Stack(app, "Mine")
    return app, stack, PipelineStorage(stack, "Storage"), ModelArtifact(stack, "Model", path=model_path)


def test_the_command_line_finds_a_stack_that_publishes_its_outputs(parts: Parts, monkeypatch: pytest.MonkeyPatch):
    app, stack, storage, model = parts
    compute = StandardLambda(stack, "Compute", storage=storage, model=model)
    InferencePipeline(stack, "Pipeline", storage=storage, compute=compute, publish_outputs=True)
    outputs = app.synth().get_stack_by_name("Mine").template["Outputs"]
    # moto deploys the outputs' names; what they refer to is this test's.
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {name: {"Value": f"value of {name}"} for name in outputs} | {"Predictor": outputs["Predictor"]},
    }

    with mock_aws():
        clients: Any = lambda service: boto3.client(service, region_name="eu-west-1")  # noqa: E731
        clients("cloudformation").create_stack(StackName="Crossover-Mine", TemplateBody=str(template).replace("'", '"'))
        (found,) = find_variants(clients, prefix="Crossover")

    assert (found.name, found.bucket) == ("standard", "value of InputBucketName")
    assert (found.table, found.function) == ("value of PredictionsTableName", "value of FunctionName")
    assert (found.handler_arn, found.dead_letter_queue) == ("value of HandlerArn", "value of DeadLetterQueueUrl")


def test_a_pipeline_publishes_nothing_unless_it_is_asked_to(parts: Parts):
    app, stack, storage, model = parts
    compute = StandardLambda(stack, "Compute", storage=storage, model=model)
    InferencePipeline(stack, "Pipeline", storage=storage, compute=compute)

    assert StackTemplate.of(app, stack).outputs == {}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_takes_the_settings_that_it_names_as_plain_arguments(parts: Parts, variant: str):
    from stacks.settings import Settings

    _, stack, storage, model = parts
    arguments = {name: getattr(Settings(), name) for name in VARIANTS[variant].settings}
    compute = VARIANTS[variant](stack, "Compute", storage=storage, model=model, **arguments)

    assert compute.predictor == variant


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda stack, storage, model: StandardLambda(stack, "C", storage=storage, model=model, memory_mb=64),
            "memory_mb is 64, but must be a whole number from 128 to 10240.",
        ),
        (
            lambda stack, storage, model: SageMakerEndpoint(
                stack, "C", storage=storage, model=model, proxy_memory_mb=20_000
            ),
            "proxy_memory_mb is 20000, but must be a whole number from 128 to 10240.",
        ),
        (
            lambda stack, storage, model: ModelEndpoint(
                stack, "C", storage=storage, model=model, instance_type="ml.m6g.large"
            ),
            "instance_type is 'ml.m6g.large', but must be an x86_64 SageMaker hosting type such as ml.t2.medium or "
            "ml.c5.large (no ml.t3, no Graviton).",
        ),
        (
            lambda stack, storage, model: ModelEndpoint(stack, "C", storage=storage, model=model, instance_count=0),
            "instance_count is 0, but must be a whole number from 1 to 100.",
        ),
        (
            lambda *_: FunctionOptions(timeout_seconds=60),
            "timeout_seconds is 60, but must be a whole number from 120 to 900.",
        ),
        (
            lambda *_: FunctionOptions(log_retention_days=31),
            "log_retention_days is 31, but must be one of 1, 3, 5, 7, 14, 30,",
        ),
        (
            lambda stack, *_: PipelineStorage(stack, "C", key_prefix="in/*"),
            "key_prefix is 'in/*', but must be at most 1024 letters, digits and",
        ),
        (
            lambda stack, storage, model: InferencePipeline(
                stack,
                "P",
                storage=storage,
                compute=StandardLambda(stack, "C", storage=storage, model=model),
                retry_attempts=3,
            ),
            "retry_attempts is 3, but must be a whole number from 0 to 2.",
        ),
        (
            lambda stack, storage, model: SageMakerEndpoint(stack, "C", storage=storage),
            "model and endpoint: neither is given, but exactly one must be.",
        ),
        (
            lambda stack, *_: ExistingEndpoint(stack, "C"),
            "An existing endpoint has the name '' and the ARN '', but must have exactly one of them.",
        ),
    ],
)
def test_a_value_out_of_range_is_refused_in_one_sentence(
    parts: Parts, make: Callable[[Stack, PipelineStorage, ModelArtifact], object], message: str
):
    _, stack, storage, model = parts
    with pytest.raises(InvalidValueError) as error:
        make(stack, storage, model)

    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


# --- an existing endpoint


def test_the_proxy_may_invoke_an_existing_endpoint_and_no_other(parts: Parts):
    app, stack, storage, _ = parts
    endpoint = ExistingEndpoint(stack, "Endpoint", name="Shared-Endpoint")
    compute = SageMakerEndpoint(stack, "Compute", storage=storage, endpoint=endpoint)
    InferencePipeline(stack, "Pipeline", storage=storage, compute=compute, publish_outputs=True)
    template = StackTemplate.of(app, stack)
    arn = "arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:endpoint/shared-endpoint"

    assert not [each for each in template.resources.values() if each.type.startswith("AWS::SageMaker")]
    assert ("sagemaker:InvokeEndpoint", arn) in template.grants("Compute/FunctionRole")
    environment = template.resources["Compute/Function"].properties["Environment"]["Variables"]
    assert environment["ENDPOINT_NAME"] == template.outputs["EndpointName"] == "Shared-Endpoint"
    assert compute.cost is None  # whose instances are not known here
    metric = compute.alarms[0].metric
    assert isinstance(metric, Metric)
    assert metric.dimensions == {"EndpointName": "Shared-Endpoint", "VariantName": "live"}


def test_an_existing_endpoint_may_be_given_by_its_arn(parts: Parts):
    _, stack, *_ = parts
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/shared"
    endpoint = ExistingEndpoint(stack, "Endpoint", arn=arn)

    assert (endpoint.endpoint_name, endpoint.endpoint_arn) == ("shared", arn)
