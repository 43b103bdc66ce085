"""Fixtures of the tests of `crossover doctor`."""

import pytest

from tests.crossover.doctor.stubs import Aws


@pytest.fixture
def aws() -> Aws:
    return Aws()
