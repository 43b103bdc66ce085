"""The emulator's state: what a later command finds."""

import fcntl
import json
import os
import socket
from pathlib import Path

import pytest

from crossover.errors import CrossoverError
from crossover.local.ports import free_port, is_free
from crossover.local.process import Emulator
from crossover.local.python_environments import Environments
from crossover.local.workspace import Workspace

STATE = {"pid": 1, "port": 4566, "python": "3.12", "is_persistent": True}
ENVIRONMENTS = Environments(emulator="python", containers="python", version="3.12")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.create()
    return workspace


@pytest.fixture
def lock(workspace: Workspace) -> int:
    """What a living emulator holds."""
    lock = os.open(workspace.lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def test_a_running_emulator_is_found(workspace: Workspace, lock: int) -> None:
    workspace.state.write_text(json.dumps(STATE))
    found = Emulator.find(workspace)
    assert found == Emulator(pid=1, port=4566, python="3.12", engine="", is_persistent=True)
    assert found.endpoint == "http://127.0.0.1:4566"


def test_the_state_of_a_killed_emulator_is_removed_even_if_its_pid_is_reused(workspace: Workspace) -> None:
    workspace.state.write_text(json.dumps({**STATE, "pid": os.getpid()}))
    (workspace.temporary / "unpacked").mkdir()
    assert Emulator.find(workspace) is None
    assert not workspace.state.exists()
    assert not workspace.temporary.exists()


def test_an_emulator_that_is_starting_is_not_treated_as_dead(workspace: Workspace, lock: int) -> None:
    with pytest.raises(CrossoverError, match="Another command is starting or stopping the emulator"):
        Emulator.find(workspace)


def test_a_second_emulator_is_refused(workspace: Workspace, lock: int) -> None:
    workspace.state.write_text(json.dumps(STATE))
    with pytest.raises(CrossoverError, match="running already; `crossover local down` stops it"):
        Emulator.start(workspace, port=free_port(), environments=ENVIRONMENTS)
    assert json.loads(workspace.state.read_text()) == STATE


def test_a_port_that_another_program_uses_is_named(workspace: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CrossoverError, match=rf"^Port {port} is in use by another program; choose"):
            Emulator.start(workspace, port=port, environments=ENVIRONMENTS)
        assert not is_free(port)
    assert is_free(port)


def test_the_users_aws_settings_do_not_reach_the_local_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "secret"})
    Emulator(pid=1, port=4599, python="3.12", engine="", is_persistent=True).configure_aws_clients()
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    assert aws["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4599"
    assert not {"production", "secret"} & set(aws.values())
    assert aws["AWS_CONFIG_FILE"] == aws["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
