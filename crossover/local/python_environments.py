"""The local AWS's own Python environments: the emulator's, which runs the functions too, and the containers'.

They are apart from the project's: ministack pins an older boto3, and a container runs on the lock of its image. Their
interpreter is Python 3.12, as in Lambda and in the image, wherever there is one. They are in the user's cache folder,
made once for each lock and interpreter.
"""

import contextlib
import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossover.bundling.find_python import find_python
from crossover.local.commands import Commands
from crossover.paths import cache, sources

LAMBDA_PYTHON = "3.12"
EMULATOR_LOCK = Path(__file__).with_name("requirements.txt")
INSTALL_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """The Python that runs the functions.

    Attributes:
        path: its executable.
        version: as in "3.12".
    """

    path: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Environments:
    """The executables of the two environments.

    Attributes:
        emulator: runs the emulator and the functions.
        containers: runs the containers' servers.
        version: of Python, as in "3.12".
    """

    emulator: str
    containers: str
    version: str


def find_interpreter() -> Interpreter:
    """Python 3.12 where there is one, else the interpreter of this process."""
    found = find_python(LAMBDA_PYTHON)
    if found is not None:
        return Interpreter(path=str(found), version=LAMBDA_PYTHON)
    return Interpreter(path=sys.executable, version=f"{sys.version_info.major}.{sys.version_info.minor}")


def create(interpreter: Interpreter, commands: Commands) -> Environments:
    """Make the environments that are not in the cache.

    Raises:
        CrossoverError: uv could not install one.
    """
    return Environments(
        emulator=_create("emulator", [EMULATOR_LOCK], interpreter, commands),
        containers=_create("container", container_locks(), interpreter, commands),
        version=interpreter.version,
    )


def container_locks() -> list[Path]:
    """What containers need, whatever kind of input their models take."""
    kinds = (sources() / "lambda_src").glob("requirements-*.in")
    common = ("requirements-inference.in", "requirements-proxy.in")
    return [
        sources() / "sagemaker_container/requirements.txt",
        *sorted(path.with_suffix(".txt") for path in kinds if path.name not in common),
    ]


def _create(name: str, locks: Sequence[Path], interpreter: Interpreter, commands: Commands) -> str:
    """The executable of the environment with what the locks name, made unless it is in the cache already.

    It is complete once its file `complete` is there: an interrupted installation starts again. Other processes that
    want the same one wait meanwhile. It is not built elsewhere and renamed, because its commands name its folder.
    """
    needed = [f"{interpreter.path} {interpreter.version}\n".encode(), *(lock.read_bytes() for lock in locks)]
    key = hashlib.sha256(b"".join(needed)).hexdigest()[:16]
    folder = cache() / "environments" / f"{name}-{key}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if complete.is_file() and python.exists():  # exists() follows the link: the interpreter may have been uninstalled
        return str(python)
    from uv import find_uv_bin

    uv = str(find_uv_bin())
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    with _exclusive(folder) as lock_file:
        if not (complete.is_file() and python.exists()):
            # Without dependencies: the lock is complete, for another version of Python too as far as that goes.
            install = ["pip", "install", "--python", str(folder), "--require-hashes", "--no-deps"]
            install += [argument for lock in locks for argument in ("-r", str(lock))]
            for step, arguments in {
                f"{name} environment": ["venv", "--clear", "--python", interpreter.path, str(folder)],
                f"{name} installation": install,
            }.items():
                commands.start(
                    step,
                    [uv, *arguments],
                    environment=environment,
                    folder=folder.parent,
                    seconds=INSTALL_SECONDS,
                    keep_open=[lock_file],  # if this process is killed, the lock is held until uv has ended
                ).wait()
            complete.touch()
    return str(python)


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[int]:
    """Wait until no other process makes this environment."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock_file = os.open(f"{folder}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield lock_file
    finally:
        os.close(lock_file)
