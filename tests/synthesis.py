"""One synthesis of all variants for all tests: starting the CDK takes longer than everything else.

A plugin of the tests in stacks/, crossover/cdk/ and tools/. The CDK is imported when a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from aws_cdk import App
    from aws_cdk.cx_api import CloudAssembly

    from tests.crossover.cdk.option_sets import Synthesis
    from tests.crossover.cdk.templates import StackTemplate

# The construct ids of the variants' stacks; test_compute.py compares them with the registry, which starts the CDK.
STACKS = ["Standard", "SnapStart", "SageMaker", "Provisioned", "Efs", "Container"]


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.crossover.cdk.onnx_files import write_model

    return write_model(tmp_path_factory.mktemp("model") / "model.onnx")


@pytest.fixture(scope="session")
def app(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> App:
    """All variants with the published settings."""
    from app import add_stacks
    from tests.crossover.cdk.templates import new_app

    app = new_app(tmp_path_factory.mktemp("assembly"), model_path=str(model_path), variants="all")
    add_stacks(app)
    return app


@pytest.fixture(scope="session")
def assembly(app: App) -> CloudAssembly:
    return app.synth()


@pytest.fixture(scope="session")
def templates(assembly: CloudAssembly) -> dict[str, StackTemplate]:
    """By the stack's construct id, as in STACKS."""
    from tests.crossover.cdk.templates import StackTemplate

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


@pytest.fixture(params=STACKS)
def any_variant(request: pytest.FixtureRequest, templates: dict[str, StackTemplate]) -> StackTemplate:
    return templates[request.param]


@pytest.fixture(scope="session")
def synthesis_of(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesis]:
    """The synthesis of a set of settings, by its name."""
    from tests.crossover.cdk.option_sets import OPTION_SETS, synthesize

    made: dict[str, Synthesis] = {}

    def get(name: str) -> Synthesis:
        if name not in made:
            made[name] = synthesize(model_path, tmp_path_factory.mktemp("assembly"), OPTION_SETS[name])
        return made[name]

    return get


@pytest.fixture(params=["default", "kept", "customer key", "isolated", "narrowed", "everything"])
def any_synthesis(request: pytest.FixtureRequest, synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    return synthesis_of(request.param)
