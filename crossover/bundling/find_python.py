"""Finds a CPython of a wanted version: `python3 find_python.py 3.12` prints its path, or exits with 1.

The bundle's bytecode and the local AWS need the interpreter version that Lambda runs. The Makefile calls this file
before any environment exists, so it needs nothing but the standard library of Python 3.11.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ANSWER_SECONDS = 20.0
"""How long an interpreter may take to report its version: a cold disk is slow, a hanging shim must not block."""


@cache
def find_python(version: str) -> Path | None:
    """The first working interpreter of `version` ("3.12"), or None.

    Looked at in this order: the running interpreter, PATH, pyenv's versions, uv's managed interpreters. A candidate
    counts only when it runs and reports that it is a plain CPython (no debug or free-threaded build) of that version:
    pyenv's shims, for example, are on PATH and fail unless their version is selected. Raises ValueError as
    check_version does.
    """
    check_version(version)
    return next((path for path in _candidates(version) if _is_python(path, version)), None)


def check_version(version: str) -> None:
    """Raises ValueError unless `version` has the form "3.12"."""
    if not re.fullmatch(r"3\.\d{1,2}", version):
        raise ValueError(f"The Python version must have the form 3.12, but it is {version!r}.")


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    for folder in os.get_exec_path():
        yield Path(folder, f"python{version}")
    for pyenv in _pyenv_roots():
        yield from _newest_first(pyenv / "versions", rf"{re.escape(version)}\.\d+")
    for managed in _uv_folders():
        yield from _newest_first(managed, rf"cpython-{re.escape(version)}\.\d+-.*")


def _pyenv_roots() -> Iterator[Path]:
    if "PYENV_ROOT" in os.environ:
        yield Path(os.environ["PYENV_ROOT"])
    for home in _homes():
        yield home / ".pyenv"
    answer = _run("pyenv", "root")
    if answer:
        yield Path(answer)


def _uv_folders() -> Iterator[Path]:
    if "UV_PYTHON_INSTALL_DIR" in os.environ:
        yield Path(os.environ["UV_PYTHON_INSTALL_DIR"])
    if os.environ.get("XDG_DATA_HOME"):
        yield Path(os.environ["XDG_DATA_HOME"]) / "uv" / "python"
    else:
        for home in _homes():
            yield home / ".local" / "share" / "uv" / "python"


def _homes() -> Iterator[Path]:
    """The user's home folder; none for a user without one, as in a container that runs under a number."""
    with contextlib.suppress(RuntimeError):
        yield Path.home()


def _newest_first(folder: Path, pattern: str) -> list[Path]:
    try:
        installed = [entry for entry in folder.iterdir() if re.fullmatch(pattern, entry.name)]
    except OSError:  # it is not there, or another user's
        return []
    installed.sort(key=lambda entry: [int(number) for number in re.findall(r"\d+", entry.name)], reverse=True)
    return [entry / "bin" / "python" for entry in installed]


def _is_python(path: Path, version: str) -> bool:
    try:
        if not path.is_file():
            return False
    except OSError:  # in another user's folder
        return False
    question = "import sys; print('%s %d.%d%s' % (sys.implementation.name, *sys.version_info[:2], sys.abiflags))"
    return _run(str(path), "-I", "-c", question) == f"cpython {version}"


def _run(*command: str) -> str | None:
    """What the command printed, or None if it is missing, fails or hangs."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def _main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: find_python.py VERSION", file=sys.stderr)
        return 2
    try:
        found = find_python(arguments[0])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if found is None:
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
