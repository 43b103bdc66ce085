"""A faulty AWS on a loopback port: each request gets the next of the prepared answers."""

import json
import socket
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

Answer = Callable[["Handler"], None]


class FaultyAws(ThreadingHTTPServer):
    """Answers the requests of `s3`, `dynamodb` and `sagemaker` in the order of `answers`; the last one is repeated.

    Attributes:
        answers: by service.
        bodies: what each service was sent, in order.
        authorizations: the header of every request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        self.authorizations: list[str] = []
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def faulty_aws() -> Iterator[FaultyAws]:
    with FaultyAws() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()


class Handler(BaseHTTPRequestHandler):
    server: FaultyAws
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer("s3")

    def do_POST(self) -> None:
        self._answer("dynamodb" if "X-Amz-Target" in self.headers else "sagemaker")

    def _answer(self, service: str) -> None:
        self.server.authorizations.append(self.headers.get("Authorization", ""))
        self.server.bodies[service].append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        answers = self.server.answers[service]
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def begin(self, status: int, size: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(size), "ETag": '"e"', **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing: tests read what the handlers print."""


def says(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: Handler) -> None:
        handler.begin(status, len(body), **headers)
        handler.wfile.write(body)

    return answer


def json_error(code: str, status: int = 400, message: str = "No.", **members: Any) -> Answer:
    """An error of DynamoDB or SageMaker."""
    body = json.dumps({"__type": f"com.amazonaws#{code}", "message": message, **members}).encode()
    return says(body, status, x_amzn_ErrorType=code)


def xml_error(code: str, status: int, message: str = "No.", more: str = "") -> Answer:
    """An error of S3."""
    return says(f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>".encode(), status)


def resets(handler: Handler) -> None:
    """Take the request and close the connection with a TCP reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def breaks_off(body: bytes) -> Answer:
    """Declare the body's length, send half of it, and close the connection in order."""

    def answer(handler: Handler) -> None:
        handler.begin(200, len(body))
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return answer


def stalls(body: bytes) -> Answer:
    """Declare the body's length, send half of it, and then nothing."""

    def answer(handler: Handler) -> None:
        handler.begin(200, len(body))
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        handler.server.closing.wait()
        handler.close_connection = True

    return answer


def hangs(handler: Handler) -> None:
    """Take the request and never answer."""
    handler.server.closing.wait()
    handler.close_connection = True
