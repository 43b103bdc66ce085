"""The Python environments of the local AWS in the user's cache, with a fake uv."""

import fcntl
import os
import stat
import sys
import threading
from pathlib import Path

import pytest
import uv

from crossover.errors import CrossoverError
from crossover.local import python_environments
from crossover.local.commands import Commands
from crossover.local.python_environments import Environments, Interpreter, find_interpreter

# Notes how it was called, and does what matters of `uv venv` and `uv pip install`.
UV = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
for last; do :; done
case "$1" in
  venv) rm -rf "$last"; mkdir -p "$last/bin"; : > "$last/bin/python" ;;
  pip) [ ! -e "$(dirname "$0")/fails" ] ;;
esac
"""
INTERPRETER = Interpreter(path="/opt/python3.12", version="3.12")


class Uv:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def calls(self) -> list[str]:
        """Its commands so far: venv or pip."""
        calls = self.folder / "calls"
        return [line.split()[0] for line in calls.read_text().splitlines()] if calls.exists() else []


@pytest.fixture
def fake_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Uv:
    script = tmp_path / "uv"
    script.write_text(UV)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(uv, "find_uv_bin", lambda: str(script))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    return Uv(tmp_path)


def create(folder: Path, interpreter: Interpreter = INTERPRETER) -> Environments:
    with Commands(folder) as commands:
        return python_environments.create(interpreter, commands)


def test_each_environment_is_made_once_and_then_taken_from_the_cache(tmp_path: Path, fake_uv: Uv) -> None:
    made = create(tmp_path)
    assert fake_uv.calls == ["venv", "pip"] * 2  # the emulator's and the containers'
    assert made.emulator != made.containers
    assert all(Path(python).is_relative_to(tmp_path / "cache") for python in (made.emulator, made.containers))
    assert create(tmp_path) == made
    assert fake_uv.calls == ["venv", "pip"] * 2


def test_another_interpreter_or_lock_is_another_environment(
    tmp_path: Path, fake_uv: Uv, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(tmp_path)
    other = create(tmp_path, Interpreter(path="/opt/other", version="3.12"))
    assert len({made.emulator, made.containers, other.emulator, other.containers}) == 4
    lock = tmp_path / "requirements.txt"
    lock.write_text("newer==1")
    monkeypatch.setattr(python_environments, "EMULATOR_LOCK", lock)
    newer = create(tmp_path)
    assert newer.emulator != made.emulator
    assert newer.containers == made.containers


def test_an_installation_that_failed_is_made_again(tmp_path: Path, fake_uv: Uv) -> None:
    (tmp_path / "fails").touch()
    with pytest.raises(CrossoverError, match="emulator installation failed"):
        create(tmp_path)
    (tmp_path / "fails").unlink()
    create(tmp_path)
    assert fake_uv.calls == ["venv", "pip"] * 3


def test_an_environment_whose_interpreter_is_gone_is_made_again(tmp_path: Path, fake_uv: Uv) -> None:
    made = create(tmp_path)
    Path(made.emulator).unlink()
    Path(made.emulator).symlink_to(tmp_path / "uninstalled")
    assert create(tmp_path) == made
    assert fake_uv.calls == ["venv", "pip"] * 3


def test_a_process_waits_while_another_one_makes_the_same_environment(tmp_path: Path, fake_uv: Uv) -> None:
    made = create(tmp_path)
    folder = Path(made.emulator).parents[1]
    (folder / "complete").unlink()  # as if another process were just making it
    lock = os.open(f"{folder}.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    waiting = threading.Thread(target=create, args=(tmp_path,))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    (folder / "complete").touch()
    os.close(lock)
    waiting.join(20)
    assert not waiting.is_alive()
    assert fake_uv.calls == ["venv", "pip"] * 2  # it took what the other one has made


def test_without_python_3_12_this_interpreter_runs_the_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_environments, "find_python", lambda version: None)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert find_interpreter() == Interpreter(path=sys.executable, version=version)
    monkeypatch.setattr(python_environments, "find_python", lambda version: Path("/opt", version))
    assert find_interpreter() == Interpreter(path="/opt/3.12", version="3.12")
