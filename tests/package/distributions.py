"""Builds the project's distributions, and installs the wheel in environments of their own."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
UV = str(find_uv_bin())


def build(target: Literal["wheel", "sdist"], folder: Path, *, source: Path = ROOT) -> Path:
    """The distribution, made in `folder` of the sources in `source` by the locked hatchling."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [made] = folder.iterdir()
    return made


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An environment with the wheel in it.

    Attributes:
        folder: of the environment.
        home: stands in for the user's; the caches are in it.
    """

    folder: Path
    home: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        [found] = self.folder.glob("lib/python*/site-packages")
        return found

    def environment(self, **changes: str) -> dict[str, str]:
        """The caller's without what belongs to its own project or AWS account, and with a home of its own."""
        of_others = ("AWS_", "CDK_", "CROSSOVER_", "JSII_", "PYTHON", "VIRTUAL_ENV", "XDG_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(of_others)}
        # Without the project's own environment, which the Makefile puts first.
        path = [folder for folder in os.get_exec_path() if Path(folder) != Path(sys.executable).parent]
        return {
            **inherited,
            "PATH": os.pathsep.join([str(self.folder / "bin"), *path]),
            "HOME": str(self.home),
            # What uv, npm and jsii have downloaded or unpacked is the machine's, whoever runs them.
            "UV_CACHE_DIR": _uv_cache(),
            "npm_config_cache": str(Path.home() / ".npm"),
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache/aws/jsii/package-cache"),
            "CDK_VALIDATION": "false",  # as in tests/environment.py
            "AWS_EC2_METADATA_DISABLED": "true",
            "COLUMNS": "200",
            **changes,
        }

    def run(
        self, *command: str | Path, folder: Path, seconds: float = 300, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a folder; those of the environment come first."""
        changed = self.environment(**environment)
        return subprocess.run(
            [shutil.which(command[0], path=changed["PATH"]) or command[0], *map(str, command[1:])],
            cwd=folder,
            env=changed,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def files(self) -> dict[str, float]:
        """The files in site-packages and when they changed, except for bytecode, which Python itself keeps there."""
        found: dict[str, float] = {}
        for folder, folders, names in os.walk(self.site_packages):
            folders[:] = [name for name in folders if name != "__pycache__"]
            found |= {str(path): path.lstat().st_mtime for path in (Path(folder, name) for name in names)}
        return found


def install(wheel: Path, folder: Path, *more: str) -> Installation:
    """A new environment with the wheel without its extras, and `more`, in the locked versions."""
    environment, home = folder / "environment", folder / "home"
    home.mkdir()
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    uv = [UV, "pip", "install", "--quiet", "--python", str(environment)]
    subprocess.run([*uv, "--constraints", str(ROOT / "requirements-dev.txt"), str(wheel), *more], check=True)
    return Installation(folder=environment, home=home)


def _uv_cache() -> str:
    answer = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True)
    return answer.stdout.strip()
