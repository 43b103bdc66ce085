"""Commands in the background: bounded, logged, and gone afterwards."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from crossover.errors import CrossoverError
from crossover.interrupts import InterruptedBySignalError
from crossover.local import commands as commands_module
from crossover.local.commands import Command, Commands


def start(commands: Commands, script: str, *, seconds: float = 20) -> Command:
    arguments, environment = ["sh", "-c", script], {"PATH": os.environ["PATH"]}
    return commands.start("some command", arguments, environment=environment, folder=Path("/"), seconds=seconds)


def wait_for(log: Path, text: str) -> str:
    deadline = time.monotonic() + 20
    while text not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return log.read_text()


def is_running(pid: int) -> bool:
    """Whether the process does anything; one that has ended, but was not waited for yet, does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return state != "" and not state.startswith("Z")


def test_output_goes_to_a_log_and_the_last_line_is_shown_meanwhile(tmp_path: Path) -> None:
    shown: list[str] = []
    with Commands(tmp_path) as commands:
        command = start(commands, "echo first; echo second; sleep 0.3")
        command.wait(shown.append)
    assert (tmp_path / "some-command.log").read_text() == "first\nsecond\n"
    assert shown[-1] == "second"


def test_a_failure_shows_the_end_of_the_log(tmp_path: Path) -> None:
    with Commands(tmp_path) as commands, pytest.raises(CrossoverError) as failure:
        start(commands, "seq 100; echo the reason >&2; exit 3").wait()
    first, *rest = str(failure.value).splitlines()
    assert first == f"some command failed with exit code 3. The end of its log, {tmp_path}/some-command.log:"
    assert rest[-2:] == ["100", "the reason"]
    assert len(rest) < 20


def test_a_command_that_hangs_is_stopped_with_its_children_and_shows_the_end_of_the_log(tmp_path: Path) -> None:
    with Commands(tmp_path) as commands:
        command = start(commands, "sleep 60 & echo $!; echo stuck; wait", seconds=0.5)
        with pytest.raises(CrossoverError, match=r"some command did not end within 0\.5 s\.") as failure:
            command.wait()
        assert str(failure.value).endswith("stuck")
        child = int(command.log.read_text().split()[0])
        assert not is_running(child)


def test_running_commands_are_stopped_at_the_end_even_if_they_ignore_sigterm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_module, "GRACE_SECONDS", 0.2)
    with Commands(tmp_path) as commands:
        command = start(commands, "trap '' TERM; sleep 60 & echo $! started; wait; sleep 60")
        child = int(wait_for(command.log, "started").split()[0])
        assert is_running(child)
    assert command.process.returncode is not None
    assert not is_running(child)


def test_an_interruption_says_which_commands_it_stopped(tmp_path: Path) -> None:
    with pytest.raises(InterruptedBySignalError) as interrupted, Commands(tmp_path) as commands:
        start(commands, "true").wait()
        start(commands, "sleep 60")
        raise InterruptedBySignalError(2)
    assert interrupted.value.stopped == ["some command"]
    assert interrupted.value.sentence == "interrupted; stopped: some command; still running: nothing."


def test_a_command_does_not_see_the_callers_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    with Commands(tmp_path) as commands:
        command = start(commands, "echo profile=$AWS_PROFILE.")
        command.wait()
    assert command.log.read_text() == "profile=.\n"
