"""SageMaker's endpoints in the emulator, tested through AWS's APIs."""

import json
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from crossover.local.work import LocalAws
from tests.crossover.conftest import processes_of
from tests.crossover.waiting import wait_until
from tests.server_script import server_script

from .stacks import ROLE, deploy, role

pytestmark = pytest.mark.slow
SERVER = server_script("""
def respond(body, headers):
    if body == b"die":
        os.kill(os.getpid(), 9)
    model = open(os.path.join(os.environ["MODEL_DIR"], os.listdir(os.environ["MODEL_DIR"])[0])).read()
    if body == b"key":
        return 200, os.environ["AWS_ACCESS_KEY_ID"].encode()
    return 422 if body == b"noise" else 200, f"{body.decode()} {model} {os.environ['GREETING']}".encode()
""")


def execution_role(bucket: str) -> dict[str, Any]:
    """What SageMaker does with this role: pull the image, and download the model."""
    return role(
        "sagemaker",
        **{f"ecr_{action}": "*" for action in ("GetAuthorizationToken", "BatchGetImage", "GetDownloadUrlForLayer")},
        ecr_BatchCheckLayerAvailability="arn:aws:ecr:us-east-1:000000000000:repository/repository",
        s3_ListBucket=f"arn:aws:s3:::{bucket}",
        s3_GetObject=f"arn:aws:s3:::{bucket}/the.onnx",
    )


def sagemaker_resources(bucket: str, greeting: str, allowed_bucket: str | None = None) -> dict[str, Any]:
    """An endpoint, whose image is `repository:image-of-the-test`; its role may read the model, or another bucket."""
    return {
        "Role": execution_role(allowed_bucket or bucket),
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


def test_an_endpoint_responds_during_an_update(aws: LocalAws, model_bucket: str) -> None:
    endpoint = deploy_endpoint(model_bucket, "before")
    answers, end = set[str](), threading.Event()

    def keep_invoking() -> None:
        while not end.is_set():
            answers.add(invoke(endpoint, b"audio"))

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(keep_invoking) for _ in range(4)]
        try:
            deploy_endpoint(model_bucket, "after")
        finally:
            end.set()
    for each in running:
        each.result()
    assert answers == {"audio model before", "audio model after"}


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


def test_a_container_that_is_killed_is_started_again(aws: LocalAws, model_bucket: str) -> None:
    endpoint = deploy_endpoint(model_bucket, "hello once more")
    with pytest.raises(ClientError) as failure:
        invoke(endpoint, b"die")
    response: dict[str, Any] = failure.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 0

    def answers() -> bool:
        try:
            return invoke(endpoint, b"audio") == "audio model hello once more"
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("ServiceUnavailable", "ModelError")
            return False

    wait_until(answers)
    assert len([command for command in processes_of(aws.workspace) if "serve" in command.split()]) == 1


def test_a_container_acts_as_the_execution_role(aws: LocalAws, model_bucket: str) -> None:
    endpoint = deploy_endpoint(model_bucket, "hello")
    assert invoke(endpoint, b"key").startswith("ASIA")  # of temporary credentials


def test_an_execution_role_that_may_not_read_the_model_fails_the_deployment(aws: LocalAws, model_bucket: str) -> None:
    with pytest.raises(WaiterError):
        deploy("denied", sagemaker_resources(model_bucket, "hello", allowed_bucket="another"), {})
    events = boto3.client("cloudformation").describe_stack_events(StackName="denied")["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert failed["LogicalResourceId"] == "Endpoint"
    assert "AccessDenied" in failed["ResourceStatusReason"]


def test_an_endpoint_that_does_not_exist_is_a_validation_error(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="Endpoint nowhere of account 000000000000 not found") as failure:
        invoke("nowhere", b"audio")
    assert failure.value.response["Error"]["Code"] == "ValidationError"


@pytest.fixture(scope="module")
def repository(aws: LocalAws) -> str:
    boto3.client("ecr").create_repository(repositoryName="repository")
    return "repository"


def test_an_image_that_is_not_there_is_an_error_so_that_the_cdk_builds_it(repository: str) -> None:
    with pytest.raises(ClientError, match="does not exist within the repository") as failure:
        boto3.client("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": "missing"}])
    assert failure.value.response["Error"]["Code"] == "ImageNotFoundException"


@pytest.mark.parametrize("kind", ["manifest", "index"])
def test_an_image_with_an_oci_manifest_is_refused_in_sagemakers_words(repository: str, kind: str) -> None:
    ecr, cloudformation = boto3.client("ecr"), boto3.client("cloudformation")
    media_type = f"application/vnd.oci.image.{kind}.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media_type})
    ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag=kind)
    [described] = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": kind}])["imageDetails"]
    model = sagemaker_resources("models", "hello")["Model"]
    model["Properties"]["PrimaryContainer"]["Image"] = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/repository:{kind}"

    cloudformation.create_stack(StackName=kind, TemplateBody=json.dumps({"Resources": {"Model": model}}))
    wait_until(lambda: "ROLLBACK" in cloudformation.describe_stacks(StackName=kind)["Stacks"][0]["StackStatus"])
    events = cloudformation.describe_stack_events(StackName=kind)["StackEvents"]
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)

    assert described["imageTags"] == [kind]
    assert f"Unsupported manifest media type {media_type} for image" in reasons
