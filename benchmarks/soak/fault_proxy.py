"""A proxy between the workers and the local AWS: it injects the planned faults and records the traffic.

It serves two purposes on one port: functions and containers reach AWS through it, and S3 reaches the
functions, or their queues, through it. It listens on loopback only.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypedDict
from urllib.parse import unquote, unquote_plus, urlsplit

import psutil

from benchmarks.soak.faults import Action, Answer, Fault
from benchmarks.soak.upload_plan import PlannedObject
from crossover.local.account import root_authorization
from crossover.local.ports import HOST

UPSTREAM_SECONDS = 150  # longer than a function may run
INVOKE_ENDPOINT = re.compile("/endpoints/[^/]+/invocations")
INVOKE_FUNCTION = re.compile("/[0-9-]+/functions/[^/]+/invocations")
NO_ANSWER = (OSError, http.client.HTTPException)
# Headers of a connection, not of the message; the proxy's own server and client set them.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}


@dataclass(frozen=True)
class Request:
    """A request as it was received."""

    method: str
    path: str
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Write:
    """A PutItem that the table answered.

    Attributes:
        key: of the object.
        sequencer: of the event, as written.
        status: SUCCEEDED or FAILED.
        accepted: whether the item was written; otherwise a newer or the same result was there already.
    """

    key: str
    sequencer: str
    status: str
    accepted: bool


class S3Object(TypedDict):
    """The object of a record of S3's event."""

    key: str
    eTag: str
    sequencer: str


class S3Entity(TypedDict):
    """What a record says about S3."""

    object: S3Object


class S3Record(TypedDict):
    """A record of S3's event."""

    s3: S3Entity


class S3Event(TypedDict):
    """S3's event, as far as the soak reads it; it has one record."""

    Records: list[S3Record]


@dataclass
class Traffic:
    """The traffic so far; guarded by `lock`.

    Attributes:
        events: each of S3's events once, by key and ETag.
        copies: how often each of them was delivered to its function or queue.
        writes: in the order of the table's answers.
        requests: of planned objects, by service.
        injected: by variant and name of the fault.
        failures: requests of each key that failed, whether injected or in consequence of a fault elsewhere: while a
            killed container is being started again, all that asks it fails.
        waiting: copies of events that are not due yet.
    """

    events: dict[tuple[str, str], S3Event] = field(default_factory=dict)
    copies: Counter[tuple[str, str]] = field(default_factory=Counter)
    writes: list[Write] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    injected: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class FaultProxy(ThreadingHTTPServer):
    """Forwards to AWS on another port of this machine.

    Args:
        upstream: the port.

    Attributes:
        traffic: what has passed since the soak began.
        deliveries: by key and ETag, when the copies of an event are to be delivered, s after it came; at once by
            default.
        group: the process group in which workers may be killed; none before it is set.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *, upstream: int) -> None:
        super().__init__((HOST, 0), _Handler)
        self.upstream = upstream
        self.group: int | None = None
        self.begin([])

    def begin(self, plan: Sequence[PlannedObject], *, strip_conditions: bool = False) -> None:
        """Begin a soak.

        Args:
            plan: of the objects whose requests meet faults; all other requests are forwarded.
            strip_conditions: remove the condition from every write, to imitate a store that overwrites newer results.
        """
        self.plan = {planned.key: planned for planned in plan}
        self.strip_conditions = strip_conditions
        self.traffic = Traffic()
        self.deliveries: dict[tuple[str, str], tuple[float, ...]] = {}
        self._met: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}"

    def fault_for(self, service: str, key: str) -> Fault | None:
        """The fault that this request meets, which is counted."""
        planned = self.plan[key]
        with self.traffic.lock:
            self.traffic.requests[service] += 1
            fault = planned.fault
            if fault is None or fault.service != service or self._met[key] >= planned.times:
                return None
            self._met[key] += 1
            self.traffic.injected[planned.variant, fault.name] += 1
            if not fault.harmless:
                self.traffic.failures[key] += 1
            return fault

    def kill(self, client_port: int) -> None:
        """Kill the worker at the other end of a connection, if it is a process of the local AWS."""
        for connection in psutil.net_connections(kind="tcp"):
            ends = connection.laddr, connection.raddr
            if connection.pid and all(ends) and [end.port for end in ends] == [client_port, self.server_port]:
                with contextlib.suppress(ProcessLookupError):
                    if os.getpgid(connection.pid) == self.group:
                        os.kill(connection.pid, signal.SIGKILL)

    def ask(self, request: Request) -> Answer:
        """AWS's answer.

        Raises:
            OSError, http.client.HTTPException: there is none.
        """
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection(HOST, self.upstream, timeout=UPSTREAM_SECONDS)
        try:
            connection.request(request.method, request.path, request.body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()

    def deliver(self, key: str, request: Request) -> None:
        """Deliver S3's event to its function or queue, as often and at the times that are planned."""
        event = event_of(request)
        event_id = (key, event["Records"][0]["s3"]["object"]["eTag"])
        delays = self.deliveries.get(event_id, (0.0,))
        with self.traffic.lock:
            self.traffic.events[event_id] = event
            self.traffic.waiting += len(delays)
        for delay in delays:
            timer = threading.Timer(delay, self._deliver_copy, (event_id, request))
            timer.daemon = True
            timer.start()

    def _deliver_copy(self, event_id: tuple[str, str], request: Request) -> None:
        taken = False
        with contextlib.suppress(*NO_ANSWER):  # the audit finds an event that is not delivered to be lost
            taken = self.ask(request).status in (200, 202)  # of SQS, and of Lambda
        with self.traffic.lock:
            self.traffic.copies[event_id] += taken
            self.traffic.waiting -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that end early, since this proxy ends them on purpose."""
        if not isinstance(sys.exception(), NO_ANSWER):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def fault_proxy(*, upstream: int) -> Iterator[FaultProxy]:
    """Serve until the block ends."""
    with FaultProxy(upstream=upstream) as proxy:
        threading.Thread(
            target=proxy.serve_forever, args=(0.05,), daemon=True
        ).start()  # interval between two checks for the end, s
        try:
            yield proxy
        finally:
            proxy.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: FaultProxy
    headers: http.client.HTTPMessage
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave together
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, self.headers, body)
        service, key = recognise(request)
        if key not in self.server.plan:
            self._pass_on(self.server.ask(request))
        elif service in ("lambda", "sqs"):
            self.server.deliver(key, request)
            self._pass_on(Answer(202, b"") if service == "lambda" else Answer(200, b"{}"))
        else:
            self._serve_worker(service, key, request)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815

    def _serve_worker(self, service: str, key: str, request: Request) -> None:
        fault = self.server.fault_for(service, key)
        match fault.action if fault else None:
            case Action.REFUSE:
                assert fault and fault.answer
                self._pass_on(fault.answer)
            case Action.RESET:
                self._reset()
            case Action.KILL:
                self._kill()
            case _:
                answer = self.server.ask(self._without_condition(request) if service == "dynamodb" else request)
                self._note(service, key, request, answer)
                self._answer(answer, fault)

    def _answer(self, answer: Answer, fault: Fault | None) -> None:
        """Give the worker AWS's answer, as changed by the fault."""
        match fault.action if fault else None:
            case Action.LOSE:
                self._reset()
            case Action.FORWARD_AND_KILL:
                self._kill()
            case Action.RESET_IN_BODY:
                self._pass_on(answer, share=0.5)
                self._reset()
            case Action.TRUNCATE:
                self._pass_on(answer, share=0.5)
                self.close_connection = True
            case Action.HOLD:
                assert fault
                time.sleep(fault.seconds)
                self._pass_on(answer)
            case _:
                self._pass_on(answer)

    def _pass_on(self, answer: Answer, *, share: float = 1.0) -> None:
        """Send an answer, or part of its body with the length of the whole. A worker that has gone is ignored."""
        with contextlib.suppress(ConnectionError):
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            lengths = [value for name, value in answer.headers.items() if name.lower() == "content-length"]
            is_about_length_only = self.command == "HEAD" and lengths
            self.send_header("Content-Length", lengths[0] if is_about_length_only else str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: int(len(answer.body) * share)])
            self.wfile.flush()

    def _reset(self) -> None:
        """End the connection with a RST instead of a FIN."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())

    def _kill(self) -> None:
        self.close_connection = True
        self.server.kill(self.client_address[1])

    def _without_condition(self, request: Request) -> Request:
        if not self.server.strip_conditions:
            return request
        content = {name: value for name, value in json.loads(request.body).items() if name in ("TableName", "Item")}
        headers = deepcopy(request.headers)
        for name in ("Authorization", "X-Amz-Security-Token"):  # the worker signed the whole request
            del headers[name]
        headers["Authorization"] = root_authorization("dynamodb")
        return replace(request, headers=headers, body=json.dumps(content).encode())

    def _note(self, service: str, key: str, request: Request, answer: Answer) -> None:
        """Record writes to the table, and failures that were not injected here."""
        traffic = self.server.traffic
        is_verdict = _is_verdict(service, answer)
        with traffic.lock:
            if service == "dynamodb" and (answer.status == 200 or is_verdict):
                item = json.loads(request.body)["Item"]
                written = Write(key, item["sequencer"]["S"], item["status"]["S"], accepted=answer.status == 200)
                traffic.writes.append(written)
            elif answer.status >= 400 and not is_verdict:
                traffic.failures[key] += 1

    def log_message(self, *_: object) -> None:
        """Log nothing: the soak prints a table."""


def event_of(request: Request) -> S3Event:
    """S3's event in a request to Lambda or SQS.

    Raises:
        ValueError, LookupError, TypeError: there is none.
    """
    content = json.loads(request.body)
    event: S3Event = json.loads(content["MessageBody"]) if "MessageBody" in content else content
    return event


def recognise(request: Request) -> tuple[str, str]:
    """The service of a request and the key of its object; empty for other requests."""
    route = urlsplit(request.path).path
    target = request.headers.get("X-Amz-Target", "")
    try:
        if target.endswith(".PutItem"):
            return "dynamodb", json.loads(request.body)["Item"]["object_key"]["S"]
        if INVOKE_ENDPOINT.fullmatch(route):
            return "sagemaker", json.loads(request.body)["key"]
        if INVOKE_FUNCTION.fullmatch(route) or target.endswith(".SendMessage"):
            key = unquote_plus(event_of(request)["Records"][0]["s3"]["object"]["key"])
            return "sqs" if target else "lambda", key
    except (ValueError, LookupError, TypeError):
        return "", ""
    if request.method == "GET" and not target:
        return "s3", unquote(route.partition("/")[2].partition("/")[2])  # /bucket/key
    return "", ""


def _is_verdict(service: str, answer: Answer) -> bool:
    """Whether an error concerns the request itself: a condition that does not hold, a file that cannot be read."""
    if answer.status < 400 or service == "s3":
        return answer.status == 404
    content = json.loads(answer.body or b"{}")
    if service == "dynamodb":
        return str(content.get("__type", "")).endswith("ConditionalCheckFailedException")
    return int(content.get("OriginalStatusCode", 0)) in range(400, 500)
