"""From start to stop: loading, overload, SIGTERM, and errors at start."""

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inference.model import ModelError
from sagemaker_container.server import SettingError, Settings, listen, load_predictors

from .conftest import MAX_WAITING, MODEL, PATIENCE_SECONDS, SPEECH, HeldRequest, Server, run_server

pytestmark = pytest.mark.slow  # a server for each test


def places(server: Server) -> int:
    """Requests that the server admits at once."""
    (ready,) = server.records("ready")
    total: int = ready["processors"] + ready["max_waiting"]
    return total


def test_the_port_is_open_while_the_model_loads_and_ping_reports_readiness(tmp_path: Path) -> None:
    pipe = tmp_path / "model.onnx"
    os.mkfifo(pipe)  # a model file that takes as long to read as the test needs
    with run_server(tmp_path, model_dir=tmp_path) as server:
        server.wait_for_ping(503)
        early = server.predict(SPEECH.read_bytes())
        pipe.write_bytes(MODEL.read_bytes())
        server.wait_for_ping(200)
        late = server.predict(SPEECH.read_bytes())

    assert (early.status, early.error_code) == (503, "MODEL_LOADING")
    assert late.status == 200


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A ready server with so few places that a test can fill them."""
    with run_server(tmp_path_factory.mktemp("small"), MAX_WAITING_REQUESTS=str(MAX_WAITING)) as server:
        server.wait_for_ping(200)
        yield server


def test_a_full_queue_refuses_immediately_and_recovers(small_server: Server) -> None:
    speech = SPEECH.read_bytes()
    held = [HeldRequest(small_server, speech) for _ in range(places(small_server))]
    refused = [small_server.predict(speech), small_server.predict_object(bucket="uploads", key="file")]
    ping = small_server.request("GET", "/ping")
    admitted = [request.finish() for request in held]

    assert [(answer.status, answer.error_code) for answer in refused] == [(503, "OVERLOADED")] * 2
    assert ping.status == 200
    assert set(admitted) == {200}
    assert small_server.predict(speech).status == 200


def test_more_clients_than_places_are_all_answered(small_server: Server) -> None:
    speech = SPEECH.read_bytes()
    statuses: list[int] = []
    clients = [
        threading.Thread(target=lambda: statuses.append(small_server.predict(speech).status))
        for _ in range(4 * places(small_server))
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()

    assert len(statuses) == len(clients)
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 1
    assert small_server.predict(speech).status == 200


def test_waiting_requests_are_bounded_in_bytes_too(tmp_path: Path) -> None:
    speech = SPEECH.read_bytes()
    with run_server(tmp_path, MAX_FILE_BYTES=str(len(speech))) as server:
        server.wait_for_ping(200)
        held = [HeldRequest(server, speech) for _ in range(3)]  # half a file each; two whole files may be held
        refused = server.predict(speech)
        for request in held:
            request.abandon()
        after = server.predict(speech)

    assert (refused.status, refused.error_code) == (503, "OVERLOADED")
    assert after.status == 200


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_running_request_is_finished_before_the_server_stops(tmp_path: Path, stop: signal.Signals) -> None:
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


def test_an_idle_server_stops_immediately_with_success_and_has_written_nothing_to_disk(tmp_path: Path) -> None:
    # onnxruntime's telemetry would write an identifier of this machine, and what it has not sent yet.
    home = tmp_path / "home"
    home.mkdir()
    with run_server(tmp_path, HOME=str(home), XDG_CACHE_HOME="", CI="") as server:
        server.wait_for_ping(200)
        with socket.create_connection(("127.0.0.1", server.port)):  # idle
            server.predict(SPEECH.read_bytes())  # by when the idle connection is accepted
            code = server.stop()

    assert code == 0
    assert "Traceback" not in server.log.read_text()
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


def create_a_folder_named_like_a_model(folder: Path) -> None:
    (folder / "model.onnx").mkdir()


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (remove_the_folder, "models does not exist"),
        (write_nothing, "exactly one .onnx file; it contains none"),
        (copy_two_models, "exactly one .onnx file; it contains a.onnx, b.onnx"),
        (write_garbage, "is no ONNX file"),
        (write_half_a_model, "is no ONNX file"),
        (create_a_folder_named_like_a_model, "model.onnx"),
    ],
)
def test_a_model_that_cannot_be_served_is_refused_with_the_reason(
    tmp_path: Path, prepare: Callable[[Path], None], words: str
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    prepare(folder)

    with pytest.raises((SettingError, ModelError, OSError), match=words):
        load_predictors(Settings.from_environment({"MODEL_DIR": str(folder)}))


def test_without_a_usable_model_it_exits_with_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    write_garbage(folder)

    with run_server(tmp_path, model_dir=folder) as server:
        code = server.process.wait(PATIENCE_SECONDS)

    (sentence,) = server.log.read_text().splitlines()
    assert code == 1
    assert "is no ONNX file" in sentence


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
def test_a_wrong_setting_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is {value!r}"):
        Settings.from_environment({name: value})


def test_with_a_wrong_setting_it_exits_with_one_sentence(tmp_path: Path) -> None:
    with run_server(tmp_path, MAX_CHANNELS="0") as server:
        code = server.process.wait(PATIENCE_SECONDS)

    (sentence,) = server.log.read_text().splitlines()
    assert code == 1
    assert sentence == "MAX_CHANNELS is '0'; a whole number above 0 is allowed."


def test_an_answer_does_not_wait_for_an_acknowledgement() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(("127.0.0.1", listener.getsockname()[1])):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_in_use_makes_it_exit_with_one_sentence(tmp_path: Path, server: Server) -> None:
    with run_server(tmp_path, SAGEMAKER_BIND_TO_PORT=str(server.port)) as second:
        code = second.process.wait(PATIENCE_SECONDS)

    (sentence,) = second.log.read_text().splitlines()
    assert code == 1
    assert f"Port {server.port} cannot be opened" in sentence
