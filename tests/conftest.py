"""Which tests share a process when they run in parallel."""

from pathlib import Path

import pytest

pytest_plugins = ["tests.synthesis"]

SHARED = Path(__file__).parent / "crossover/end_to_end"  # its files share what was deployed


@pytest.hookimpl(tryfirst=True)  # before xdist looks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of a file, since they share what it sets up."""
    for item in items:
        group = SHARED if item.path.is_relative_to(SHARED) else item.path
        item.add_marker(pytest.mark.xdist_group(str(group.relative_to(SHARED.parents[1]))))
