"""How the tests run in parallel: which share a process, and which start first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.environment", "tests.synthesis"]

# A scope runs in one process, because its tests share a deployment or a synthesis: some folders; else a file.
SCOPES = {
    "tests/crossover/end_to_end/": "end to end",
    "tests/crossover/cdk/": "constructs",
    "tests/package/": "package",
    "tests/tools/": "constructs",
    "tests/docs/test_cdk_commands.py": "constructs",
    "tests/stacks/": "constructs",
}
# These start first, the longest before all others; what starts last should be short.
LONG = (
    "end to end",
    "package",
    "tests/benchmarks/soak/test_soak.py",
    "constructs",
    "tests/crossover/kinds/test_kinds.py",
    "tests/crossover/test_interruption.py",
    "tests/crossover/bundling/test_bundle_runs.py",
    "tests/crossover/test_new_variant.py",
    "tests/crossover/report/test_in_browser.py",
    "tests/crossover/report/test_results_in_browser.py",
)


def scope_of(nodeid: str) -> str:
    """The scope of a test."""
    file = nodeid.partition("::")[0]
    return next((scope for folder, scope in SCOPES.items() if file.startswith(folder)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long scopes first, the tests of each in their order."""
    ranks = {scope: rank for rank, scope in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(scope_of(item.nodeid), len(LONG)))


@pytest.hookimpl(optionalhook=True)  # unknown without pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """By scope. xdist's own groups do nothing with pytest 9.2: https://github.com/pytest-dev/pytest-xdist/issues/1386."""
    if config.getoption("dist") != "loadscope":
        return None

    from xdist.scheduler import LoadScopeScheduling

    class ScopeScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no annotations
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    return ScopeScheduling(config, log)
