"""The wheel, built once, and an environment that it is installed in."""

from pathlib import Path

import pytest

from tests.package.distributions import build


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))
