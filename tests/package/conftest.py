"""The wheel, built once, and the environments that it is installed in."""

from pathlib import Path

import pytest

from tests.package.distributions import ROOT, Installation, build, install


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The command line alone."""
    return install(wheel, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def project(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project with the published model, for whose check onnxruntime is needed, and not the CDK."""
    folder = tmp_path_factory.mktemp("projects")
    installation = install(wheel, tmp_path_factory.mktemp("new"), "onnxruntime")
    answer = installation.run("crossover", "new", "bird songs", "--variants", "snapstart,standard", folder=folder)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("bird songs: stacks Bird-Songs-..., variants snapstart, standard, model yamnet ")
    return folder / "bird songs"


@pytest.fixture(scope="session")
def with_node(project: Path, plain: Installation, wheel: Path) -> Installation:
    """The new project's own environment, with the CDK, Node and pytest; the wheel takes the package index's place."""
    wheel_and_lock = {"UV_FIND_LINKS": str(wheel.parent), "UV_CONSTRAINT": str(ROOT / "requirements-dev.txt")}
    answer = plain.run("make", "setup", folder=project, seconds=600, **wheel_and_lock)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return Installation(folder=project / ".venv", home=plain.home)
