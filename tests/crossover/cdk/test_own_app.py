"""The constructs in another app, without this project's stacks and settings."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_cloudwatch import Metric
from moto import mock_aws

from crossover.cdk import (
    VARIANTS,
    Backfill,
    ExistingEndpoint,
    FunctionOptions,
    InferenceFunction,
    InferencePipeline,
    InvalidValueError,
    ModelArtifact,
    ModelEndpoint,
    Monitoring,
    Mount,
    PipelineStorage,
    SageMakerEndpoint,
    StandardLambda,
    inference_bundle,
    zip_code,
)
from crossover.cdk import Parts as FunctionParts
from crossover.deployed import find_variants
from crossover.paths import sources
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


# --- several pipelines, and others' constructs, in one stack


def add_pipeline(
    stack: Stack, model_path: Path, name: str, *, metrics: bool = True
) -> tuple[PipelineStorage, StandardLambda, InferencePipeline]:
    storage, model = PipelineStorage(stack, f"{name}Storage"), ModelArtifact(stack, f"{name}Model", path=model_path)
    options = FunctionOptions(architecture="arm64", metrics=metrics)
    compute = StandardLambda(stack, name, storage=storage, model=model, options=options)
    return storage, compute, InferencePipeline(stack, f"{name}Pipeline", storage=storage, compute=compute)


def add_monitoring(scope: Stack, compute: StandardLambda, pipeline: InferencePipeline) -> None:
    Monitoring(scope, "Monitoring", compute=compute, dead_letter_queue=pipeline.dead_letter_queue)


def test_what_is_monitored_is_the_only_one_of_its_stack_that_writes_metrics(model_path: Path, tmp_path: Path):
    app = new_app(tmp_path)
    stack = Stack(app, "Mine")
    _, compute, pipeline = add_pipeline(stack, model_path, "First")
    add_monitoring(stack, compute, pipeline)
    add_pipeline(stack, model_path, "Second")

    with pytest.raises(RuntimeError) as error:
        app.synth()
    [sentence] = re.findall(r"\[Mine/Monitoring\] (.*)", str(error.value))
    assert sentence == (
        "The metrics of Mine/Second/Function and of Mine/First/Function cannot be told apart, so in the "
        "FunctionOptions "
        "of the former `metrics` must be False, or each pipeline must have a stack of its own, which may be a nested "
        "one."
    )


def test_pipelines_of_one_stack_share_neither_failures_of_init_nor_what_an_own_stack_monitors(
    model_path: Path, tmp_path: Path
):
    app = new_app(tmp_path)
    stack, monitored_in = Stack(app, "Mine"), Stack(app, "Watch")
    _, compute, pipeline = add_pipeline(stack, model_path, "First")
    add_pipeline(stack, model_path, "Second", metrics=False)
    add_monitoring(monitored_in, compute, pipeline)
    template = StackTemplate.of(app, stack)
    filters = [each.properties["MetricTransformations"][0] for each in template.of_type("AWS::Logs::MetricFilter")]

    assert len({each["MetricName"] for each in filters}) == len(filters) == 2
    dashboard = StackTemplate.of(app, monitored_in).only("AWS::CloudWatch::Dashboard").properties["DashboardBody"]
    assert '"Stack","Mine"' in dashboard and '"Stack","Watch"' not in dashboard


def test_of_the_functions_that_cdk_adds_those_for_the_own_buckets_get_log_groups(model_path: Path, tmp_path: Path):
    """Lambda would make ones that keep everything for ever; but of others' constructs nothing is changed."""
    app = new_app(tmp_path)
    stack = Stack(app, "Mine")
    ec2.Vpc(stack, "Theirs", restrict_default_security_group=True)  # by a function of CDK's
    storage = PipelineStorage(stack, "Storage", input_bucket=s3.Bucket.from_bucket_name(stack, "Existing", "existing"))
    model = ModelArtifact(stack, "Model", path=model_path)
    compute = StandardLambda(stack, "Compute", storage=storage, model=model)
    InferencePipeline(stack, "Pipeline", storage=storage, compute=compute)
    Backfill(stack, "Backfill", storage=storage, model=model, compute=compute)  # whose bucket is the first of ours
    kept = {
        re.sub("[0-9a-f]{32}", "", resource.path.partition("/")[0]): "LoggingConfig" in resource.properties
        for resource in StackTemplate.of(app, stack).of_type("AWS::Lambda::Function")
    }

    assert kept == {
        "Compute": True,
        "BucketNotificationsHandler": True,
        "Custom::S3AutoDeleteObjectsCustomResourceProvider": True,
        "Custom::VpcRestrictDefaultSGCustomResourceProvider": False,
    }


# --- a variant of one's own


def test_the_variant_in_the_docs_runs_its_image(parts: Parts):
    app, stack, storage, model = parts
    section = (sources() / "docs/constructs.md").read_text().partition("## A variant of your own")[2]
    names: dict[str, Any] = {}
    exec(section.partition("```python\n")[2].partition("```")[0], names)
    compute = names["TeamImage"](stack, "Compute", storage=storage, model=model)
    InferencePipeline(stack, "Pipeline", storage=storage, compute=compute)
    function = StackTemplate.of(app, stack).resources["Compute/Function"].properties

    assert function["Code"]["ImageUri"].endswith("/team/inference:2026-11-28")
    assert function["PackageType"] == "Image"
    assert function["Environment"]["Variables"]["PREDICTOR"] == "team-image"


def test_a_variant_may_mount_a_file_system_of_its_own(parts: Parts):
    app, stack, storage, model = parts
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    files = efs.FileSystem(stack, "Files", vpc=vpc)
    point = files.add_access_point("Point")

    class OwnFiles(InferenceFunction):
        predictor = "own-files"
        stack_id = "OwnFiles"
        handler = "efs_handler"

        def _parts(self, storage: PipelineStorage, model: ModelArtifact, options: FunctionOptions) -> FunctionParts:
            return FunctionParts(
                code=zip_code(self, inference_bundle(model.contract.input.kind), options=options),
                handler="efs_handler.handler",
                options=options,
                model_location="/mnt/team/model.onnx",
                environment={"MODEL_SHA256": model.sha256},
                mount=Mount(file_system=files, access_point=point, path="/mnt/team"),
            )

    OwnFiles(stack, "Compute", storage=storage, model=model, options=FunctionOptions(vpc=vpc))
    function = StackTemplate.of(app, stack).resources["Compute/Function"].properties

    assert [each["LocalMountPath"] for each in function["FileSystemConfigs"]] == ["/mnt/team"]
    assert function["Environment"]["Variables"]["MODEL_S3_URI"] == "/mnt/team/model.onnx"
