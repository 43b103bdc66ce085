"""All permissions: one more is a failing test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import add_stacks
from tests.crossover.cdk.option_sets import Synthesis
from tests.crossover.cdk.templates import StackTemplate, new_app
from tools.synthesized import as_list

ASSETS = "arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>"
IMAGES = "repository/cdk-hnb659fds-container-assets-<AWS::AccountId>-<AWS::Region>"
WRITE_OWN_LOGS = {
    ("logs:CreateLogStream", "<Compute/FunctionLogs.Arn>"),
    ("logs:PutLogEvents", "<Compute/FunctionLogs.Arn>"),
}
READ_FILES = {
    ("s3:GetObject", "<Storage/InputBucket.Arn>/*"),
    ("s3:GetObjectVersion", "<Storage/InputBucket.Arn>/*"),
    ("s3:ListBucket", "<Storage/InputBucket.Arn>"),
}
WRITE_PREDICTIONS = {("dynamodb:PutItem", "<Storage/PredictionsTable.Arn>")}
SEND_DEAD_LETTERS = {("sqs:SendMessage", "<Pipeline/DeadLetterQueue.Arn>")}
TAKE_UPLOADS = {
    (f"sqs:{action}", "<Pipeline/UploadQueue/Queue.Arn>")
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
}
# Of every model: a version that serves the old one must be able to start until the new one has taken over.
READ_MODELS = {("s3:GetObject", f"{ASSETS}/*.onnx")}


@pytest.mark.parametrize("stack", ["Standard", "SnapStart"])
def test_an_inference_function_reads_files_and_models_and_writes_predictions(
    templates: dict[str, StackTemplate], stack: str
):
    template = templates[stack]

    assert template.grants("Compute/FunctionRole") == (
        WRITE_OWN_LOGS | READ_FILES | WRITE_PREDICTIONS | SEND_DEAD_LETTERS | READ_MODELS
    )


def test_the_proxy_invokes_the_one_endpoint_and_never_reads_a_file(sagemaker: StackTemplate):
    assert sagemaker.grants("Compute/FunctionRole") == (
        WRITE_OWN_LOGS
        | WRITE_PREDICTIONS
        | SEND_DEAD_LETTERS
        | TAKE_UPLOADS
        | {("sagemaker:InvokeEndpoint", "<Compute/Endpoint>")}
    )


def test_the_endpoint_reads_files_models_and_its_image_and_writes_its_own_logs(sagemaker: StackTemplate):
    repository = f"arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:{IMAGES}"

    assert sagemaker.grants("Compute/ExecutionRole") == READ_FILES | READ_MODELS | {
        ("s3:ListBucket", ASSETS),
        ("ecr:BatchCheckLayerAvailability", repository),
        ("ecr:GetDownloadUrlForLayer", repository),
        ("ecr:BatchGetImage", repository),
        ("ecr:GetAuthorizationToken", "*"),
        ("logs:CreateLogGroup", "<Compute/EndpointLogs.Arn>"),
        ("logs:CreateLogStream", "<Compute/EndpointLogs.Arn>"),
        ("logs:DescribeLogStreams", "<Compute/EndpointLogs.Arn>"),
        ("logs:PutLogEvents", "<Compute/EndpointLogs.Arn>"),
        ("cloudwatch:PutMetricData", "*"),
    }


def test_wildcard_permissions_of_the_endpoint_have_a_condition(sagemaker: StackTemplate):
    conditions = {
        statement["Action"]: statement["Condition"]
        for statement in sagemaker.statements("Compute/ExecutionRole")
        if "Condition" in statement
    }

    assert conditions == {
        "cloudwatch:PutMetricData": {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}},
        "s3:ListBucket": {"StringLike": {"s3:prefix": "*.onnx*"}},
    }


def test_only_the_functions_that_cdk_adds_have_a_managed_policy(any_variant: StackTemplate):
    roles = [role.path for role in any_variant.of_type("AWS::IAM::Role") if role.properties.get("ManagedPolicyArns")]

    assert len(roles) == 2
    assert all(path.startswith(("BucketNotificationsHandler", "Custom::S3AutoDeleteObjects")) for path in roles)


@pytest.mark.parametrize(
    ("role", "service"),
    [("Compute/FunctionRole", "lambda.amazonaws.com"), ("Compute/ExecutionRole", "sagemaker.amazonaws.com")],
)
def test_a_role_is_assumed_by_its_service_only(sagemaker: StackTemplate, role: str, service: str):
    statements = sagemaker.resources[role].properties["AssumeRolePolicyDocument"]["Statement"]

    assert [(entry["Effect"], entry["Principal"]) for entry in statements] == [("Allow", {"Service": service})]


@pytest.mark.parametrize(
    ("stack", "invoked"),
    [
        ("Standard", "<Compute/Function.Arn>"),
        ("SnapStart", "<Compute/Live>"),
        ("SageMaker", "<Compute/Function.Arn>"),
    ],
)
def test_only_the_input_bucket_may_invoke_the_handler(templates: dict[str, StackTemplate], stack: str, invoked: str):
    permission = templates[stack].only("AWS::Lambda::Permission").properties

    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": invoked,
        "Principal": "s3.amazonaws.com",
        "SourceAccount": "<AWS::AccountId>",
        "SourceArn": "<Storage/InputBucket.Arn>",
    }


def test_the_three_variants_read_the_same_model_object(templates: dict[str, StackTemplate]):
    source = templates["SageMaker"].only("AWS::SageMaker::Model").properties["PrimaryContainer"]["ModelDataSource"]
    uris = {
        templates["Standard"].resources["Compute/Function"].properties["Environment"]["Variables"]["MODEL_S3_URI"],
        templates["SnapStart"].resources["Compute/Function"].properties["Environment"]["Variables"]["MODEL_S3_URI"],
        source["S3DataSource"]["S3Uri"],
    }

    (uri,) = uris
    assert uri.startswith("s3://cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/")
    assert uri.endswith(".onnx")


# A wildcard that AWS leaves no choice of: it takes no narrower resource. What may be bound by a condition, is.
NO_NARROWER = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:UnassignPrivateIpAddresses",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
BY_CDK = ("Custom::S3AutoDeleteObjects", "BucketNotificationsHandler")


def allowed(template: StackTemplate) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows something and is ours, with the path of what holds it."""
    for resource in template.resources.values():
        for key in ("PolicyDocument", "ResourcePolicy", "KeyPolicy"):
            document = resource.properties.get(key, {})
            for statement in document.get("PolicyDocument", document).get("Statement", []):
                by_cdk = any(name in str([statement, resource.path]) for name in BY_CDK)
                if statement["Effect"] == "Allow" and not by_cdk:
                    yield resource.path, statement


def test_no_action_is_a_wildcard(any_synthesis: Synthesis):
    found = [(path, entry) for template in any_synthesis.templates.values() for path, entry in allowed(template)]

    assert len(found) > 15
    for path, statement in found:
        assert not any("*" in action for action in as_list(statement["Action"])), path


def test_a_resource_is_a_wildcard_only_where_aws_takes_no_narrower_one(any_synthesis: Synthesis):
    for template in any_synthesis.templates.values():
        for path, statement in allowed(template):
            if path == "Key":
                continue  # in its own policy, "*" is the key
            for resource in as_list(statement["Resource"]):
                of_the_bucket = (
                    resource.startswith(("<Storage/InputBucket.Arn>/", "<Backfill/Bucket.Arn>/"))
                    and resource.count("*") == 1
                )
                versions = statement["Action"] == "lambda:InvokeFunction" and resource.endswith(".Arn>:*")
                models = resource == f"{ASSETS}/*.onnx"
                if "*" in resource and not of_the_bucket and not versions and not models:
                    assert resource == "*", path
                    assert set(as_list(statement["Action"])) <= NO_NARROWER, path


@pytest.mark.parametrize("name", ["narrowed", "everything"])
def test_only_objects_of_the_prefix_can_be_read(synthesis_of: Callable[[str], Synthesis], name: str):
    for template in synthesis_of(name).templates.values():
        reads = {
            resource
            for _, statement in allowed(template)
            if "s3:GetObject" in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
            if "InputBucket" in resource
        }
        assert reads == {"<Storage/InputBucket.Arn>/in/*"}


def test_a_key_an_isolated_network_and_a_prefix_allow_nothing_more_on_bucket_table_and_queue(any_synthesis: Synthesis):
    function = any_synthesis.templates["Standard"]
    prefix = "in/" if "in/*" in str(function.body) else ""
    own = {
        (action, resource)
        for action, resource in function.grants("Compute/FunctionRole")
        if not action.startswith(("kms:", "ec2:", "xray:"))
    }

    assert own == (
        WRITE_OWN_LOGS
        | {(action, resource.replace("/*", f"/{prefix}*")) for action, resource in READ_FILES}
        | WRITE_PREDICTIONS
        | SEND_DEAD_LETTERS
        | READ_MODELS
        | (TAKE_UPLOADS if "Pipeline/UploadQueue/Queue" in function.resources else set())
    )


@pytest.mark.parametrize(
    ("boundary", "arn"),
    [
        ("team-boundary", "arn:<AWS::Partition>:iam::<AWS::AccountId>:policy/team-boundary"),
        ("arn:aws:iam::123456789012:policy/teams/boundary", "arn:aws:iam::123456789012:policy/teams/boundary"),
    ],
)
def test_every_role_has_the_permissions_boundary_even_those_of_cdk(
    model_path: Path, tmp_path: Path, boundary: str, arn: str
):
    app = new_app(tmp_path, model_path=str(model_path), permissions_boundary=boundary, network="isolated")
    add_stacks(app)
    for stack in app.synth().stacks:
        roles = StackTemplate(stack.template).of_type("AWS::IAM::Role")
        assert len(roles) >= 4 or stack.hierarchical_id == "Comparison"
        assert {role.properties["PermissionsBoundary"] for role in roles} <= {arn}


def test_without_a_boundary_no_role_has_one(any_variant: StackTemplate):
    assert not [role for role in any_variant.of_type("AWS::IAM::Role") if "PermissionsBoundary" in role.properties]
