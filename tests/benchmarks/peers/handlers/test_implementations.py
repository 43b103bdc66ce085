"""The peers: their packages, and that a missing one is reported with its reason and does not end the run."""

import sys
from pathlib import Path

import pytest

from benchmarks.peers.handlers import implementations
from benchmarks.peers.handlers.implementations import Implementation
from crossover.errors import CrossoverError
from model.in_own_environment import InstallError


def refuse(reason: str) -> None:
    raise CrossoverError(reason)


def test_reports_why_a_peer_cannot_be_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[str] = []
    monkeypatch.setattr(
        implementations, "peer_packages", lambda peer: tmp_path if peer == "usual" else refuse("No such wheel.")
    )
    found, reasons = implementations.peers(said.append)
    assert [implementation.name for implementation in found] == ["usual"]
    assert reasons == {"tflite": "No such wheel."}
    assert len(said) == 2


def test_a_handlers_folder_precedes_its_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(implementations, "peer_packages", lambda peer: tmp_path / peer)
    handler, packages = implementations.usual().folders
    assert (handler / "usual_handler.py").is_file()
    assert packages == tmp_path / "usual"


def test_a_package_is_as_large_as_all_its_files(tmp_path: Path) -> None:
    for name, size in (("one/a", 3), ("one/deep/b", 4), ("two/c", 5)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    implementation = Implementation(
        name="s", handler="h", folders=(tmp_path / "one", tmp_path / "two"), model=tmp_path / "two/c"
    )
    assert implementation.package_bytes == 12


def test_a_model_that_cannot_be_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> Path:
        raise InstallError("uv failed:\nno network")

    monkeypatch.setattr(implementations, "python_with", fail)
    with pytest.raises(CrossoverError, match=r"^YAMNet's TFLite file is not available: uv failed: no network$"):
        implementations._tflite_file()


def test_a_model_that_is_not_the_expected_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        implementations, "python_with", lambda _: Path(sys.executable)
    )  # which has no tflite to read it with
    with pytest.raises(
        CrossoverError, match=r"^YAMNet's TFLite file is not available: ModuleNotFoundError: .*'tflite'$"
    ):
        implementations._tflite_file()
