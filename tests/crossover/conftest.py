"""AWS for the tests: moto for the fast ones; for the slow ones a local AWS, apart from the user's own."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import boto3
import pytest
from rich.console import Console

from crossover import dead_letter_queue, interrupts
from crossover.aws import Clients
from crossover.deployed import Variant, find_variants
from crossover.local import python_environments
from crossover.local.container_engine import Containers
from crossover.local.ports import free_port
from crossover.local.work import LocalAws, open_local_aws
from crossover.local.workspace import Workspace
from crossover.paths import sources
from tests.crossover.deployments import create_stack
from tests.crossover.waiting import wait_until


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """What a command handles is handled as before once its test is over."""
    handlers = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def processes_of(workspace: Workspace) -> list[str]:
    """The command lines of the processes that have this workspace in their environment."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("Only Linux shows the environment of processes.")
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int(process.name) != os.getpid() and os.fsencode(workspace.folder) in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            pass  # it has ended, or is another user's
    return found


@pytest.fixture(scope="session")
def workspace() -> Workspace:
    """Kept between runs: its environment and its zipped bundles take a while to make. One for each process of xdist."""
    workspace = Workspace(sources() / ".crossover" / "tests" / os.environ.get("PYTEST_XDIST_WORKER", "alone"))
    workspace.create()
    return workspace


@pytest.fixture(scope="module")
def aws(workspace: Workspace) -> Iterator[LocalAws]:
    """A running emulator for the tests of a module."""
    with running_emulator(workspace) as aws:
        yield aws


@contextmanager
def running_emulator(
    workspace: Workspace, *, containers: Containers = Containers.PROCESS, settings: Mapping[str, str] | None = None
) -> Iterator[LocalAws]:
    """A running emulator, with these further environment variables, to which the AWS clients of the tests talk."""
    before = dict(os.environ)
    with open_local_aws(workspace, Console(stderr=True)) as aws:
        aws.choose_containers(containers)
        interpreter = python_environments.find_interpreter()
        aws.start_emulator(interpreter, port=free_port(), settings=settings)
        boto3.setup_default_session()  # the one of the other tests may have other credentials
        try:
            yield aws
        finally:
            os.environ.clear()
            os.environ.update(before)
            boto3.setup_default_session()
    wait_until(lambda: processes_of(workspace) == [])  # the emulator's guard ends a moment after it


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients of an empty account, which moto plays."""
    from moto import mock_aws  # here, because the slow tests do without it

    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(dead_letter_queue, "WAIT_SECONDS", 0)  # moto's queues need no long polling
    with mock_aws():
        yield cache(boto3.Session().client)


@pytest.fixture
def variant(clients: Clients) -> Variant:
    """A deployed variant."""
    create_stack(clients, "Crossover-Standard", "standard")
    return find_variants(clients, prefix="Crossover")[0]
