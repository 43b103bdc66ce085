"""The environments that peers run in: each one's locked packages in its own folder in the cache."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from uv import find_uv_bin

from crossover.bench.probing import bundle_python
from crossover.errors import CrossoverError
from crossover.paths import cache, sources

PEERS = Path(__file__).parent
CACHE = cache() / "peers"
CONTAINER_LOCK = sources() / "sagemaker_container/requirements.txt"


def container_python() -> Path:
    """The interpreter of an environment with the packages that the container's image installs.

    Raises:
        CrossoverError: the packages cannot be installed.
    """
    return _python_with("container", CONTAINER_LOCK)


def peer_python(peer: str) -> Path:
    """The interpreter of a peer's own environment, with its commands and bytecode; made once per version of its lock.

    Args:
        peer: a folder of `benchmarks/peers` with a requirements.txt.

    Raises:
        CrossoverError: the packages cannot be installed.
    """
    return _python_with(peer, PEERS / peer / "requirements.txt")


def peer_packages(peer: str) -> Path:
    """The folder with the packages that a peer's handler imports, bytecode included; made once per version of its lock.

    Args:
        peer: a folder of `benchmarks/peers` with a requirements.txt.

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
    complete = folder / "complete"  # a marker, because commands in the environment name its folder: no renaming
    if not complete.exists():
        _uv(name, "venv", "--clear", "--python", str(bundle_python()), str(folder))
        _uv(name, "pip", "sync", "--require-hashes", "--compile-bytecode", "--python", str(folder), str(lock))
        complete.touch()
    return folder / "bin/python"


def _uv(name: str, *arguments: str) -> None:
    answer = subprocess.run([find_uv_bin(), *arguments, "--quiet"], capture_output=True, text=True)
    if answer.returncode:
        raise CrossoverError(f"The environment of {name} cannot be made: {' '.join(answer.stderr.split())}")
