"""This machine, on which a measurement is made, without anything that would identify its owner."""

import os
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import TypedDict

from crossover.bench.probing import bundle_python, inference_bundle

PACKAGES = ("onnxruntime", "numpy", "soundfile", "av", "soxr", "pillow", "botocore")
CPUINFO = Path("/proc/cpuinfo")


class Machine(TypedDict):
    """What affects the figures measured on a machine.

    `processor` is its model, `processors` the number that this process may run on, `memory_mb` in 2^20 bytes, `python`
    the handlers' version, `packages` the versions in the bundle, `load_average` the runnable processes over the last 1,
    5 and 15 minutes, which shows other load.
    """

    processor: str
    processors: int
    memory_mb: int
    kernel: str
    python: str
    packages: dict[str, str]
    load_average: list[float]


def describe(kind: str = "audio") -> Machine:
    """What affects the figures measured on this machine, with the handlers for a kind of input.

    Raises:
        CrossoverError: this machine has no Python of the handlers' version.
    """
    load = [round(each, 2) for each in os.getloadavg()]  # first, before a bundle is made
    return {
        "processor": processor_model(CPUINFO.read_text() if CPUINFO.exists() else ""),
        "processors": processors(),
        "memory_mb": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": _version_of(bundle_python()),
        "packages": versions_in(inference_bundle(kind)),
        "load_average": load,
    }


def processors() -> int:
    """How many processors this process may run on; all of them where the system does not report that (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_model(cpuinfo: str) -> str:
    """The model name in Linux's /proc/cpuinfo; else the architecture."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def versions_in(folder: Path) -> dict[str, str]:
    """The versions in a bundle of the packages that affect latency; one that it does not hold is left out."""
    found = {each.name: each.version for each in distributions(path=[str(folder)])}
    return {name: found[name] for name in PACKAGES if name in found}


def _version_of(python: Path) -> str:
    """Such as 3.12.1; this process may run another version."""
    code = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout.strip()
