"""The proxy: the faults that a worker meets, what is recorded, and that other clients are not affected."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, quote_plus

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.soak.fault_proxy import FaultProxy, Write, fault_proxy
from benchmarks.soak.faults import ALWAYS, FAULTS, Action, Fault
from benchmarks.soak.upload_plan import Kind, PlannedObject, PlannedUpload
from tests.crossover.waiting import wait_until

KEY = "standard/00001 a+b é.wav"
CONTENT = bytes(range(256)) * 40
BY_NAME = {fault.name: fault for fault in FAULTS}
REFUSALS = [fault for fault in FAULTS if fault.action is Action.REFUSE]


class Upstream(ThreadingHTTPServer):
    """Stands for AWS: keeps what it was asked and answers as it is told.

    Attributes:
        requests: path and body of each.
        answer: status and body.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, bytes]] = []
        self.answer: tuple[int, bytes] = (200, CONTENT)


class _Handler(BaseHTTPRequestHandler):
    server: Upstream
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, body))
        status, content = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-From", "upstream")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[FaultProxy]:
    with fault_proxy(upstream=upstream.server_port) as proxy:
        yield proxy


def planned(fault: Fault | None, times: int = 1) -> list[PlannedObject]:
    upload = PlannedUpload(kind=Kind.GOOD, deliveries=(0.0,))
    return [PlannedObject(variant="standard", key=KEY, uploads=(upload,), fault=fault, times=times)]


def ask(proxy: FaultProxy, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.server_port, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def get(proxy: FaultProxy) -> tuple[int, bytes]:
    return ask(proxy, "GET", f"/uploads/{quote(KEY)}")


def put_item(proxy: FaultProxy, **more: Any) -> tuple[int, bytes]:
    item = {"object_key": {"S": KEY}, "sequencer": {"S": "0A"}, "status": {"S": "SUCCEEDED"}}
    request = {"TableName": "t", "Item": item, **more}
    return ask(proxy, "POST", "/", json.dumps(request).encode(), X_Amz_Target="DynamoDB_20120810.PutItem")


def invoke_endpoint(proxy: FaultProxy) -> tuple[int, bytes]:
    return ask(proxy, "POST", "/endpoints/e/invocations", json.dumps({"bucket": "b", "key": KEY}).encode())


def deliver(proxy: FaultProxy, etag: str = "tag", *, queue: str = "") -> tuple[int, bytes]:
    entity = {"key": quote_plus(KEY), "eTag": etag, "sequencer": "0A"}
    event = {"Records": [{"s3": {"object": entity}}]}
    if queue:
        message = json.dumps({"QueueUrl": queue, "MessageBody": json.dumps(event)}).encode()
        return ask(proxy, "POST", "/", message, X_Amz_Target="AmazonSQS.SendMessage")
    return ask(proxy, "POST", "/2015-03-31/functions/arn%3Aaws/invocations", json.dumps(event).encode())


def test_requests_outside_the_plan_pass_unchanged(proxy: FaultProxy, upstream: Upstream) -> None:
    assert ask(proxy, "PUT", "/bucket/other?x=1", b"body") == (200, CONTENT)
    assert upstream.requests == [("/bucket/other?x=1", b"body")]
    assert not proxy.traffic.requests


def test_a_head_request_keeps_the_content_length(proxy: FaultProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.server_port, timeout=10)
    connection.request("HEAD", "/bucket/other")
    response = connection.getresponse()
    assert response.headers["Content-Length"] == str(len(CONTENT))
    assert response.headers["X-From"] == "upstream"
    assert response.read() == b""
    connection.close()


def test_all_three_services_are_recognised_by_the_objects_key(proxy: FaultProxy) -> None:
    proxy.begin(planned(None))
    get(proxy), put_item(proxy), invoke_endpoint(proxy)
    assert proxy.traffic.requests == {"s3": 1, "dynamodb": 1, "sagemaker": 1}


def test_a_fault_is_met_as_often_as_planned_and_only_by_its_service(proxy: FaultProxy) -> None:
    proxy.begin(planned(BY_NAME["S3: 503 SlowDown"], times=2))
    assert put_item(proxy)[0] == 200
    assert [get(proxy)[0] for _ in range(4)] == [503, 503, 200, 200]
    assert proxy.traffic.injected == {("standard", "S3: 503 SlowDown"): 2}
    assert proxy.traffic.failures == {KEY: 2}


def test_a_fault_that_lasts_never_ends(proxy: FaultProxy) -> None:
    proxy.begin(planned(BY_NAME["S3: 500 InternalError"], times=ALWAYS))
    assert {get(proxy)[0] for _ in range(20)} == {500}


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: fault.name)
def test_the_sdk_reads_every_refusal_as_the_intended_error(proxy: FaultProxy, fault: Fault) -> None:
    proxy.begin(planned(fault))

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=proxy.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}),
        )

    calls: dict[str, Callable[[], Any]] = {
        "s3": lambda: client("s3").get_object(Bucket="uploads", Key=KEY),
        "dynamodb": lambda: client("dynamodb").put_item(TableName="t", Item={"object_key": {"S": KEY}}),
        "sagemaker": lambda: client("sagemaker-runtime").invoke_endpoint(
            EndpointName="e", Body=json.dumps({"key": KEY}).encode()
        ),
    }
    codes = {
        "S3: 503 SlowDown": "SlowDown",
        "S3: 500 InternalError": "InternalError",
        "DynamoDB: throttled": "ThrottlingException",
        "DynamoDB: 500": "InternalServerError",
        "SageMaker: throttled": "ThrottlingException",
        "SageMaker: 503": "ServiceUnavailable",
        "SageMaker: 500": "InternalFailure",
        "SageMaker: model error 503": "ModelError",
        "SageMaker: its own 60 s are over": "ModelError",
    }
    with pytest.raises(ClientError) as error:
        calls[fault.service]()
    assert error.value.response["Error"]["Code"] == codes[fault.name]
    assert fault.answer
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == fault.answer.status


@pytest.mark.parametrize(
    ("name", "call", "reaches_aws"),
    [
        ("S3: reset before the answer", get, False),
        ("DynamoDB: reset before the write", put_item, False),
        ("DynamoDB: answer lost after the write", put_item, True),
        ("SageMaker: reset before the answer", invoke_endpoint, False),
        ("SageMaker: answer lost", invoke_endpoint, True),
    ],
)
def test_a_reset_comes_before_or_after_aws_was_asked(
    proxy: FaultProxy,
    upstream: Upstream,
    name: str,
    call: Callable[[FaultProxy], tuple[int, bytes]],
    reaches_aws: bool,
) -> None:
    proxy.begin(planned(BY_NAME[name]))
    with pytest.raises(ConnectionResetError):
        call(proxy)
    assert bool(upstream.requests) == reaches_aws
    assert call(proxy)[0] == 200


def test_a_body_cut_short_ends_in_its_middle(proxy: FaultProxy) -> None:
    proxy.begin(planned(BY_NAME["S3: body cut short"]))
    with pytest.raises(http.client.IncompleteRead) as error:
        get(proxy)
    assert error.value.partial == CONTENT[: len(CONTENT) // 2]


def test_a_reset_in_the_body_is_a_reset(proxy: FaultProxy) -> None:
    proxy.begin(planned(BY_NAME["S3: reset in the body"]))
    with pytest.raises(ConnectionResetError):
        get(proxy)


def test_a_held_answer_arrives_and_a_slow_one_is_not_a_failure(proxy: FaultProxy) -> None:
    proxy.begin(planned(replace(BY_NAME["S3: slow"], seconds=0.01)))
    assert get(proxy) == (200, CONTENT)
    assert proxy.traffic.injected == {("standard", "S3: slow"): 1}
    assert not proxy.traffic.failures


def test_a_worker_that_disconnects_affects_no_other(proxy: FaultProxy, capfd: pytest.CaptureFixture[str]) -> None:
    proxy.begin(planned(replace(BY_NAME["S3: no answer in time"], seconds=0.2)))
    connection = http.client.HTTPConnection("127.0.0.1", proxy.server_port, timeout=0.05)
    connection.request("GET", f"/uploads/{quote(KEY)}")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert get(proxy) == (200, CONTENT)
    time.sleep(0.4)  # until the held answer finds no client
    assert capfd.readouterr().err == ""


@contextmanager
def worker(proxy: FaultProxy, *, new_group: bool) -> Iterator[subprocess.Popen[bytes]]:
    """A process that asks for the object again and again until it is answered, and ends well then."""
    program = (
        "import sys, urllib.request\n"
        "while True:\n"
        "    try: urllib.request.urlopen(sys.argv[1]).read(); break\n"
        "    except OSError: pass\n"
    )
    url = f"{proxy.url}/uploads/{quote(KEY)}"
    process = subprocess.Popen([sys.executable, "-c", program, url], start_new_session=new_group)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_of_the_local_aws_is_killed(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.begin(planned(BY_NAME["S3: worker killed meanwhile"], times=ALWAYS))
    release = threading.Event()
    kill = proxy.kill

    def kill_once_the_group_is_known(client_port: int) -> None:
        release.wait(30)
        kill(client_port)

    proxy.kill = kill_once_the_group_is_known  # type: ignore[method-assign]
    with worker(proxy, new_group=True) as process:
        proxy.group = process.pid
        release.set()
        assert process.wait(30) == -9
    assert not upstream.requests


def test_a_foreign_process_is_never_killed(proxy: FaultProxy) -> None:
    proxy.begin(planned(BY_NAME["S3: worker killed meanwhile"], times=2))
    proxy.group = os.getpid() + 1_000_000
    with worker(proxy, new_group=False) as process:
        assert process.wait(30) == 0


def test_the_tables_answers_are_recorded(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.begin(planned(None))
    put_item(proxy)
    upstream.answer = (400, json.dumps({"__type": "x#ConditionalCheckFailedException"}).encode())
    put_item(proxy)
    upstream.answer = (500, json.dumps({"__type": "x#InternalServerError"}).encode())
    put_item(proxy)
    assert proxy.traffic.writes == [
        Write(KEY, "0A", "SUCCEEDED", accepted=True),
        Write(KEY, "0A", "SUCCEEDED", accepted=False),
    ]
    assert proxy.traffic.failures == {KEY: 1}


def test_a_refused_file_is_not_a_failure_but_a_broken_container_is(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.begin(planned(None))
    for status, failures in ((422, 0), (0, 1), (503, 2)):
        upstream.answer = (424, json.dumps({"OriginalStatusCode": status}).encode())
        invoke_endpoint(proxy)
        assert proxy.traffic.failures[KEY] == failures


@pytest.mark.parametrize(("delays", "copies"), [((0.0,), 1), ((0.0, 0.05), 2), ((0.05,), 1), ((), 0)])
def test_events_are_delivered_as_often_as_planned(
    proxy: FaultProxy, upstream: Upstream, delays: tuple[float, ...], copies: int
) -> None:
    upstream.answer = (202, b"")
    proxy.begin(planned(None))
    proxy.deliveries[KEY, "tag"] = delays
    assert deliver(proxy)[0] == 202
    wait_until(lambda: proxy.traffic.waiting == 0)
    assert len(upstream.requests) == proxy.traffic.copies[KEY, "tag"] == copies
    assert len({body for _, body in upstream.requests}) == min(copies, 1)
    assert proxy.traffic.events[KEY, "tag"]["Records"][0]["s3"]["object"]["eTag"] == "tag"


def test_events_for_a_queue_are_delivered_as_planned_too(proxy: FaultProxy, upstream: Upstream) -> None:
    upstream.answer = (200, b"{}")
    proxy.begin(planned(None))
    proxy.deliveries[KEY, "tag"] = (0.0, 0.05)
    assert deliver(proxy, queue="http://queue") == (200, b"{}")
    wait_until(lambda: proxy.traffic.waiting == 0)
    assert [json.loads(body)["QueueUrl"] for _, body in upstream.requests] == ["http://queue"] * 2
    assert proxy.traffic.copies[KEY, "tag"] == 2
    assert proxy.traffic.events[KEY, "tag"]["Records"][0]["s3"]["object"]["eTag"] == "tag"


def test_an_event_that_lambda_refuses_is_not_counted_as_delivered(proxy: FaultProxy, upstream: Upstream) -> None:
    upstream.answer = (500, b"")
    proxy.begin(planned(None))
    deliver(proxy)
    wait_until(lambda: bool(upstream.requests) and proxy.traffic.waiting == 0)
    assert proxy.traffic.copies[KEY, "tag"] == 0


def test_conditions_are_stripped_only_for_the_negative_control(proxy: FaultProxy, upstream: Upstream) -> None:
    for strip in (False, True):
        proxy.begin(planned(None), strip_conditions=strip)
        put_item(proxy, ConditionExpression="c", ExpressionAttributeValues={})
    kept, stripped = (json.loads(body) for _, body in upstream.requests)
    assert kept["ConditionExpression"] == "c"
    assert set(stripped) == {"TableName", "Item"}
    assert stripped["Item"] == kept["Item"]
