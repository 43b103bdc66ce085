"""The container's answers: predictions and refusals."""

import contextlib
import gzip
import hashlib
import io
import json
import socket
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

import pytest
import soundfile

from .conftest import BUCKET, SPEECH, HeldRequest, Server, run_server, send

Upload = Callable[[str, bytes], None]


def encoded(format_: str) -> bytes:
    samples, rate = soundfile.read(SPEECH)
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format_)
    return file.getvalue()


@pytest.mark.parametrize("format_", ["WAV", "FLAC", "MP3", "OGG"])
def test_bytes_and_an_s3_object_reference_get_the_same_label(server: Server, upload: Upload, format_: str) -> None:
    data = encoded(format_)
    key = f"voices/élève 1+2%.{format_.lower()}"
    upload(key, data)

    as_bytes = server.predict(data, f"audio/{format_.lower()}")
    as_reference = server.predict_object(bucket=BUCKET, key=key, version_id=None, size_bytes=len(data))

    assert (as_bytes.status, as_reference.status) == (200, 200)
    assert as_bytes.json["top_labels"][0]["label"] == "Speech"
    assert as_reference.json["top_labels"] == as_bytes.json["top_labels"]
    values = {"label", "score", "top_labels", "audio_seconds"}
    told = {"etag", "size_bytes", "uploaded_at"}
    assert set(as_reference.json) == {*values, *told, "model_sha256", "timings_ms"}
    assert as_reference.json["etag"]
    assert as_reference.json["size_bytes"] == len(data)


def test_the_requested_version_is_read(server: Server, s3: Any) -> None:
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="versions", Key="file", Body=SPEECH.read_bytes())["VersionId"]
    s3.put_object(Bucket="versions", Key="file", Body=b"not audio")

    old, new = (server.predict_object(bucket="versions", key="file", version_id=each) for each in (version, None))
    assert (old.status, new.status) == (200, 422)
    assert old.json["version_id"] == version
    assert new.json["version_id"] not in (None, version)


@pytest.mark.parametrize("content_type", ["application/octet-stream", "audio/x-wav; rate=16000", "AUDIO/WAV"])
def test_any_audio_type_is_accepted_since_the_bytes_give_the_format(server: Server, content_type: str) -> None:
    assert server.predict(SPEECH.read_bytes(), content_type).status == 200


def test_one_connection_serves_several_requests_also_after_a_refusal(server: Server) -> None:
    connection = server.connect()
    types = ["audio/wav", "text/plain", "audio/wav", "audio/wav"]
    answers = [
        send(connection, "POST", "/invocations", SPEECH.read_bytes(), {"Content-Type": type_}) for type_ in types
    ]
    connection.close()

    assert [answer.status for answer in answers] == [200, 415, 200, 200]


def test_a_body_without_a_declared_length_is_read(server: Server) -> None:
    data = SPEECH.read_bytes()
    pieces = (data[start : start + 50_000] for start in range(0, len(data), 50_000))

    assert server.request("POST", "/invocations", pieces, {"Content-Type": "audio/wav"}).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "image/png", "application/jsonlines", "video/mp4", ""])
def test_another_content_type_is_refused(server: Server, content_type: str) -> None:
    answer = server.predict(SPEECH.read_bytes(), content_type)

    assert (answer.status, answer.error_code) == (415, "UNSUPPORTED_CONTENT_TYPE")


def test_a_missing_content_type_is_refused(server: Server) -> None:
    assert server.request("POST", "/invocations", b"x").status == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 10_000,
        b"null",
        b'["bucket", "key"]',
        b"{}",
        b'{"bucket": "uploads"}',
        b'{"bucket": "uploads", "key": ""}',
        b'{"bucket": "uploads", "key": 7}',
        b'{"bucket": null, "key": "file"}',
        b'{"bucket": "uploads", "key": "\\ud800"}',
        b'{"bucket": "uploads", "key": "file", "version_id": 3}',
        b'{"bucket": "uploads", "key": "file", "size_bytes": -1}',
        b'{"bucket": "uploads", "key": "file", "size_bytes": "many"}',
        b'{"bucket": "uploads", "key": "file", "size_bytes": true}',
        b'{"bucket": "uploads", "key": "file", "size_bytes": NaN}',
        b'{"bucket": "uploads", "key": "file", "size_bytes": ' + b"9" * 5_000 + b"}",
        b'{"bucket": "uploads", "key": "file", "size_bytes": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"bucket": "uploads", "key": [' + b"1," * 5_000 + b"1]}",
        b'{"bucket": "uploads", "key": ' + b'{"a":' * 1_500 + b"1" + b"}" * 1_500 + b"}",
        b'{"bucket": "no/such?name", "key": "file"}',
    ],
)
def test_a_malformed_object_reference_is_refused_with_a_reason(server: Server, body: bytes) -> None:
    answer = server.predict(body, "application/json")

    assert (answer.status, answer.error_code) == (400, "INVALID_REQUEST")
    assert len(answer.body) < 500


def test_json_of_more_than_a_few_kilobytes_is_refused_unread(server: Server) -> None:
    held = socket.create_connection(("127.0.0.1", server.port))
    held.sendall(
        b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 20000000\r\n\r\n"
    )
    # The answer comes although no byte of the body was sent.
    assert held.recv(12) == b"HTTP/1.1 400"
    held.close()


def test_the_longest_key_that_s3_allows_fits_with_every_character_escaped(server: Server) -> None:
    answer = server.predict_object(bucket=BUCKET, key="é" * 512, version_id="v" * 1024)

    assert answer.error_code == "OBJECT_NOT_FOUND"


def test_a_missing_object_is_refused(server: Server) -> None:
    answer = server.predict_object(bucket=BUCKET, key="gone.wav", version_id=None, size_bytes=1000)

    assert (answer.status, answer.error_code) == (422, "OBJECT_NOT_FOUND")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"this is not audio", "UNSUPPORTED_FORMAT"),
        (SPEECH.read_bytes()[:20], "CORRUPT_AUDIO"),
    ],
)
def test_bytes_that_are_not_audio_are_refused(server: Server, upload: Upload, data: bytes, code: str) -> None:
    upload("bad", data)
    as_bytes, as_reference = server.predict(data), server.predict_object(bucket=BUCKET, key="bad")

    assert (as_bytes.status, as_reference.status) == (422, 422)
    assert (as_bytes.error_code, as_reference.error_code) == (code, code)
    assert as_reference.json["etag"] == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert as_reference.json["size_bytes"] == len(data)
    assert len(as_reference.json["model_sha256"]) == 64


def test_a_file_above_the_limit_is_refused_before_it_is_downloaded(server: Server) -> None:
    answer = server.predict_object(bucket=BUCKET, key="there is no such object", size_bytes=1_000_001)

    assert (answer.status, answer.error_code) == (422, "FILE_TOO_LARGE")


def test_a_body_above_the_limit_is_refused_by_its_content_length(server: Server) -> None:
    answer = server.predict(bytes(1_000_001))

    assert (answer.status, answer.error_code) == (422, "FILE_TOO_LARGE")


def test_a_body_above_the_limit_is_refused_while_it_is_read(server: Server) -> None:
    endless = socket.create_connection(("127.0.0.1", server.port))
    endless.sendall(
        b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    for _ in range(11):
        endless.sendall(b"186a0\r\n" + bytes(100_000) + b"\r\n")
    # The answer comes although the body has not ended.
    answer = HTTPResponse(endless)
    answer.begin()
    assert answer.status == 422
    assert json.loads(answer.read())["error_code"] == "FILE_TOO_LARGE"
    endless.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/pingpong", 404),
        ("POST", "/predictions", 404),
        ("HEAD", "/nothing", 404),
        ("GET", "/invocations", 405),
        ("HEAD", "/invocations", 405),
        ("PUT", "/invocations", 405),
        ("POST", "/ping", 405),
    ],
)
def test_other_routes_and_methods_do_not_exist(server: Server, method: str, path: str, status: int) -> None:
    answer = server.request(method, path)
    assert answer.status == status
    allowed = {"/ping": {"GET", "HEAD"}, "/invocations": {"POST"}} if status == 405 else {}
    assert set(answer.headers.get("allow", "").split(", ")) == allowed.get(path, {""})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_ping_is_answered_without_a_body(server: Server, method: str) -> None:
    answer = server.request(method, "/ping")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "0", b"")


def test_a_path_with_a_slash_too_many_is_not_redirected_to_whatever_host_the_client_names(server: Server) -> None:
    answer = server.request("GET", "/ping/", headers={"Host": "elsewhere.example"})

    assert answer.status == 404
    assert "elsewhere" not in str(answer.headers)


def test_an_invalid_host_and_a_very_long_path_are_harmless(server: Server) -> None:
    answer = server.request("GET", "/" + "%0a" * 10_000, headers={"Host": "[::"})

    assert (answer.status, answer.error_code) == (404, "NO_SUCH_ROUTE")
    assert server.records("refusal")[-1]["path"] == "/" + "\n" * 199


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: many\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: " + b"9" * 5_000 + b"\r\n",
        b"no colon\r\n",
        b"Content-Length : 5\r\n",
    ],
    ids=lambda head: head[:40].decode().strip(),
)
def test_a_malformed_head_is_refused(server: Server, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        with contextlib.suppress(ConnectionError):  # the server may close before it has read all of it
            raw.sendall(b"POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: audio/wav\r\n" + head + b"\r\n")
        with contextlib.suppress(ConnectionResetError):
            answer = raw.recv(12)
            assert answer in (b"HTTP/1.1 400", b"HTTP/1.1 501", b"")

    assert server.predict(SPEECH.read_bytes()).status == 200


def test_a_body_with_a_compressing_transfer_encoding_is_not_audio(server: Server) -> None:
    body = gzip.compress(SPEECH.read_bytes())
    headers = {"Content-Type": "audio/wav", "Transfer-Encoding": "gzip, chunked"}
    answer = server.request("POST", "/invocations", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), headers)

    assert (answer.status, answer.error_code) == (422, "UNSUPPORTED_FORMAT")


def test_a_client_that_disconnects_half_way_affects_no_other(server: Server) -> None:
    before = len(server.records("invocation"))
    HeldRequest(server, SPEECH.read_bytes()).abandon()

    assert server.predict(SPEECH.read_bytes()).status == 200
    statuses = [record["status"] for record in server.records("invocation")[before:]]
    assert sorted(statuses) == [200, 499]


def test_bytes_that_are_not_http_affect_no_other_client(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        assert raw.recv(12) == b"HTTP/1.1 400"

    assert server.predict(SPEECH.read_bytes()).status == 200


def test_every_request_leaves_one_line_of_json_without_its_content(server: Server) -> None:
    before = len(server.records("invocation"))
    server.predict(SPEECH.read_bytes())
    server.predict(b"secret words")
    server.predict_object(bucket=BUCKET, key="gone.wav")

    predicted, refused, missing = server.records("invocation")[before:]
    assert (predicted["status"], predicted["label"], predicted["size_bytes"]) == (200, "Speech", 227_244)
    assert set(predicted["timings_ms"]) == {"download", "decode", "inference", "total"}
    assert (refused["status"], refused["error_code"]) == (422, "UNSUPPORTED_FORMAT")
    assert (missing["bucket"], missing["object_key"], missing["error_code"]) == (BUCKET, "gone.wav", "OBJECT_NOT_FOUND")
    assert "secret" not in json.dumps(refused)


def test_only_the_log_has_the_reason_of_an_unexpected_error(server: Server) -> None:
    answer = server.predict_object(bucket="there-is-no-such-bucket", key="file")

    assert (answer.status, answer.error_code) == (500, "INTERNAL_ERROR")
    assert b"NoSuchBucket" not in answer.body
    record = server.records("invocation")[-1]
    assert record["error"].startswith("NoSuchBucket: ")
    assert "in predict" in record["traceback"]


@pytest.mark.slow
def test_an_unreachable_s3_is_a_503(tmp_path: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        with run_server(tmp_path, AWS_ENDPOINT_URL=f"http://127.0.0.1:{closed.getsockname()[1]}") as server:
            server.wait_for_ping(200)
            answer = server.predict_object(bucket=BUCKET, key="file")

    assert (answer.status, answer.error_code) == (503, "S3_UNAVAILABLE")
