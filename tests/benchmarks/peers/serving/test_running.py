"""Small servers as real processes: all their processes are counted, and none outlives them."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks.peers.serving.running import SUPERVISOR, NotServingError, running
from tests.benchmarks.peers.serving.example_observations import script_server
from tests.crossover.waiting import wait_until

# The parent in the middle ends at once, so that the sleeper is an orphan.
ORPHAN = """
import subprocess, sys
sleeper = "import time; time.sleep(60)"
middle = f"import subprocess, sys; subprocess.Popen([sys.executable, '-S', '-c', {sleeper!r}])"
subprocess.run([sys.executable, "-S", "-c", middle], check=True)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
BUSY_ORPHAN = ORPHAN.replace("time.sleep(60)", "[None for _ in iter(lambda: time.process_time() < 0.3, False)]")
BUSY_CHILD = """
import subprocess, sys
busy = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-S", "-c", busy], check=True)
"""


def test_a_server_is_started_asked_and_ended_with_its_orphans() -> None:
    with running(script_server(ORPHAN), clip=b"clip", label="Speech", turn=3) as server:
        tree = server.supervisor.children(recursive=True)
        assert len(tree) == 2  # the server, and what it has left behind
        assert 0 < server.start.ready_seconds <= server.start.first_prediction_seconds
        assert (server.start.server, server.start.turn) == ("script, 1 worker", 3)
        assert server.memory_mb() > 5
    assert not any(process.is_running() for process in [server.supervisor, *tree])


def test_cpu_time_of_ended_processes_counts() -> None:
    with running(script_server(BUSY_CHILD), clip=b"clip", label="Speech", turn=1) as server:
        own = sum(server.supervisor.children()[0].cpu_times()[:2])
        assert server.cpu_seconds() - own >= 0.2


def test_cpu_time_of_ended_orphans_counts() -> None:
    with running(script_server(BUSY_ORPHAN), clip=b"clip", label="Speech", turn=1) as server:
        root = min(server.supervisor.children(), key=lambda each: each.create_time())
        wait_until(lambda: server.supervisor.children(recursive=True) == [root])
        assert server.cpu_seconds() - sum(root.cpu_times()) >= 0.2


def test_a_server_with_another_label_is_not_measured() -> None:
    with (
        pytest.raises(NotServingError, match=r"script, 1 worker answered 'Speech'; 'Crow' is right\."),
        running(script_server(), clip=b"clip", label="Crow", turn=1),
    ):
        pytest.fail("It must not be measured.")


def test_a_server_that_ends_at_once_is_named_with_the_last_line_of_its_log() -> None:
    broken = script_server("import sys; print('first', flush=True); sys.exit('no such setting')")
    with (
        pytest.raises(NotServingError, match=r"ended while it was starting\. Its log ends: no such setting$"),
        running(broken, clip=b"clip", label="Speech", turn=1),
    ):
        pytest.fail("It must not be measured.")


def test_a_missing_command_is_one_sentence() -> None:
    missing = replace(script_server(), command=lambda *_: ["/no/such/program"])
    with (
        pytest.raises(NotServingError, match=r"script, 1 worker cannot be started: .*/no/such/program"),
        running(missing, clip=b"clip", label="Speech", turn=1),
    ):
        pytest.fail("It must not be measured.")


def test_a_server_that_never_answers_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.serving.running.START_SECONDS", 0.3)
    deaf = script_server("import time; time.sleep(60)")
    with (
        pytest.raises(NotServingError, match=r"did not answer / within 0\.3 s"),
        running(deaf, clip=b"clip", label="Speech", turn=1),
    ):
        pytest.fail("It must not be measured.")


def test_an_interrupt_ends_the_server() -> None:
    tree = []
    with (
        pytest.raises(KeyboardInterrupt),
        running(script_server(ORPHAN), clip=b"clip", label="Speech", turn=1) as server,
    ):
        tree = server.supervisor.children(recursive=True)
        raise KeyboardInterrupt
    assert len(tree) == 2
    assert not any(process.is_running() for process in tree)


def test_the_server_ends_with_the_process_that_started_the_supervisor(tmp_path: Path) -> None:
    sleeper = [sys.executable, "-S", "-c", "import time; time.sleep(90)"]  # longer than the patience below
    command = [sys.executable, "-I", str(SUPERVISOR), str(tmp_path / "log"), *sleeper]
    parent = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", f"import subprocess; subprocess.run({command!r})"], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    parent.stdout.readline()  # the sleeper has been started
    tree = psutil.Process(parent.pid).children(recursive=True)
    assert len(tree) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()  # not for the end of its output, which the supervisor holds too
    parent.stdout.close()
    wait_until(lambda: not any(process.is_running() for process in tree))


def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """The supervisor's own patience, shortened."""
    shortened = (
        f"import sys; sys.path.insert(0, {str(SUPERVISOR.parent)!r}); import supervisor as s; s.STOP_SECONDS = 0.2"
    )
    sleeper = f"{STUBBORN}; print('ready', flush=True); import time; time.sleep(60)"
    log = tmp_path / "log"
    main = f"{shortened}; s.main({str(log)!r}, {sys.executable!r}, '-S', '-c', {sleeper!r})"
    supervisor = subprocess.Popen([sys.executable, "-c", main], stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    supervisor.stdout.readline()
    wait_until(lambda: log.read_text() == "ready\n")
    (stubborn,) = psutil.Process(supervisor.pid).children()
    began = time.monotonic()
    os.kill(supervisor.pid, signal.SIGTERM)
    supervisor.communicate(timeout=20)
    assert not stubborn.is_running()
    assert time.monotonic() - began >= 0.2  # it had its time
