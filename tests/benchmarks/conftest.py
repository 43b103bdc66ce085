"""The tests of benchmarks/ run by `make test-benchmarks`; only the short soak is a test of the pipeline."""

from pathlib import Path

import pytest

from tests.crossover.conftest import clients, own_signals, workspace

__all__ = ["clients", "own_signals", "workspace"]  # fixtures

FOLDER = Path(__file__).parent
SOAK = FOLDER / "soak/test_soak.py"


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests in this folder but those of the short soak."""
    for item in items:
        if item.path.is_relative_to(FOLDER) and item.path != SOAK:
            item.add_marker(pytest.mark.benchmark)
