"""A container as a process, with a server of a few lines."""

import sys
from pathlib import Path

import pytest

from crossover.local.container import Container, ContainerError, InvocationError, entry_point
from tests.server_script import server_script

SERVER = server_script("""
def respond(body, headers):
    model = ",".join(os.listdir(os.environ["MODEL_DIR"]))
    return int(headers.get("Accept", 200)), f"{body.decode()} {model} {sys.argv[1]}".encode()
""")


def start(folder: Path, server: str) -> Container:
    (folder / "app").mkdir()
    (folder / "app" / "serve").write_text(server)
    (folder / "app" / "Dockerfile").write_text('FROM python\nENTRYPOINT ["python", "app/serve"]\nCMD ["something"]\n')
    model_folder = folder / "model"
    model_folder.mkdir()
    (model_folder / "model.onnx").touch()
    return Container.start(
        entry_point(folder / "app" / "Dockerfile", sys.executable),
        folder=folder,
        model_folder=model_folder,
        environment={"MODEL_DIR": str(model_folder)},
        log=folder / "container.log",
    )


def test_the_entry_point_serves_with_sagemakers_argument_and_the_model_in_its_folder(tmp_path: Path) -> None:
    container = start(tmp_path, SERVER)
    assert container.invoke(b"audio", {"content-type": "audio/wav"}) == ("text/plain", b"audio model.onnx serve")
    container.stop()
    assert container.process.returncode is not None
    assert not container.model_folder.exists()


def test_an_error_of_the_container_keeps_its_status_and_body(tmp_path: Path) -> None:
    container = start(tmp_path, SERVER)
    with pytest.raises(InvocationError) as failure:
        container.invoke(b"noise", {"accept": "422"})
    container.stop()
    assert (failure.value.status, failure.value.message) == (422, "noise model.onnx serve")


def test_no_answer_is_an_error_without_a_status(tmp_path: Path) -> None:
    container = start(tmp_path, SERVER)
    container.stop()
    with pytest.raises(InvocationError) as failure:
        container.invoke(b"audio", {})
    assert failure.value.status == 0


def test_a_server_that_ends_immediately_shows_its_output(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match=r"^The container ended with code 7: no model here$"):
        start(tmp_path, "print('no model here'); raise SystemExit(7)")


def test_a_dockerfile_without_an_entry_point_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\nENTRYPOINT python serve\n")
    with pytest.raises(ContainerError, match="has no line ENTRYPOINT"):
        entry_point(tmp_path / "Dockerfile", sys.executable)
