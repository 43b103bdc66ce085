"""A running server: started in a folder of its own, asked for a prediction, measured as a process tree, ended."""

import http.client
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.peers.serving.server_observations import Start
from benchmarks.peers.serving.servers import Address, Server
from crossover.deployed import LabelScore
from crossover.errors import CrossoverError
from crossover.local.ports import HOST, is_free
from crossover.terminal import printable

SUPERVISOR = Path(__file__).with_name("supervisor.py")
START_SECONDS = 60.0  # longest wait for a server's first prediction
STOP_SECONDS = 20.0  # more than the supervisor gives a server
POLL_SECONDS = 0.01
CONTENT_TYPE = "audio/wav"


class NotServingError(CrossoverError):
    """A server did not start, or does not predict what it should."""


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A server with all processes that it started.

    Attributes:
        server: which one.
        address: where it listens.
        start: how long it took to start, and its first answer.
        supervisor: the process above the tree; not part of what is measured.
    """

    server: Server
    address: Address
    start: Start
    supervisor: psutil.Process

    @property
    def url(self) -> str:
        """Where clips are posted to."""
        return f"http://{HOST}:{self.address.port}{self.server.predict_path}"

    def cpu_seconds(self) -> float:
        """CPU time of the tree so far, s, including processes that have ended."""
        ended = self.supervisor.cpu_times()  # a process's time passes to its parent when that has waited for its end
        own = _sum(self.supervisor, lambda process: sum(process.cpu_times()[:4]))
        return own + float(ended.children_user + ended.children_system)

    def memory_mb(self) -> float:
        """Sum of the proportional set sizes of the tree, MB (1e6 bytes): shared memory counts once."""
        return _sum(self.supervisor, lambda process: process.memory_full_info().pss) / 1e6


def _sum(supervisor: psutil.Process, measure: Callable[[psutil.Process], float]) -> float:
    """Over all processes of the tree that are alive."""
    total = 0.0
    for process in supervisor.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            total += measure(process)
    return total


@contextmanager
def running(server: Server, *, clip: bytes, label: str, turn: int) -> Iterator[RunningServer]:
    """Start a server and end it, with all that it started, when the block ends.

    Args:
        server: which one.
        clip: that it must label correctly before the block begins, WAV.
        label: the correct label.
        turn: of the server, from 1 on; kept with the start's observation.

    Raises:
        NotServingError: it did not start within 60 s, or gave another label.
        CrossoverError: it cannot be installed.
    """
    python = server.python()
    with TemporaryDirectory(prefix="crossover-server-") as name:
        folder = Path(name)
        server.prepare(python, folder)
        address = _free_address()
        log = folder / "log"
        command = [sys.executable, "-I", SUPERVISOR, log, *server.command(python, folder, address)]
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=server.environment(folder, address),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the server
        )
        try:
            supervisor = psutil.Process(process.pid)
            started = _started(server, process)
            try:
                start = _await_start(server, address, process, clip, started, turn)
            except NotServingError as error:
                raise NotServingError(f"{error} Its log ends: {_last_line(log)}") from error
            if start.label != label:
                raise NotServingError(f"{server.name} answered {start.label!r}; {label!r} is right.")
            yield RunningServer(server=server, address=address, start=start, supervisor=supervisor)
        finally:
            _end(process)


def _free_address() -> Address:
    """Free ports below those that the system gives to clients; the Multi Model Server takes none above 32,767."""
    free = (port for port in iter(lambda: random.randrange(10_000, 32_768), None) if is_free(port))
    return Address(port=next(free), others=(next(free), next(free)))


def _started(server: Server, process: subprocess.Popen[str]) -> float:
    """When the supervisor started the server, by time.monotonic(), s."""
    assert process.stdout and process.stderr
    line = process.stdout.readline()
    if not line:
        reason = process.stderr.read().strip().rpartition("\n")[2]
        raise NotServingError(f"{server.name} cannot be started: {printable(reason)}")
    return float(line)


def _await_start(
    server: Server, address: Address, process: subprocess.Popen[str], clip: bytes, started: float, turn: int
) -> Start:
    def wait_for(method: str, path: str, body: bytes | None) -> tuple[float, bytes]:
        while time.monotonic() < started + START_SECONDS:
            if process.poll() is not None:
                raise NotServingError(f"{server.name} ended while it was starting.")
            status, answer = _ask(address, method, path, body)
            if status == 200:
                return time.monotonic() - started, answer
            time.sleep(POLL_SECONDS)
        raise NotServingError(f"{server.name} did not answer {path} within {START_SECONDS:g} s.")

    ready, _ = wait_for("GET", server.health_path, None)
    predicted, answer = wait_for("POST", server.predict_path, clip)
    return Start(
        server=server.name,
        turn=turn,
        ready_seconds=ready,
        first_prediction_seconds=predicted,
        top_labels=_top_labels(server, answer),
    )


def _ask(address: Address, method: str, path: str, body: bytes | None) -> tuple[int | None, bytes]:
    """Status and body of the answer; no status where there was none."""
    connection = http.client.HTTPConnection(HOST, address.port, timeout=START_SECONDS)
    try:
        connection.request(method, path, body, {"Content-Type": CONTENT_TYPE} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None, b""
    finally:
        connection.close()


def _top_labels(server: Server, answer: bytes) -> list[LabelScore]:
    try:
        found: list[LabelScore] = json.loads(answer)["top_labels"]
        return [{"label": str(each["label"]), "score": float(each["score"])} for each in found]
    except (ValueError, KeyError, TypeError) as error:
        raise NotServingError(
            f"{server.name} answered {printable(answer[:100].decode(errors='replace'))!r}."
        ) from error


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((printable(line.strip())[:300] for line in reversed(lines) if line.strip()), "it is empty")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
