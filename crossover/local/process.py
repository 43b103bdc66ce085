"""The emulator's process: started, found again by a later command, stopped."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from crossover import interrupts
from crossover.errors import CrossoverError
from crossover.local.account import ACCOUNT, REGION, ROOT_KEY
from crossover.local.commands import TAIL_LINES, last_lines
from crossover.local.container_engine import Engine
from crossover.local.ports import HOST, is_free
from crossover.local.python_environments import Environments
from crossover.local.workspace import Workspace, node_modules, search_path

DEFAULT_PORT = 4566
START_SECONDS = 60
STOP_SECONDS = 5

# What this process started, by its pid: the process, to wait for it, and the pipe that keeps it alive.
_started: dict[int, tuple[subprocess.Popen[bytes], int]] = {}


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running emulator, as its state file describes it.

    Attributes:
        pid: of the process, which leads a process group: functions and containers belong to it.
        port: where it listens, on this machine only.
        python: version of Python that runs the functions, as in "3.12".
        engine: name of the container engine that runs the endpoint's image; empty where a process takes its place.
        is_persistent: whether it outlives the command that started it; else it ends with that, even if that is killed.
    """

    pid: int
    port: int
    python: str
    engine: str = ""
    is_persistent: bool

    @property
    def endpoint(self) -> str:
        """The endpoint URL for AWS SDKs and tools."""
        return f"http://{HOST}:{self.port}"

    @classmethod
    def find(cls, workspace: Workspace) -> Self | None:
        """The emulator that runs, or None; the state of a killed one is removed.

        Raises:
            CrossoverError: another command is just starting one.
        """
        with _lock(workspace) as lock:
            if lock is not None:
                _clean(workspace)
                return None
        try:
            return cls(**json.loads(workspace.state.read_text()))
        except FileNotFoundError:  # it is written a moment after the lock is taken
            message = "Another command is starting or stopping the emulator; try again in a moment."
            raise CrossoverError(message) from None

    @classmethod
    def start(
        cls,
        workspace: Workspace,
        *,
        port: int,
        environments: Environments,
        engine: Engine | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Self:
        """Start one; it answers once `wait_until_ready` returns. Only one runs in a workspace.

        Args:
            workspace: gets its state.
            port: to listen on.
            environments: what it and its containers run in.
            engine: builds and runs the endpoint's image; without it a process takes its place.
            settings: further environment variables.

        Raises:
            CrossoverError: the port is taken, or an emulator runs already.
        """
        if not is_free(port):
            raise CrossoverError(f"Port {port} is in use by another program; choose another with --port.")
        command = [
            *(environments.emulator, "-m", "crossover.local.emulator"),
            *("--assembly", str(workspace.assembly), "--logs", str(workspace.logs)),
            *("--container-python", environments.containers),
            *("--workspace", str(workspace.folder)),
            *(["--engine", str(engine.write_script(workspace, port))] if engine else []),
        ]
        environment = {**_settings(workspace, port), **(settings or {})}
        with interrupts.delayed(), _lock(workspace) as lock, (workspace.logs / "emulator.log").open("wb") as log:
            if lock is None:
                raise CrossoverError("An emulator is running already; `crossover local down` stops it.")
            _clean(workspace)
            # Where it runs, so that it can import this package, but nothing else of the environment that has it.
            folder = workspace.temporary / "package"
            folder.mkdir(parents=True)
            (folder / "crossover").symlink_to(Path(__file__).resolve().parents[1])
            stdin, parent_pipe = os.pipe()  # the pipe closes when this process ends, however it ends
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock],  # an open file is locked until the last process that has it open ends
            )
            os.close(stdin)
            _started[process.pid] = (process, parent_pipe)
            emulator = cls(
                pid=process.pid,
                port=port,
                python=environments.version,
                engine=engine.name if engine else "",
                is_persistent=False,
            )
            workspace.state.write_text(json.dumps(asdict(emulator)))
        return emulator

    def stay(self, workspace: Workspace) -> None:
        """Let it outlive this process."""
        os.write(_started[self.pid][1], b"stay")
        workspace.state.write_text(json.dumps(asdict(replace(self, is_persistent=True))))

    def wait_until_ready(self, workspace: Workspace) -> None:
        """Wait until it answers.

        Raises:
            CrossoverError: it ended, or did not answer in time; the message shows the end of its log.
        """
        deadline = time.monotonic() + START_SECONDS
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        log = workspace.logs / "emulator.log"
        while True:
            with contextlib.suppress(OSError), opener.open(f"{self.endpoint}/_ministack/health", timeout=2):
                return
            if not _is_locked(workspace) or time.monotonic() > deadline:
                end = last_lines(log, TAIL_LINES)
                raise CrossoverError(f"The emulator did not start. The end of its log, {log}:\n{end}")
            time.sleep(0.05)

    def events_in_progress(self) -> int:
        """How many events a function was invoked with that have neither succeeded nor become a dead letter.

        Raises:
            CrossoverError: the emulator does not answer.
        """
        count: int = self._ask("events")["in_progress"]
        return count

    def used_permissions(self) -> set[tuple[str, str]]:
        """Names of roles, each with an action that was allowed to it since the emulator started.

        Raises:
            CrossoverError: the emulator does not answer.
        """
        return {(role, action) for role, action in self._ask("permissions")["used"]}

    def refused_permissions(self) -> set[tuple[str, str]]:
        """Names of roles, each with an action that was denied to it since the emulator started.

        Raises:
            CrossoverError: the emulator does not answer.
        """
        return {(role, action) for role, action in self._ask("permissions")["refused"]}

    def _ask(self, what: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.endpoint}/_crossover/{what}", timeout=30) as answer:
                return json.load(answer)
        except OSError as error:
            raise CrossoverError(f"The emulator at {self.endpoint} does not answer: {error}.") from error

    def stop(self, workspace: Workspace) -> None:
        """Stop it with all its functions and containers, and remove its state."""
        with interrupts.delayed():
            deadline = time.monotonic() + STOP_SECONDS
            self._signal(signal.SIGTERM)
            while _is_locked(workspace) and time.monotonic() < deadline:
                time.sleep(0.02)
            self._signal(signal.SIGKILL)
            _clean(workspace)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def configure_aws_clients(self) -> None:
        """Point every AWS client of this process and its children at the emulator only.

        The user's own settings must not reach the local AWS, and no request meant for it may reach the user's account.
        """
        for name in list(os.environ):
            if name.startswith(("AWS_", "CDK_")):
                del os.environ[name]
        os.environ |= {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        } | {name: ",".join(filter(None, [os.environ.get(name), HOST])) for name in ("NO_PROXY", "no_proxy")}


def _settings(workspace: Workspace, port: int) -> dict[str, str]:
    """All environment variables of the emulator, which its functions inherit: none of the user's."""
    return {
        "PATH": search_path(),
        "NODE_PATH": str(node_modules()),
        "HOME": str(workspace.home),
        "LANG": "C.UTF-8",
        "TMPDIR": str(workspace.temporary),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",  # permissions are enforced
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
    }


@contextlib.contextmanager
def _lock(workspace: Workspace) -> Iterator[int | None]:
    """The workspace's lock, or None where an emulator has it."""
    lock = os.open(workspace.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield None
    else:
        yield lock
    finally:
        os.close(lock)


def _is_locked(workspace: Workspace) -> bool:
    """Whether an emulator runs; unlike its pid, the lock is never taken over by an unrelated process."""
    with _lock(workspace) as lock:
        return lock is None


def _clean(workspace: Workspace) -> None:
    workspace.state.unlink(missing_ok=True)
    shutil.rmtree(workspace.temporary, ignore_errors=True)
