"""Ports of this machine."""

import socket

from crossover.errors import UsageError

HOST = "127.0.0.1"
LAST_PORT = 65535


def check_port(port: int | None) -> int | None:
    """The port of an option, where one was given.

    Raises:
        UsageError: it is not a port that a server can listen on.
    """
    if port is not None and not 1 <= port <= LAST_PORT:
        raise UsageError(f"The port is {port}, but --port must be from 1 to {LAST_PORT}.")
    return port


def is_free(port: int) -> bool:
    """Whether a server could listen on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
