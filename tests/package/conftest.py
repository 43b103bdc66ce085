"""The wheel, built once, and the environments that it is installed in."""

from pathlib import Path

import pytest

from tests.package.distributions import Installation, build, install


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The command line alone."""
    return install(wheel, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def with_node(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """With the CDK and Node, and what a new project's tests need."""
    return install(wheel, tmp_path_factory.mktemp("local"), extra="local", more=("pytest",))
