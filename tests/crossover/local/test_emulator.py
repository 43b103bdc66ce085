"""What the emulator adds to ministack, asked for through AWS's own interfaces: small stacks, without the CDK."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from crossover.local.work import LocalAws
from tests.crossover.conftest import processes_of

pytestmark = pytest.mark.slow

ROLE = "arn:aws:iam::000000000000:role/any"
# Appends what happens to a queue; reads S3's event.
HANDLER = """
import json, os
import boto3
from snapshot_restore_py import register_after_restore, register_before_snapshot

said = [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]

@register_before_snapshot
def before_snapshot():
    said.append("before snapshot")

@register_after_restore
def after_restore():
    said.append("after restore")

if os.environ.get("BROKEN"):
    raise RuntimeError("no model here")

def handler(event, context):
    key = event["Records"][0]["s3"]["object"]["key"]
    if key == "bad":
        raise ValueError("bad file")
    answer = {"key": key, "said": said, "arn": context.invoked_function_arn}
    boto3.client("sqs").send_message(QueueUrl=os.environ["ANSWERS"], MessageBody=json.dumps(answer))
"""
SERVER = """
import http.server, os

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, b"")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        model = open(os.path.join(os.environ["MODEL_DIR"], os.listdir(os.environ["MODEL_DIR"])[0])).read()
        self.answer(422 if body == b"noise" else 200, f"{body.decode()} {model} {os.environ['GREETING']}".encode())
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Server).serve_forever()
"""


def deploy(name: str, resources: dict[str, Any], outputs: dict[str, Any]) -> dict[str, str]:
    """Create or update a stack; returns its outputs."""
    cloudformation = boto3.client("cloudformation")
    values = {key: {"Value": value} for key, value in outputs.items()}
    template = json.dumps({"Resources": resources, "Outputs": values})
    exists = any(stack["StackName"] == name for stack in cloudformation.describe_stacks()["Stacks"])
    (cloudformation.update_stack if exists else cloudformation.create_stack)(StackName=name, TemplateBody=template)
    waiter = cloudformation.get_waiter("stack_update_complete" if exists else "stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def snapstart_resources(*, broken: bool = False) -> dict[str, Any]:
    """A bucket that notifies the alias of a SnapStart function, whose failures go to a queue."""
    alias = {"Fn::Sub": "arn:aws:lambda:us-east-1:000000000000:function:${Function}:live"}
    variables = {"ANSWERS": {"Ref": "Answers"}, **({"BROKEN": "yes"} if broken else {})}
    return {
        "Answers": {"Type": "AWS::SQS::Queue"},
        "Failures": {"Type": "AWS::SQS::Queue"},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": ROLE,
                "Timeout": 30,
                "Code": {"ZipFile": HANDLER},
                "SnapStart": {"ApplyOn": "PublishedVersions"},
                "Environment": {"Variables": variables},
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
            },
        },
        "Invocations": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "DependsOn": "Live",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "live",
                "MaximumRetryAttempts": 0,
                "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failures", "Arn"]}}},
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": ["Live", "Invocations"],
            "Properties": {
                "Tags": [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}],
                "NotificationConfiguration": {
                    "LambdaConfigurations": [
                        {
                            "Event": "s3:ObjectCreated:*",
                            "Function": alias,
                        }
                    ]
                },
            },
        },
    }


SNAPSTART_OUTPUTS = {
    "Bucket": {"Ref": "Bucket"},
    "Answers": {"Ref": "Answers"},
    "Failures": {"Ref": "Failures"},
    "Function": {"Ref": "Function"},
}


@pytest.fixture(scope="module")
def snapstart(aws: LocalAws) -> dict[str, str]:
    return deploy("snapstart", snapstart_resources(), SNAPSTART_OUTPUTS)


def message(queue: str) -> dict[str, Any]:
    """The next message, which must come within a minute."""
    for _ in range(60):
        answer = boto3.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1)
        for found in answer.get("Messages", []):
            boto3.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=found["ReceiptHandle"])
            body: dict[str, Any] = json.loads(found["Body"])
            return body
    raise AssertionError(f"no message in {queue}")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_snapstart_runs_the_hooks_once_around_the_snapshot(snapstart: dict[str, str]) -> None:
    for key in ("first", "second"):
        boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key=key, Body=b"x")
        answer = message(snapstart["Answers"])
        assert answer["key"] == key
        assert answer["said"] == ["snap-start", "before snapshot", "after restore"]


def test_the_functions_context_names_the_alias_that_s3_invoked(snapstart: dict[str, str]) -> None:
    boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key="named", Body=b"x")
    assert message(snapstart["Answers"])["arn"].endswith(f":function:{snapstart['Function']}:live")


def test_what_fails_goes_where_the_alias_says(snapstart: dict[str, str]) -> None:
    boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key="bad", Body=b"x")
    letter = message(snapstart["Failures"])
    assert letter["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "bad"
    assert letter["responsePayload"]["errorType"] == "ValueError"
    assert letter["responsePayload"]["errorMessage"] == "bad file"


def test_buckets_keep_their_tags(snapstart: dict[str, str]) -> None:
    tags = boto3.client("s3").get_bucket_tagging(Bucket=snapstart["Bucket"])["TagSet"]
    assert {"Key": "aws-cdk:auto-delete-objects", "Value": "true"} in tags


def test_an_init_that_fails_fails_the_deployment_with_its_reason(aws: LocalAws) -> None:
    with pytest.raises(WaiterError):
        deploy("broken", snapstart_resources(broken=True), {})
    events = boto3.client("cloudformation").describe_stack_events(StackName="broken")["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert failed["LogicalResourceId"] == "Version"
    assert "RuntimeError: no model here" in failed["ResourceStatusReason"]


def sagemaker_resources(bucket: str, greeting: str) -> dict[str, Any]:
    """An endpoint, whose image is `repository:image-of-the-test`."""
    return {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": ROLE,
                "PrimaryContainer": {
                    "Image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/repository:image-of-the-test",
                    "ModelDataSource": {"S3DataSource": {"S3Uri": f"s3://{bucket}/the.onnx", "S3DataType": "S3Object"}},
                    "Environment": {"GREETING": greeting},
                },
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [
                    {
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "VariantName": "AllTraffic",
                        "InstanceType": "ml.t2.medium",
                        "InitialInstanceCount": 1,
                    }
                ]
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
        },
    }


def deploy_endpoint(bucket: str, greeting: str) -> str:
    outputs = {"Name": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}}
    return deploy("sagemaker", sagemaker_resources(bucket, greeting), outputs)["Name"]


@pytest.fixture(scope="module")
def model_bucket(aws: LocalAws) -> Iterator[str]:
    """Holds the model; the assembly says what the image would be built from."""
    image = aws.workspace.assembly / "image"
    image.mkdir(exist_ok=True)
    (image / "Dockerfile").write_text('FROM python\nENTRYPOINT ["python", "serve"]\n')
    (image / "serve").write_text(SERVER)
    images = {"image-of-the-test": {"source": {"directory": "image"}, "destinations": {}}}
    manifest = {"version": "1", "files": {}, "dockerImages": images}
    manifest_file = aws.workspace.assembly / "Test.assets.json"
    manifest_file.write_text(json.dumps(manifest))
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="the.onnx", Body=b"model")
    yield "models"
    manifest_file.unlink()
    shutil.rmtree(image)


def invoke(endpoint: str, body: bytes) -> str:
    runtime = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="audio/wav")
    assert answer["ContentType"] == "text/plain"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    text: str = answer["Body"].read().decode()
    return text


def test_an_endpoint_answers_with_the_model_and_follows_an_update(aws: LocalAws, model_bucket: str) -> None:
    endpoint = deploy_endpoint(model_bucket, "hello")
    assert invoke(endpoint, b"audio") == "audio model hello"
    assert deploy_endpoint(model_bucket, "good evening") == endpoint
    assert invoke(endpoint, b"audio") == "audio model good evening"
    assert len([command for command in processes_of(aws.workspace) if "serve" in command.split()]) == 1


def test_an_error_of_the_container_is_sagemakers_model_error(aws: LocalAws, model_bucket: str) -> None:
    endpoint = deploy_endpoint(model_bucket, "hello again")
    with pytest.raises(ClientError) as failure:
        invoke(endpoint, b"noise")
    response: dict[str, Any] = failure.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 422
    assert response["OriginalMessage"] == "noise model hello again"
    assert response["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{endpoint}")


def test_an_endpoint_that_does_not_exist_is_a_validation_error(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="Endpoint nowhere of account 000000000000 not found") as failure:
        invoke("nowhere", b"audio")
    assert failure.value.response["Error"]["Code"] == "ValidationError"


def test_a_deleted_stack_leaves_no_process(aws: LocalAws, snapstart: dict[str, str]) -> None:
    boto3.client("s3").put_object(Bucket=snapstart["Bucket"], Key="last", Body=b"x")
    message(snapstart["Answers"])
    assert any("awslambdaric" in command for command in processes_of(aws.workspace))
    boto3.client("s3").delete_objects(
        Bucket=snapstart["Bucket"],
        Delete={"Objects": [{"Key": key} for key in ("first", "second", "named", "bad", "last")]},
    )
    boto3.client("cloudformation").delete_stack(StackName="snapstart")
    wait_until(lambda: not any("awslambdaric" in command for command in processes_of(aws.workspace)))
