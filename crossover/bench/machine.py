"""The machine that a measurement was made on, without what would tell whose it is."""

import os
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from crossover.bench.probing import bundle_python, inference_bundle

PACKAGES = ("onnxruntime", "numpy", "soundfile", "soxr", "botocore")
CPUINFO = Path("/proc/cpuinfo")


def describe() -> dict[str, Any]:
    """What figures of this machine hang on.

    Returns:
        `processor`, its model; `processors`, how many this process may run on; `memory_mb`, in 2^20 bytes; `kernel`;
        `python`, of the handlers; `packages`, their versions in the bundle; `load_average`, runnable processes over the
        last 1, 5 and 15 minutes: what else ran here when this was asked.

    Raises:
        CrossoverError: there is no Python of the handlers' version here.
    """
    load = [round(each, 2) for each in os.getloadavg()]  # first, before a bundle is made
    return {
        "processor": processor_model(CPUINFO.read_text() if CPUINFO.exists() else ""),
        "processors": processors(),
        "memory_mb": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": _version_of(bundle_python()),
        "packages": versions_in(inference_bundle()),
        "load_average": load,
    }


def processors() -> int:
    """How many this process may run on; where the system cannot say (macOS), how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_model(cpuinfo: str) -> str:
    """The model that Linux names in /proc/cpuinfo; else the architecture."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def versions_in(folder: Path) -> dict[str, str]:
    """Of the packages that a prediction's time hangs on, in a bundle; what it does not hold is left out."""
    found = {each.name: each.version for each in distributions(path=[str(folder)])}
    return {name: found[name] for name in PACKAGES if name in found}


def _version_of(python: Path) -> str:
    """Such as 3.12.1; not this process's own, which may be another."""
    code = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout.strip()
