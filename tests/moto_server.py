"""AWS as a process that answers by moto: on its own, because `mock_aws` in a test empties what a server here has."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from crossover.local.ports import free_port
from tests.crossover.waiting import wait_until


@contextmanager
def moto_server() -> Iterator[str]:
    """Yields its endpoint URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, "moto's server ended"
        try:
            with urllib.request.urlopen(f"{url}/moto-api/", timeout=10):
                return True
        except OSError:
            return False  # the port is not open yet

    # Without credentials: it would let requests out of it to other servers.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(answers)
        yield url
    finally:
        process.kill()
        process.wait()
