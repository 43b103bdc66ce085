"""Runs a server and all that it starts as one process tree: `python supervisor.py LOG COMMAND [ARGUMENT ...]`.

Servers leave processes behind: one starts its real server in the background, others leave their workers when they are
stopped. Here every orphan becomes a child of this process (a subreaper, prctl(2)), so that none escapes what counts the
tree's CPU time and memory, or its end. SIGTERM ends the tree, and so does the end of the process that started this one.

Prints one line once the command has been started: when that was, CLOCK_MONOTONIC, s.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
STOP_SECONDS = 5.0  # for a server to stop


def main(log: str, *command: str) -> None:
    """Run until SIGTERM, or until the command has ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    with Path(log).open("wb") as output:
        started = time.monotonic()
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        print(started, flush=True)
        while os.wait()[0] != server.pid:
            pass  # an orphan has ended
    except SystemExit:
        _stop(server.pid)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _kill_the_rest()


def _stop(server: int) -> None:
    """Let the server stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end = time.monotonic() + STOP_SECONDS
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(server, signal.SIGTERM)
        while time.monotonic() < end and os.waitpid(server, os.WNOHANG) == (0, 0):
            time.sleep(0.02)


def _kill_the_rest() -> None:
    with suppress(ChildProcessError):
        while True:
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    process.kill()
            os.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
