"""What every test runs in: this project's Node, a temporary folder that has to be empty at the end, AWS's models.

A plugin of all tests.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from crossover.local.workspace import search_path

TEMPORARY = pytest.StashKey[Path]()
LEFT = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    # Otherwise the CDK takes the first Node of PATH, of whatever version, and prints that it is too old.
    os.environ["PATH"] = search_path()
    # pytest imports readline, which sets them to 24 and 80 for the processes that are started.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    # AWS's rules for templates, in WebAssembly, take as long as all else of a synthesis; some tests ask for them.
    os.environ["CDK_VALIDATION"] = "false"
    os.environ["CROSSOVER_CONTAINERS"] = "process"  # an image takes longer; end_to_end/test_image.py builds it
    os.environ["NODE_DISABLE_COMPILE_CACHE"] = "1"  # the CDK's command line would keep one in the temporary folder
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())  # where tmp_path stays
    folder = Path(tempfile.mkdtemp(prefix="crossover-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["TMPDIR"] = str(folder)  # of all processes that the tests start, too
    tempfile.tempdir = None
    config.stash[TEMPORARY] = folder


@pytest.hookimpl(trylast=True)  # the processes of xdist have ended
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    folder = session.config.stash.get(TEMPORARY, None)
    # In a single process the CDK is still running.
    if folder and session.config.getoption("numprocesses", None):
        deadline = time.monotonic() + 20  # Node removes its files a moment after its parent has ended
        while (left := sorted(path.name for path in folder.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.2)
        session.config.stash[LEFT] = left
        if left and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left := config.stash.get(LEFT, []):
        terminalreporter.section("left in the temporary folder", red=True)
        terminalreporter.line(", ".join(left))


@pytest.fixture(scope="session", autouse=True)
def aws_models() -> Iterator[None]:
    """AWS's descriptions of its services are read once instead of for each session of botocore."""
    import botocore.session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield
