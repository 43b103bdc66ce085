"""S3, DynamoDB and SageMaker as fixed answers on a loopback port, so that only the handler is measured."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

ENDPOINT_ANSWER = {
    "top_labels": [{"label": "Speech", "score": 0.99}],
    "audio_seconds": 7.1,
    "model_sha256": "0" * 64,
    "etag": "0",
    "timings_ms": {"download": 1.0, "decode": 1.0, "inference": 1.0},
}


class StubAws(ThreadingHTTPServer):
    """Answers GETs with content, writes to DynamoDB with success, invocations with a prediction.

    Args:
        content: of every object that `objects` does not hold.
        objects: contents of other objects, by their paths /bucket/key.

    Attributes:
        requests: how often each service was asked.
    """

    daemon_threads = True

    def __init__(self, content: bytes, objects: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.objects = objects
        self.requests: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def stub_aws(content: bytes, objects: Mapping[str, bytes] | None = None) -> Iterator[StubAws]:
    """Serve on a free loopback port until the block ends; the arguments are those of StubAws."""
    with StubAws(content, objects or {}) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: StubAws
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave in one packet

    def do_HEAD(self) -> None:
        self._answer("s3", self._object(), "application/octet-stream", with_body=False)

    def do_GET(self) -> None:
        self._answer("s3", self._object(), "application/octet-stream")

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer("s3", b"", "application/octet-stream")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if "X-Amz-Target" in self.headers:
            self._answer("dynamodb", b"{}", "application/x-amz-json-1.0")
        else:
            self._answer("sagemaker", json.dumps(ENDPOINT_ANSWER).encode(), "application/json")

    def _object(self) -> bytes:
        return self.server.objects.get(self.path.partition("?")[0], self.server.content)

    def _answer(self, service: str, body: bytes, content_type: str, *, with_body: bool = True) -> None:
        self.server.requests[service] += 1
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0"')
        self.send_header("Last-Modified", "Fri, 20 Nov 2026 09:30:00 GMT")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: the benchmark's output is its table."""
