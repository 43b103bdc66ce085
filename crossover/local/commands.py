"""Commands that run in the background: bounded in time, with a log, and stopped with all their children at the end."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from crossover import interrupts
from crossover.errors import CrossoverError

TAIL_LINES = 15
POLL_SECONDS = 0.1
# Between SIGTERM and SIGKILL.
GRACE_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Command:
    """A running command.

    Attributes:
        name: as shown to the user.
        process: leads its own process group, so that all its children can be stopped with it.
        log: gets everything it prints.
        seconds: how long it may take.
        deadline: when it must have ended, on the monotonic clock, s.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    seconds: float
    deadline: float

    def wait(self, meanwhile: Callable[[str], None] = lambda last_line: None) -> None:
        """Wait for its end; `meanwhile` is called with the log's last line again and again.

        Raises:
            CrossoverError: it failed, or did not end in time; the message shows the end of its log.
        """
        while self.process.poll() is None:
            if time.monotonic() > self.deadline:
                self.stop()
                raise CrossoverError(f"{self.name} did not end within {self.seconds:g} s. {self._end_of_log()}")
            meanwhile(last_lines(self.log, 1))
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(POLL_SECONDS)
        if self.process.returncode != 0:
            raise CrossoverError(f"{self.name} failed with exit code {self.process.returncode}. {self._end_of_log()}")

    def stop(self) -> None:
        """Stop it and all its children."""
        stop_group(self.process)

    def _end_of_log(self) -> str:
        return f"The end of its log, {self.log}:\n{last_lines(self.log, TAIL_LINES)}"


class Commands:
    """Starts commands, and on leaving the `with` block stops those that still run.

    Args:
        logs: folder of the logs; each command overwrites its own.
    """

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._started: list[Command] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with interrupts.delayed():
            for command in self._started:
                if isinstance(error, interrupts.InterruptedBySignalError) and command.process.poll() is None:
                    error.stopped.append(command.name)
                command.stop()

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        seconds: float,
        keep_open: Sequence[int] = (),
    ) -> Command:
        """Start a command.

        Args:
            name: shown to the user, and the name of the log.
            arguments: the command.
            environment: all of its environment variables.
            folder: it runs there.
            seconds: how long it may take.
            keep_open: file descriptors that it inherits.
        """
        log = self.logs / f"{name.replace(' ', '-')}.log"
        with interrupts.delayed(), log.open("wb") as output:
            process = subprocess.Popen(
                arguments,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=keep_open,
            )
            command = Command(name=name, process=process, log=log, seconds=seconds, deadline=time.monotonic() + seconds)
            self._started.append(command)
        return command


def stop_group(leader: subprocess.Popen[bytes]) -> None:
    """Stop a process that leads a group, and the whole group: by SIGTERM, then by SIGKILL."""
    if leader.poll() is not None:
        return  # it was waited for, so its number may belong to another process by now
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        leader.wait(GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()


def last_lines(log: Path, count: int) -> str:
    """The last lines of a log that are not blank."""
    lines = [line.rstrip() for line in log.read_text(errors="replace").splitlines()]
    return "\n".join([line for line in lines if line][-count:])
