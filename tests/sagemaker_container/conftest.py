"""The image's own command as a process on a free port, without Docker; with moto's server as S3."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from tests.moto_server import moto_server

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "sagemaker_container/Dockerfile"
MODEL = ROOT / "model/model.onnx"
SPEECH = ROOT / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav"
BUCKET = "uploads"
# A server that takes longer is stuck; no test asserts how long it takes.
PATIENCE_SECONDS = 60
# Few enough for a test to fill them.
MAX_WAITING = 1
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


def server_command() -> list[str]:
    """ENTRYPOINT and CMD of the Dockerfile, with this interpreter as its `python`."""
    lines = DOCKERFILE.read_text()
    words = []
    for instruction in ("ENTRYPOINT", "CMD"):
        (form,) = re.findall(rf"^{instruction} (\[.*\])$", lines, flags=re.MULTILINE)
        words += json.loads(form)
    assert words[0] == "python"
    return [sys.executable, *words[1:]]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error_code(self) -> str:
        """The error's code, after checking that the error has the shape that the proxy relies on."""
        error = self.json
        assert set(error) - {"etag", "size_bytes", "uploaded_at", "model_sha256"} == {"error_code", "error_message"}
        assert error["error_message"].endswith(".")
        code: str = error["error_code"]
        return code


@dataclass(frozen=True, kw_only=True)
class Server:
    """The server as a process."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        connection = self.connect()
        try:
            return send(connection, method, path, body, headers)
        finally:
            connection.close()

    def predict(self, data: bytes, content_type: str = "audio/wav") -> Answer:
        return self.request("POST", "/invocations", data, {"Content-Type": content_type})

    def predict_object(self, **reference: Any) -> Answer:
        return self.predict(json.dumps(reference).encode(), "application/json")

    def wait_for_ping(self, status: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the server ended: {self.log.read_text()}"
            try:
                if self.request("GET", "/ping").status == status:
                    return
            except OSError:
                pass  # the port is not open yet
            time.sleep(0.02)
        raise AssertionError(f"/ping never answered {status}")

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def records(self, event: str) -> list[dict[str, Any]]:
        """The lines of JSON in the log so far, for one kind of event."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]


def send(
    connection: HTTPConnection, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> Answer:
    connection.request(method, path, body, dict(headers or {}))
    response = connection.getresponse()
    return Answer(status=response.status, headers=dict(response.headers), body=response.read())


class HeldRequest:
    """A POST of audio whose body stops half way: the server has admitted it and waits for the rest.

    `Expect: 100-continue` makes that certain without a sleep: the server answers it when it starts to read the body.
    """

    def __init__(self, server: Server, body: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)
        self._answers = self._socket.makefile("rb")
        self._rest = body[len(body) // 2 :]
        head = (
            "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        assert self._answers.readline().startswith(b"HTTP/1.1 100")
        assert self._answers.readline() == b"\r\n"
        self._socket.sendall(body[: len(body) // 2])

    def finish(self) -> int:
        """Send the rest; returns the answer's status."""
        self._socket.sendall(self._rest)
        status = int(self._answers.readline().split()[1])
        self.abandon()
        return status

    def abandon(self) -> None:
        self._answers.close()
        self._socket.close()


@contextmanager
def run_server(
    folder: Path, model_dir: Path = MODEL.parent, prefix: Sequence[str] = (), **environment: str
) -> Iterator[Server]:
    """The server, not necessarily ready; killed at the end if it still runs. A command as `prefix` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    settings = {
        "BIND_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "MODEL_DIR": str(model_dir),
        **CREDENTIALS,
        **environment,
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [*prefix, *server_command()],
            cwd=ROOT,
            env=inherited | settings,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        yield Server(process=process, port=port, log=log)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def s3() -> Iterator[Any]:
    """A botocore client of moto's server, with the bucket."""
    with moto_server() as url:
        client = Session().create_client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(scope="session")
def shared_server(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with run_server(folder, AWS_ENDPOINT_URL=s3.meta.endpoint_url, MAX_FILE_BYTES="1000000") as server:
        server.wait_for_ping(200)
        yield server


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """A ready server with S3, shared by the tests; none may stop it, and it must be healthy after each."""
    yield shared_server
    assert shared_server.request("GET", "/ping").status == 200


@pytest.fixture
def upload(s3: Any) -> Callable[[str, bytes], None]:
    return lambda key, body: s3.put_object(Bucket=BUCKET, Key=key, Body=body)
