"""The handlers that are compared, each with its own folder of packages and the model file that it loads."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environments import PEERS, peer_packages
from benchmarks.peers.handlers.handler_observations import OURS
from crossover.bench.probing import MODEL, inference_bundle
from crossover.errors import CrossoverError
from crossover.paths import sources
from model.in_own_environment import InstallError, python_with

USUAL, TFLITE = "usual", "tflite"
DESCRIPTIONS = {
    OURS: "standard_handler: soundfile and soxr, botocore, onnxruntime",
    USUAL: "librosa.load, boto3 client and resource, onnxruntime's default session",
    TFLITE: "the original TFLite file (8-bit activations) in ai-edge-litert; soundfile and soxr, boto3 clients",
}


@dataclass(frozen=True, kw_only=True)
class Implementation:
    """One handler.

    Attributes:
        name: `ours`, `usual` or `tflite`.
        handler: the module with its `handler`.
        folders: the folders that are first on its import path.
        model: the file that it loads.
    """

    name: str
    handler: str
    folders: tuple[Path, ...]
    model: Path

    @property
    def package_bytes(self) -> int:
        """The size of its folders, bytecode included, without the model."""
        files = [path for folder in self.folders for path in folder.rglob("*") if path.is_file()]
        return sum(path.stat().st_size for path in files)


def ours() -> Implementation:
    """The standard variant's handler, in the bundle that is deployed."""
    return Implementation(name=OURS, handler="standard_handler", folders=(inference_bundle(),), model=MODEL)


def usual() -> Implementation:
    """The usual implementation.

    Raises:
        CrossoverError: its packages cannot be installed.
    """
    return Implementation(name=USUAL, handler="usual_handler", folders=_folders("usual"), model=MODEL)


def tflite() -> Implementation:
    """The original model in its own interpreter.

    Raises:
        CrossoverError: its packages or the model cannot be installed.
    """
    return Implementation(name=TFLITE, handler="tflite_handler", folders=_folders("tflite"), model=_tflite_file())


def peers(progress: Callable[[str], None]) -> tuple[list[Implementation], dict[str, str]]:
    """All but ours.

    Returns:
        Those that are here or could be installed, and the reasons of the others by their names.
    """
    found, reasons = [], {}
    for name, make in {USUAL: usual, TFLITE: tflite}.items():
        progress(f"installing the packages of the peer {name}, in their own folder")
        try:
            found.append(make())
        except CrossoverError as error:
            reasons[name] = str(error)
    return found, reasons


def _folders(peer: str) -> tuple[Path, Path]:
    return PEERS / peer, peer_packages(peer)


def _tflite_file() -> Path:
    """YAMNet's TFLite file, from the environment that model.onnx is built in; its sha256 is checked there."""
    question = "import yamnet_tflite; print(yamnet_tflite.verified_file())"
    try:
        python = python_with(sources() / "model/requirements.txt")
        # With -c, the working directory is first on the import path.
        answer = subprocess.run([python, "-c", question], cwd=sources() / "model", capture_output=True, text=True)
    except (InstallError, OSError) as error:
        raise CrossoverError(f"YAMNet's TFLite file is not available: {' '.join(str(error).split())}") from error
    if answer.returncode:
        raise CrossoverError(f"YAMNet's TFLite file is not available: {answer.stderr.strip().splitlines()[-1]}")
    return Path(answer.stdout.strip())
