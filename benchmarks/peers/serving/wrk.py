"""The load: wrk posts one clip on connections that stay open; each waits for its answer before it asks again."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from crossover.errors import CrossoverError, UsageError

SCRIPT = Path(__file__).with_name("post.lua")
TIMEOUT_SECONDS = 30  # longer than any answer should take: wrk counts what takes longer as an error


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
    """What wrk says of itself: `debian/4.1.0-3+b2 [epoll]`."""
    answer = subprocess.run([find_wrk(), "--version"], capture_output=True, text=True)
    return answer.stdout.partition("Copyright")[0].removeprefix("wrk").strip()


def post(url: str, clip: Path, content_type: str, *, clients: int, seconds: int) -> dict[str, Any]:
    """Post a file for some seconds.

    Returns:
        `requests` that were answered, `duration_us`, `cpu_seconds` of wrk, `errors` by kind, and the histogram in
        `latency_us` and `counts`.

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
        said = " ".join((answer.stderr or answer.stdout).split()) or "it said nothing"
        raise CrossoverError(f"wrk failed: {said}")
    return parse(answer.stdout)


def parse(output: str) -> dict[str, Any]:
    """The JSON object that post.lua prints on wrk's last line.

    Raises:
        CrossoverError: there is none.
    """
    try:
        counted: dict[str, Any] = json.loads(output.rstrip().rpartition("\n")[2])
    except ValueError:
        raise CrossoverError(f"wrk printed no result but {' '.join(output.split())[-200:]!r}.") from None
    return counted
