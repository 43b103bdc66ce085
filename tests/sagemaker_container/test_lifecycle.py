"""From start to stop: loading, overload, SIGTERM, and what keeps the server from starting."""

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sagemaker_container.server import listen

from .conftest import MAX_WAITING, MODEL, PATIENCE_SECONDS, SPEECH, HeldRequest, Server, run_server


def places(server: Server) -> int:
    """Requests that the server admits at once."""
    (ready,) = server.records("ready")
    total: int = ready["processors"] + ready["max_waiting"]
    return total


def test_the_port_is_open_while_the_model_loads_and_ping_tells_when_it_is_there(tmp_path: Path) -> None:
    pipe = tmp_path / "model.onnx"
    os.mkfifo(pipe)  # a model file that takes as long to read as the test likes
    with run_server(tmp_path, model_dir=tmp_path) as server:
        server.wait_for_ping(503)
        early = server.predict(SPEECH.read_bytes())
        pipe.write_bytes(MODEL.read_bytes())
        server.wait_for_ping(200)
        late = server.predict(SPEECH.read_bytes())

    assert (early.status, early.error_code) == (503, "MODEL_LOADING")
    assert late.status == 200


def test_a_full_queue_refuses_at_once_and_recovers(tmp_path: Path) -> None:
    speech = SPEECH.read_bytes()
    with run_server(tmp_path, MAX_WAITING_REQUESTS=str(MAX_WAITING)) as server:
        server.wait_for_ping(200)
        held = [HeldRequest(server, speech) for _ in range(places(server))]
        refused = [server.predict(speech), server.predict_address(bucket="uploads", key="file")]
        ping = server.request("GET", "/ping")
        admitted = [request.finish() for request in held]
        after = server.predict(speech)

    assert [(answer.status, answer.error_code) for answer in refused] == [(503, "OVERLOADED")] * 2
    assert ping.status == 200
    assert set(admitted) == {200}
    assert after.status == 200


def test_more_clients_than_places_are_all_answered(tmp_path: Path) -> None:
    speech = SPEECH.read_bytes()
    statuses: list[int] = []
    with run_server(tmp_path, MAX_WAITING_REQUESTS=str(MAX_WAITING)) as server:
        server.wait_for_ping(200)
        clients = [
            threading.Thread(target=lambda: statuses.append(server.predict(speech).status))
            for _ in range(4 * places(server))
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        after = server.predict(speech)

    assert len(statuses) == len(clients)
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 1
    assert after.status == 200


def test_the_bytes_that_wait_are_bounded_too(tmp_path: Path) -> None:
    speech = SPEECH.read_bytes()
    with run_server(tmp_path, MAX_FILE_BYTES=str(len(speech))) as server:
        server.wait_for_ping(200)
        held = [HeldRequest(server, speech) for _ in range(3)]  # half a file each, of two that may wait
        refused = server.predict(speech)
        for request in held:
            request.abandon()
        after = server.predict(speech)

    assert (refused.status, refused.error_code) == (503, "OVERLOADED")
    assert after.status == 200


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_finished_before_the_server_stops(tmp_path: Path, stop: signal.Signals) -> None:
    with run_server(tmp_path) as server:
        server.wait_for_ping(200)
        held = HeldRequest(server, SPEECH.read_bytes())
        server.process.send_signal(stop)
        wait_until_refused(server)
        status = held.finish()
        code = server.process.wait(PATIENCE_SECONDS)

    assert status == 200
    assert code == 0
    assert "Traceback" not in server.log.read_text()


def test_a_server_that_is_still_loading_stops_too(tmp_path: Path) -> None:
    pipe = tmp_path / "model.onnx"
    os.mkfifo(pipe)
    with run_server(tmp_path, model_dir=tmp_path) as server:
        server.wait_for_ping(503)
        server.process.send_signal(signal.SIGTERM)
        wait_until_refused(server)
        pipe.write_bytes(MODEL.read_bytes())
        code = server.process.wait(PATIENCE_SECONDS)

    assert code == 0
    assert "Traceback" not in server.log.read_text()


def wait_until_refused(server: Server) -> None:
    """Wait until the port no longer takes connections."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", server.port)).close()
        except ConnectionError:
            return
        time.sleep(0.02)
    raise AssertionError("the port stayed open")


def test_an_idle_server_stops_at_once_with_success(tmp_path: Path) -> None:
    with run_server(tmp_path) as server:
        server.wait_for_ping(200)
        idle = socket.create_connection(("127.0.0.1", server.port))
        code = server.stop()
        idle.close()

    assert code == 0
    assert "Traceback" not in server.log.read_text()


def test_the_server_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    # onnxruntime's telemetry would: an identifier of this machine, and what it has not sent yet.
    home = tmp_path / "home"
    home.mkdir()
    with run_server(tmp_path, HOME=str(home), XDG_CACHE_HOME="", CI="") as server:
        server.wait_for_ping(200)
        server.predict(SPEECH.read_bytes())
        server.stop()

    assert list(home.iterdir()) == []


def write_nothing(folder: Path) -> None:
    pass


def remove_the_folder(folder: Path) -> None:
    folder.rmdir()


def copy_two_models(folder: Path) -> None:
    shutil.copy(MODEL, folder / "a.onnx")
    shutil.copy(MODEL, folder / "b.onnx")


def write_garbage(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"not a model")


def write_half_a_model(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(MODEL.read_bytes()[: MODEL.stat().st_size // 2])


def name_a_folder_like_a_model(folder: Path) -> None:
    (folder / "model.onnx").mkdir()


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (remove_the_folder, "models does not exist"),
        (write_nothing, "exactly one .onnx file; it holds none"),
        (copy_two_models, "exactly one .onnx file; it holds a.onnx, b.onnx"),
        (write_garbage, "cannot be loaded"),
        (write_half_a_model, "cannot be loaded"),
        (name_a_folder_like_a_model, "model.onnx"),
    ],
)
def test_without_a_model_it_can_serve_it_ends_with_one_sentence(
    tmp_path: Path, prepare: Callable[[Path], None], words: str
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    prepare(folder)

    with run_server(tmp_path, model_dir=folder) as server:
        code = server.process.wait(PATIENCE_SECONDS)

    (sentence,) = server.log.read_text().splitlines()
    assert code == 1
    assert words in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "http"),
        ("SAGEMAKER_BIND_TO_PORT", "0"),
        ("MAX_WAITING_REQUESTS", "-1"),
        ("MAX_FILE_BYTES", "huge"),
        ("MAX_AUDIO_SECONDS", "ten"),
        ("MAX_CHANNELS", "0"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(tmp_path: Path, name: str, value: str) -> None:
    with run_server(tmp_path, **{name: value}) as server:
        code = server.process.wait(PATIENCE_SECONDS)

    (sentence,) = server.log.read_text().splitlines()
    assert code == 1
    assert name in sentence
    assert repr(value) in sentence


def test_an_answer_is_not_held_back_for_an_acknowledgement() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(("127.0.0.1", listener.getsockname()[1])):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_ends_it_with_one_sentence(tmp_path: Path, server: Server) -> None:
    with run_server(tmp_path, SAGEMAKER_BIND_TO_PORT=str(server.port)) as second:
        code = second.process.wait(PATIENCE_SECONDS)

    (sentence,) = second.log.read_text().splitlines()
    assert code == 1
    assert f"Port {server.port} cannot be opened" in sentence
