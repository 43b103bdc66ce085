"""The load: wrk posts one clip on persistent connections, each in a closed loop."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import TypedDict

from crossover.errors import CrossoverError, UsageError

SCRIPT = Path(__file__).with_name("post.lua")
TIMEOUT_SECONDS = 30  # longer than any answer should take; wrk counts longer ones as errors


class Counted(TypedDict):
    """What post.lua counts: requests answered, duration, wrk's CPU time, errors by kind, and wrk's histogram."""

    requests: int
    duration_us: int
    cpu_seconds: float
    errors: dict[str, int]
    latency_us: list[int]
    counts: list[int]


def find_wrk() -> str:
    """The path of wrk.

    Raises:
        UsageError: it is not installed.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise UsageError(
            "The servers are measured with wrk, which is not on the PATH; install it (Debian: apt-get install wrk)."
        )
    return wrk


def wrk_version() -> str:
    """The version that wrk prints: `debian/4.1.0-3+b2 [epoll]`."""
    answer = subprocess.run([find_wrk(), "--version"], capture_output=True, text=True)
    return answer.stdout.partition("Copyright")[0].removeprefix("wrk").strip()


def post(url: str, clip: Path, content_type: str, *, clients: int, seconds: int) -> Counted:
    """Post a file for some seconds.

    Raises:
        CrossoverError: wrk failed.
    """
    options = ["--threads", "1", "--connections", str(clients), "--duration", f"{seconds}s"]
    script = ["--timeout", f"{TIMEOUT_SECONDS}s", "--script", str(SCRIPT)]
    command = [find_wrk(), *options, *script, url, "--", str(clip), content_type]
    most = seconds + 2 * TIMEOUT_SECONDS
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=most)  # ends wrk on Ctrl-C
    except subprocess.TimeoutExpired:
        raise CrossoverError(f"wrk did not end within {most} s.") from None
    if answer.returncode:
        said = " ".join((answer.stderr or answer.stdout).split()) or "it printed nothing"
        raise CrossoverError(f"wrk failed: {said}")
    return parse(answer.stdout)


def parse(output: str) -> Counted:
    """The JSON object that post.lua prints on wrk's last line.

    Raises:
        CrossoverError: there is none.
    """
    try:
        counted: Counted = json.loads(output.rstrip().rpartition("\n")[2])
    except ValueError:
        raise CrossoverError(f"wrk printed no result but {' '.join(output.split())[-200:]!r}.") from None
    return counted
