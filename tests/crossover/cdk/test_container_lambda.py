"""The function from an image: what the image is made of, which of its handlers runs, and where the model is."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.cx_api import CloudAssembly

from app import add_stacks
from crossover.bundling import inference_bundle
from tests.crossover.cdk.onnx_files import CONTRACT, write_model
from tests.crossover.cdk.templates import StackTemplate, new_app

FUNCTION = "Compute/Function"


@pytest.fixture
def container(templates: dict[str, StackTemplate]) -> StackTemplate:
    return templates["Container"]


def synthesize(folder: Path, model: Path, **settings: Any) -> StackTemplate:
    app = new_app(folder, model_path=str(model), variants="container", **settings)
    add_stacks(app)
    (stack,) = app.synth().stacks
    return StackTemplate(stack.template)


@pytest.fixture(scope="module")
def from_s3(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StackTemplate]:
    """The other settings, and where they are synthesized."""
    folder = tmp_path_factory.mktemp("assembly")
    settings = {"model_in_image": "false", "image_snap_start": "true", "architecture": "arm64"}
    return folder, synthesize(folder, model_path, **settings)


def image(assembly: Path, stack: str = "Container") -> tuple[str, dict[str, Any]]:
    """Hash and source of the stack's one image."""
    manifest = json.loads((assembly / f"{stack}.assets.json").read_text())
    ((asset_hash, asset),) = manifest["dockerImages"].items()
    return asset_hash, asset["source"]


def files_of(assembly: Path) -> set[str]:
    folder = assembly / image(assembly)[1]["directory"]
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_function_is_the_image_with_the_handler_as_its_command(
    container: StackTemplate, assembly: CloudAssembly
) -> None:
    function = container.resources[FUNCTION].properties
    asset_hash, source = image(Path(assembly.directory))

    assert function["PackageType"] == "Image"
    assert function["Code"]["ImageUri"].endswith(f":{asset_hash}")
    assert function["ImageConfig"] == {"Command": ["standard_handler.handler"]}
    assert not {"Runtime", "Handler", "SnapStart"} & set(function)
    assert (function["Architectures"], source["platform"]) == (["x86_64"], "linux/amd64")


def test_the_image_is_made_of_the_handlers_their_locks_and_the_model_and_nothing_else(
    container: StackTemplate, assembly: CloudAssembly
) -> None:
    files = files_of(Path(assembly.directory))
    top = {name for name in files if not name.startswith("lambda_src/inference/")}

    assert top == {
        *("lambda.Dockerfile", "recipe.py", "wheels.json", "handlers.json", "model/model.onnx"),
        *(f"lambda_src/{handler}.py" for handler in inference_bundle("audio").handlers),
        *("lambda_src/requirements-inference.txt", "lambda_src/requirements-audio.txt"),
    }
    assert any(name.startswith("lambda_src/inference/inputs/audio_formats/") for name in files)
    assert not any(name.startswith("lambda_src/inference/inputs/image_formats/") for name in files)
    assert not any("__pycache__" in name for name in files)
    variables = container.resources[FUNCTION].properties["Environment"]["Variables"]
    assert variables["MODEL_S3_URI"] == "/var/task/model/model.onnx"


def test_without_the_model_in_the_image_it_is_read_from_s3(
    container: StackTemplate, from_s3: tuple[Path, StackTemplate]
) -> None:
    folder, template = from_s3
    variables = template.resources[FUNCTION].properties["Environment"]["Variables"]
    [(action, models)] = template.grants("Compute/FunctionRole") - container.grants("Compute/FunctionRole")

    assert "model/model.onnx" not in files_of(folder)
    assert variables["MODEL_S3_URI"].startswith("s3://")
    assert (action, models.endswith("/*.onnx")) == ("s3:GetObject", True)


def test_snapstart_publishes_a_version_of_the_handler_with_hooks(from_s3: tuple[Path, StackTemplate]) -> None:
    _, template = from_s3
    function = template.resources[FUNCTION].properties

    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert function["ImageConfig"] == {"Command": ["snapstart_handler.handler"]}
    assert template.only("AWS::Lambda::Version").properties["FunctionName"] == f"<{FUNCTION}>"
    # S3's, beside that for events that come late to the function itself.
    assert "<Compute/Live>" in {each.properties["FunctionName"] for each in template.of_type("AWS::Lambda::Permission")}
    assert "<Compute/Live>" in str(template.only("Custom::S3BucketNotifications").properties)


def test_the_image_is_built_for_the_architecture_of_the_function(from_s3: tuple[Path, StackTemplate]) -> None:
    folder, template = from_s3

    assert template.resources[FUNCTION].properties["Architectures"] == ["arm64"]
    assert image(folder)[1]["platform"] == "linux/arm64"


def test_another_model_is_another_image_and_the_same_sources_are_the_same(tmp_path: Path) -> None:
    hashes = []
    for number, version in enumerate(("1", "1", "2")):
        model = write_model(tmp_path / f"{number}.onnx", metadata={**CONTRACT, "version": version})
        synthesize(tmp_path / f"assembly-{number}", model)
        hashes.append(image(tmp_path / f"assembly-{number}")[0])

    assert hashes[0] == hashes[1] != hashes[2]
