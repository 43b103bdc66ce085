"""The endpoint: what it serves, from which image, on which instances, and in which order it is created."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.cx_api import CloudAssembly

from app import add_stacks
from tests.crossover.cdk.templates import StackTemplate, new_app


def docker_images(assembly: CloudAssembly) -> dict[str, Any]:
    """The images that the SageMaker stack's assets name, by tag."""
    manifest = json.loads((Path(assembly.directory) / "SageMaker.assets.json").read_text())
    images: dict[str, Any] = manifest["dockerImages"]
    return images


@pytest.fixture(scope="module")
def image(assembly: CloudAssembly) -> dict[str, Any]:
    """How the image is built."""
    (image,) = docker_images(assembly).values()
    source: dict[str, Any] = image["source"]
    return source


@pytest.fixture(scope="module")
def podmans(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    """The endpoint with other instances, and podman instead of Docker."""
    app = new_app(
        tmp_path_factory.mktemp("podman"),
        model_path=str(model_path),
        variants="sagemaker",
        instance_type="ml.c5.large",
        instance_count="3",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_DOCKER", "/opt/bin/podman")
        add_stacks(app)
    return app.synth()


@pytest.fixture(scope="module")
def image_files(assembly: CloudAssembly, image: dict[str, Any]) -> set[str]:
    folder = Path(assembly.directory) / image["directory"]
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_docker_writes_a_manifest_that_sagemaker_accepts(image: dict[str, Any]):
    assert image["dockerOutputs"] == ["type=image,oci-mediatypes=false"]


def test_podman_gets_no_option_that_it_lacks_and_the_template_stays_the_same(
    assembly: CloudAssembly, podmans: CloudAssembly, image: dict[str, Any]
):
    (tag, other), *rest = docker_images(podmans).items()

    assert docker_images(assembly).keys() == {tag} and not rest
    assert other["source"] == {key: value for key, value in image.items() if key != "dockerOutputs"}


def test_the_plain_model_file_is_mounted(sagemaker: StackTemplate):
    container = sagemaker.only("AWS::SageMaker::Model").properties["PrimaryContainer"]
    source = container["ModelDataSource"]["S3DataSource"]

    assert (source["S3DataType"], source["CompressionType"]) == ("S3Object", "None")
    assert "ModelDataUrl" not in container


def test_the_container_has_the_limits_of_its_models_kind_and_the_region_of_the_stack(sagemaker: StackTemplate):
    container = sagemaker.only("AWS::SageMaker::Model").properties["PrimaryContainer"]["Environment"]
    proxy = sagemaker.resources["Compute/Function"].properties["Environment"]["Variables"]

    assert container == {
        "INPUT_KIND": "audio",
        "MAX_FILE_BYTES": proxy["MAX_FILE_BYTES"],
        "MAX_AUDIO_SECONDS": "600",
        "MAX_CHANNELS": "8",
        "AWS_DEFAULT_REGION": "<AWS::Region>",
    }


def test_one_burstable_instance_serves_by_default(sagemaker: StackTemplate):
    (variant,) = sagemaker.only("AWS::SageMaker::EndpointConfig").properties["ProductionVariants"]

    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.t2.medium", 1)
    assert variant["ModelName"] == "<Compute/Model.ModelName>"


def test_the_instances_can_be_chosen(podmans: CloudAssembly):
    template = StackTemplate(podmans.get_stack_by_name("Crossover-SageMaker").template)
    (variant,) = template.only("AWS::SageMaker::EndpointConfig").properties["ProductionVariants"]

    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5.large", 3)


def test_the_proxy_calls_the_endpoint_of_its_stack(sagemaker: StackTemplate):
    environment = sagemaker.resources["Compute/Function"].properties["Environment"]["Variables"]

    assert environment["ENDPOINT_NAME"] == "<Compute/Endpoint.EndpointName>"
    assert "Compute/Endpoint" in sagemaker.created_before("Compute/Function")


def test_a_model_is_created_after_its_role_may_read_it(sagemaker: StackTemplate):
    assert "Compute/ExecutionRole/DefaultPolicy" in sagemaker.created_before("Compute/Model")


def test_model_and_configuration_have_no_name_so_that_an_update_can_replace_them(sagemaker: StackTemplate):
    assert "ModelName" not in sagemaker.only("AWS::SageMaker::Model").properties
    assert "EndpointConfigName" not in sagemaker.only("AWS::SageMaker::EndpointConfig").properties


def test_the_endpoint_logs_to_a_group_that_the_stack_made_before_it(sagemaker: StackTemplate):
    endpoint = sagemaker.only("AWS::SageMaker::Endpoint").properties
    group = sagemaker.resources["Compute/EndpointLogs"].properties

    assert group["LogGroupName"] == f"/aws/sagemaker/Endpoints/{endpoint['EndpointName']}"
    assert group["RetentionInDays"] == 30
    assert "Compute/EndpointLogs" in sagemaker.created_before("Compute/Endpoint")


def test_the_endpoints_name_is_the_stacks_own_and_short_enough(sagemaker: StackTemplate):
    name = sagemaker.only("AWS::SageMaker::Endpoint").properties["EndpointName"]
    fixed, _, of_the_stack = name.partition("{")

    assert "<AWS::StackId>" in of_the_stack
    assert len(fixed) + len("0123abcd") <= 63  # SageMaker's limit for a name


def test_the_image_is_built_for_the_instances_platform(image: dict[str, Any]):
    assert image["platform"] == "linux/amd64"
    assert image["dockerFile"] == "sagemaker_container/Dockerfile"


def test_the_image_is_built_of_the_container_and_the_inference_package_only(image_files: set[str]):
    decoders = "lambda_src/requirements-audio.txt"
    assert {"sagemaker_container/Dockerfile", "lambda_src/inference/model.py", decoders} <= image_files
    ours = ("sagemaker_container/", "lambda_src/inference/", decoders)
    assert all(path.startswith(ours) for path in image_files)


def test_running_the_sources_does_not_change_the_image(image_files: set[str]):
    assert not [path for path in image_files if path.endswith(".pyc")]


def test_the_image_is_an_asset_of_the_sagemaker_stack_only(assembly: CloudAssembly):
    for stack in ("Standard", "SnapStart"):
        manifest = json.loads((Path(assembly.directory) / f"{stack}.assets.json").read_text())
        assert not manifest.get("dockerImages")


def test_an_app_without_the_endpoint_needs_no_container(model_path: Path, tmp_path: Path):
    app: App = new_app(tmp_path, model_path=str(model_path), variants="standard,snapstart")
    add_stacks(app)

    assert {stack.hierarchical_id for stack in app.synth().stacks} == {"SnapStart", "Standard", "Comparison"}
