"""A base image made on this machine, for one without a registry: Debian by debootstrap, and a CPython of this machine.

It shows that the Dockerfile's steps work and that the image runs; it is not the official base image. It trusts the
certificates that this machine trusts, and its pip asks the same index, because the build runs in the same network.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossover.bundling.find_python import find_python
from crossover.errors import CrossoverError

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


def find(engine: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """The name of the base, if it has been made."""
    name = _name()
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


def create(engine: Sequence[str], environment: Mapping[str, str]) -> str:
    """Make it, which takes a minute, and import it into the engine; returns its name.

    Raises:
        CrossoverError: this machine lacks something, or a step failed.
    """
    name, python = _name(), find_python(PYTHON)
    if name is None or python is None or missing():
        raise CrossoverError(f"no base image could be made: {missing()}")
    with tempfile.TemporaryDirectory(prefix="crossover-base-") as folder:
        root, archive = Path(folder, "root"), Path(folder, "base.tar")
        _run(["debootstrap", "--variant=minbase", f"--include={','.join(LIBRARIES)}", SUITE, str(root)])
        _copy_python(python, root / "usr/local")
        (root / CERTIFICATES.lstrip("/")).write_bytes(_certificates())
        (root / "etc/pip.conf").write_text(_pip_settings())
        # Every MB is compressed with each push to an emulator.
        leave_out = [f"--exclude=./{folder}/*" for folder in UNUSED]
        _run(["tar", "--directory", str(root), *leave_out, "--create", "--file", str(archive), "."])
        _run([*engine, "import", "--quiet", str(archive), name], environment)
    return name


def _name() -> str | None:
    """It changes with what the base is made of; None without a CPython."""
    python = find_python(PYTHON)
    if python is None:
        return None
    made_of = " ".join([SUITE, *LIBRARIES, *LEFT_OUT, *UNUSED, str(python.resolve()), _pip_settings()])
    return f"localhost/crossover-base:{hashlib.sha256(made_of.encode() + _certificates()).hexdigest()[:16]}"


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
