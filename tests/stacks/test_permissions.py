"""Who may do what: the whole of it, so that a privilege more is a failing test."""

import pytest

from .templates import StackTemplate

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
SEND_DEAD_LETTERS = {
    ("sqs:SendMessage", "<Pipeline/DeadLetterQueue.Arn>"),
    ("sqs:GetQueueAttributes", "<Pipeline/DeadLetterQueue.Arn>"),
    ("sqs:GetQueueUrl", "<Pipeline/DeadLetterQueue.Arn>"),
}


def model_object(template: StackTemplate, function: str = "Compute/Function") -> str:
    uri = template.resources[function].properties["Environment"]["Variables"]["MODEL_S3_URI"]
    return f"{ASSETS}/{uri.rpartition('/')[2]}"


@pytest.mark.parametrize("stack", ["Standard", "SnapStart"])
def test_an_inference_function_reads_files_and_the_one_model_and_writes_predictions(
    templates: dict[str, StackTemplate], stack: str
):
    template = templates[stack]

    assert template.grants("Compute/FunctionRole") == (
        WRITE_OWN_LOGS | READ_FILES | WRITE_PREDICTIONS | SEND_DEAD_LETTERS | {("s3:GetObject", model_object(template))}
    )


def test_the_proxy_invokes_the_one_endpoint_and_never_reads_a_file(sagemaker: StackTemplate):
    assert sagemaker.grants("Compute/FunctionRole") == (
        WRITE_OWN_LOGS | WRITE_PREDICTIONS | SEND_DEAD_LETTERS | {("sagemaker:InvokeEndpoint", "<Compute/Endpoint>")}
    )


def test_the_endpoint_reads_files_the_model_and_its_image_and_writes_its_own_logs(
    sagemaker: StackTemplate, standard: StackTemplate
):
    repository = f"arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:{IMAGES}"

    assert sagemaker.grants("Compute/ExecutionRole") == READ_FILES | {
        ("s3:GetObject", model_object(standard)),
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


def test_what_the_endpoint_may_do_on_more_than_its_own_resources_is_bound_by_a_condition(
    sagemaker: StackTemplate, standard: StackTemplate
):
    conditions = {
        statement["Action"]: statement["Condition"]
        for statement in sagemaker.statements("Compute/ExecutionRole")
        if "Condition" in statement
    }

    model_key = model_object(standard).rpartition("/")[2]
    assert conditions == {
        "cloudwatch:PutMetricData": {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}},
        "s3:ListBucket": {"StringLike": {"s3:prefix": f"{model_key}*"}},
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
