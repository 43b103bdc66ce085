"""A CPython 3.12 for arm64 that this machine runs in QEMU, to try what only Lambda's arm64 would run otherwise.

The interpreter is the one that freeze-core ships to make executables with, its libraries are Debian's for arm64, and
the standard library is that of this machine's Python 3.12.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from uv import find_uv_bin

from crossover.paths import cache

QEMU = "qemu-aarch64-static"  # Debian's package qemu-user-static
FREEZE_CORE = "freeze-core==0.8.1 --hash=sha256:ed0f3772acacb78ccf76386279f257e049239e0f0cb05b6f67a96ed15f2910a8"
LIBRARIES = ("libc6", "libgcc-s1", "libstdc++6", "zlib1g")  # those that manylinux wheels expect
NOT_FOR_ARM64 = {"lib-dynload", "site-packages", "__pycache__", "test"}
GRAVITON = """processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1
"""
"""/proc/cpuinfo of a function on arm64, from https://github.com/microsoft/onnxruntime/issues/10038."""
START = """
def run(name):
    import sys
    sys.argv = sys.argv[1:]
    exec(compile(sys.argv[0], "<argument>", "exec"), {"__name__": "__main__"})
"""


def missing() -> list[str]:
    """The programs that are needed and not installed."""
    return [name for name in (QEMU, "apt-get", "dpkg") if shutil.which(name) is None]


def arm64_python(host_python: Path) -> list[str]:
    """The command that runs the code that follows it; made once, in the cache folder.

    As in Lambda, the lists of processors in /sys cannot be read; older versions of onnxruntime crash there.
    """
    finished = cache() / "arm64-python-1"
    if not finished.is_dir():
        finished.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="arm64-python-", dir=finished.parent) as temporary:
            folder = Path(temporary, "arm64")
            folder.mkdir()
            _take_interpreter(folder)
            _take_libraries(folder)
            folder.rename(finished)
    version = "import os, sys; print(os.path.dirname(os.__file__))"
    standard = subprocess.check_output([host_python, "-I", "-c", version], text=True).strip()
    for path in Path(standard).iterdir():
        target = finished / "lib" / path.name
        if path.name not in NOT_FOR_ARM64 and not target.exists():
            target.unlink(missing_ok=True)  # a link to a Python that is gone
            target.symlink_to(path)
    libraries = f"LD_LIBRARY_PATH={finished}/freeze/freeze_core.libs"
    return [QEMU, "-L", f"{finished}/root", "-E", libraries, f"{finished}/arm64python"]


def _take_interpreter(folder: Path) -> None:
    requirement = folder / "requirements.txt"
    requirement.write_text(FREEZE_CORE)
    target = ["--python-version", "3.12", "--python-platform", "aarch64-manylinux_2_28", "--python", sys.executable]
    rules = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--target", str(folder / "freeze")]
    subprocess.run([find_uv_bin(), "pip", "install", "-q", *target, *rules, "-r", str(requirement)], check=True)
    core = folder / "freeze/freeze_core"
    shutil.copy(core / "bases/console-cpython-312-aarch64-linux-gnu", folder / "arm64python")
    (folder / "arm64python").chmod(0o755)
    (folder / "lib").mkdir()
    for module in (core / "lib").glob("*.so"):
        shutil.copy(module, folder / "lib")
    (folder / "lib/__init__arm64python.py").write_text(START)  # the interpreter starts the module of its own name


def _take_libraries(folder: Path) -> None:
    """Debian's packages, by lists of their own: the machine's own apt stays as it is."""
    apt = folder / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True)
    options = [
        *("-o", "APT::Architecture=arm64", "-o", "APT::Architectures=arm64", "-o", "APT::Sandbox::User=root"),
        *("-o", f"Dir::State::lists={apt}/lists", "-o", f"Dir::Cache={apt}/cache"),
    ]
    subprocess.run(["apt-get", *options, "-qq", "update"], check=True)
    subprocess.run(["apt-get", *options, "-qq", "download", *LIBRARIES], check=True, cwd=apt)
    for package in apt.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, folder / "root"], check=True)
    shutil.rmtree(apt)
    (folder / "root/proc").mkdir()
    (folder / "root/proc/cpuinfo").write_text(GRAVITON)
    processors = folder / "root/sys/devices/system/cpu"
    processors.mkdir(parents=True)
    for name in ("possible", "present"):
        (processors / name).touch()
