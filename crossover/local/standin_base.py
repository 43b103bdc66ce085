"""Base images made on this machine, for one without a registry: Debian by debootstrap, and a CPython of this machine.

That of Lambda has AWS's runtime interface client on top of it. They show that the Dockerfiles' steps work and that the
images run; they are not the official base images. They trust the certificates that this machine trusts, and their pip
asks the same index, because the build runs in the same network.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossover.bundling.find_python import find_python
from crossover.errors import CrossoverError
from crossover.local.python_environments import EMULATOR_LOCK

SUITE = "bookworm"  # as the Dockerfile's base
PYTHON = "3.12"
# What a CPython that was built on Debian is linked with.
LIBRARIES = (
    "ca-certificates",
    "libbz2-1.0",
    "libexpat1",
    "libffi8",
    "liblzma5",
    "libncursesw6",
    "libreadline8",
    "libsqlite3-0",
    "libssl3",
    "zlib1g",
)
# Not needed by a server, and two thirds of an installation. pip is installed from ensurepip.
LEFT_OUT = ("EXTERNALLY-MANAGED", "__pycache__", "config-*", "idlelib", "site-packages", "test", "tkinter", "*.a")
UNUSED = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "var/cache/apt", "var/lib/apt/lists")
SECONDS = 600
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
LAMBDA = "public.ecr.aws/lambda/python"
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
# What Lambda's base adds: the client and its entry point, which takes the handler's name.
LAMBDA_DOCKERFILE = """
FROM {base}
COPY requirements.txt /tmp/
RUN pip install --no-cache-dir --no-deps --require-hashes --target /var/runtime -r /tmp/requirements.txt \\
    && ln -s python /usr/local/bin/python3
COPY --chmod=755 lambda-entrypoint.sh /
ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime
WORKDIR /var/task
ENTRYPOINT ["/lambda-entrypoint.sh"]
"""
ENTRY_POINT = """#!/bin/sh
export _HANDLER="$1"
PYTHONPATH=/var/runtime exec python -m awslambdaric "$_HANDLER"
"""


def find(base: str, engine: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """The name of the image that takes the place of a base, if it has been made."""
    name = _name(base)
    if name is None:
        return None
    found = subprocess.run([*engine, "image", "inspect", name], env=environment, capture_output=True, check=False)
    return name if found.returncode == 0 else None


def missing() -> str:
    """What this machine lacks to make it; empty if nothing."""
    if find_python(PYTHON) is None:
        return f"there is no CPython {PYTHON} on this machine"
    if os.geteuid() != 0:
        return "only root can make a base image"
    return "" if shutil.which("debootstrap") else "Debian's package debootstrap is not installed"


def create(base: str, engine: Sequence[str], environment: Mapping[str, str]) -> str:
    """Make the image that takes the place of a base, which takes a minute, in the engine; returns its name.

    Raises:
        CrossoverError: this machine lacks something, or a step failed.
    """
    name, python = _name(base), find_python(PYTHON)
    if name is None or python is None or missing():
        raise CrossoverError(f"no base image could be made: {missing()}")
    with tempfile.TemporaryDirectory(prefix="crossover-base-") as folder:
        if _is_lambdas(base):
            below = find("", engine, environment) or create("", engine, environment)
            _build_lambdas(name, below, Path(folder), engine, environment)
        else:
            _import(name, python, Path(folder), engine, environment)
    return name


def _import(name: str, python: Path, folder: Path, engine: Sequence[str], environment: Mapping[str, str]) -> None:
    root, archive = folder / "root", folder / "base.tar"
    _run(["debootstrap", "--variant=minbase", f"--include={','.join(LIBRARIES)}", SUITE, str(root)])
    _copy_python(python, root / "usr/local")
    (root / CERTIFICATES.lstrip("/")).write_bytes(_certificates())
    (root / "etc/pip.conf").write_text(_pip_settings())
    # Every MB is compressed with each push to an emulator.
    leave_out = [f"--exclude=./{folder}/*" for folder in UNUSED]
    _run(["tar", "--directory", str(root), *leave_out, "--create", "--file", str(archive), "."])
    _run([*engine, "import", "--quiet", str(archive), name], environment)


def _build_lambdas(name: str, below: str, folder: Path, engine: Sequence[str], environment: Mapping[str, str]) -> None:
    (folder / "Dockerfile").write_text(LAMBDA_DOCKERFILE.format(base=below))
    (folder / "lambda-entrypoint.sh").write_text(ENTRY_POINT)
    (folder / "requirements.txt").write_text(_runtime_client())
    _run([*engine, "build", "--quiet", "--isolation", "chroot", "--tag", name, str(folder)], environment)


def _is_lambdas(base: str) -> bool:
    return base.startswith(LAMBDA)


def _runtime_client() -> str:
    """The lines of the emulator's lock that install the client."""
    locked = re.findall(r"^([\w-]+)(==(?:.*\\\n)*.*\n)", EMULATOR_LOCK.read_text(), flags=re.MULTILINE)
    return "".join(name + rest for name, rest in locked if name in RUNTIME_CLIENT)


def _name(base: str) -> str | None:
    """It changes with what the image is made of; None without a CPython."""
    python = find_python(PYTHON)
    if python is None:
        return None
    made_of = " ".join([SUITE, *LIBRARIES, *LEFT_OUT, *UNUSED, str(python.resolve()), _pip_settings()])
    digest = hashlib.sha256(made_of.encode() + _certificates())
    if not _is_lambdas(base):
        return f"localhost/crossover-base:{digest.hexdigest()[:16]}"
    digest.update("".join([LAMBDA_DOCKERFILE, ENTRY_POINT, _runtime_client()]).encode())
    return f"localhost/crossover-lambda-base:{digest.hexdigest()[:16]}"


def _certificates() -> bytes:
    file = Path(os.environ.get("SSL_CERT_FILE") or CERTIFICATES)
    return file.read_bytes() if file.is_file() else b""


def _pip_settings() -> str:
    index = os.environ.get("PIP_INDEX_URL")
    return f"[global]\ncert = {CERTIFICATES}\n" + (f"index-url = {index}\n" if index else "")


def _copy_python(python: Path, target: Path) -> None:
    """Copy an installation of CPython, and give it pip."""
    question = "import sys; print(sys.base_prefix)"
    prefix = Path(_run([str(python), "-I", "-c", question]).strip())
    name = f"python{PYTHON}"
    leave_out = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(prefix / "lib" / name, target / "lib" / name, symlinks=True, ignore=leave_out)
    for library in (prefix / "lib").glob(f"libpython{PYTHON}.so*"):
        shutil.copy2(library, target / "lib", follow_symlinks=False)
    shutil.copy2(prefix / "bin" / name, target / "bin")
    (target / "bin" / "python").symlink_to(name)
    chroot = ["chroot", str(target.parents[1])]
    _run([*chroot, "ldconfig"])
    _run([*chroot, f"/usr/local/bin/python{PYTHON}", "-m", "ensurepip", "--default-pip"])


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    try:
        answer = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CrossoverError(f"no base image could be made: {error}") from error
    if answer.returncode != 0:
        last = (answer.stdout.strip().splitlines() or ["it printed nothing"])[-1]
        raise CrossoverError(f"no base image could be made: {command[0]} failed: {last}")
    return answer.stdout
