"""One synthesis of all variants for all tests: starting the CDK takes longer than everything else."""

from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk.cx_api import CloudAssembly

from app import add_stacks

from .onnx_files import write_model
from .option_sets import any_synthesis, synthesis_of
from .templates import StackTemplate, new_app

__all__ = ["any_synthesis", "synthesis_of"]  # fixtures


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "model.onnx")


@pytest.fixture(scope="session")
def app(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> App:
    """All variants with the published settings."""
    app = new_app(tmp_path_factory.mktemp("assembly"), model_path=str(model_path))
    add_stacks(app)
    return app


@pytest.fixture(scope="session")
def assembly(app: App) -> CloudAssembly:
    return app.synth()


@pytest.fixture(scope="session")
def templates(assembly: CloudAssembly) -> dict[str, StackTemplate]:
    """By the stack's construct id: Standard, SnapStart, SageMaker."""
    return {stack.hierarchical_id: StackTemplate(stack.template) for stack in assembly.stacks}


@pytest.fixture(scope="session")
def standard(templates: dict[str, StackTemplate]) -> StackTemplate:
    return templates["Standard"]


@pytest.fixture(scope="session")
def snapstart(templates: dict[str, StackTemplate]) -> StackTemplate:
    return templates["SnapStart"]


@pytest.fixture(scope="session")
def sagemaker(templates: dict[str, StackTemplate]) -> StackTemplate:
    return templates["SageMaker"]


@pytest.fixture(params=["Standard", "SnapStart", "SageMaker"])
def any_variant(request: pytest.FixtureRequest, templates: dict[str, StackTemplate]) -> StackTemplate:
    return templates[request.param]
