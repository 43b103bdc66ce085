"""What a measurement runs in: the bundles as they are deployed, and the peers' packages in a folder of their own."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from uv import find_uv_bin

from crossover.bundling.cache import build_bundle
from crossover.bundling.find_python import find_python
from crossover.bundling.recipe import Bundle
from crossover.errors import CrossoverError
from crossover.paths import cache, sources

BUNDLE_PYTHON = "3.12"
PEERS = Path(__file__).parents[2] / "benchmarks/peers"
CACHE = cache() / "peers"
CONTAINER_LOCK = sources() / "sagemaker_container/requirements.txt"


def bundle_python() -> Path:
    """An interpreter of the version that Lambda runs.

    Raises:
        CrossoverError: there is none on this machine.
    """
    python = find_python(BUNDLE_PYTHON)
    if python is None:
        raise CrossoverError(f"The benchmark needs Python {BUNDLE_PYTHON}, the handlers' version; none was found here.")
    return python


def inference_bundle() -> Path:
    """The Lambda variants' unpacked bundle."""
    return build_bundle(Bundle.INFERENCE, python_version=BUNDLE_PYTHON)


def proxy_bundle() -> Path:
    """The SageMaker proxy's unpacked bundle."""
    return build_bundle(Bundle.PROXY, python_version=BUNDLE_PYTHON)


def container_python() -> Path:
    """The interpreter of an environment with what the container's image installs.

    Raises:
        CrossoverError: the packages cannot be installed.
    """
    return _python_with("container", CONTAINER_LOCK)


def peer_python(peer: str) -> Path:
    """The interpreter of a peer's own environment, commands and bytecode included; made once for each version of its
    lock.

    Args:
        peer: a folder of `peers/` with a requirements.txt.

    Raises:
        CrossoverError: the packages cannot be installed.
    """
    return _python_with(peer, PEERS / peer / "requirements.txt")


def peer_packages(peer: str) -> Path:
    """The folder with what a peer's handler imports, bytecode included; installed once for each version of its lock.

    Args:
        peer: a folder of `peers/` with a requirements.txt.

    Raises:
        CrossoverError: the packages cannot be installed.
    """
    lock = PEERS / peer / "requirements.txt"
    folder = CACHE / f"{peer}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    install = ["pip", "install", "--require-hashes", "--only-binary", ":all:", "--compile-bytecode"]
    where = ["--python", str(bundle_python()), "--target", str(unfinished), "--requirement", str(lock)]
    _uv(peer, *install, *where)
    unfinished.rename(folder)
    return folder


def _python_with(name: str, lock: Path) -> Path:
    folder = CACHE / f"{name}-python-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    complete = folder / "complete"  # not renamed when done, as peer_packages is: its commands name the folder
    if not complete.exists():
        _uv(name, "venv", "--clear", "--python", str(bundle_python()), str(folder))
        _uv(name, "pip", "sync", "--require-hashes", "--compile-bytecode", "--python", str(folder), str(lock))
        complete.touch()
    return folder / "bin/python"


def _uv(name: str, *arguments: str) -> None:
    answer = subprocess.run([find_uv_bin(), *arguments, "--quiet"], capture_output=True, text=True)
    if answer.returncode:
        raise CrossoverError(f"The environment of {name} cannot be made: {' '.join(answer.stderr.split())}")
