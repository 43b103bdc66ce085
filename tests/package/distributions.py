"""Builds the project's distributions with the locked hatchling, without an environment of their own."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]


def build(target: Literal["wheel", "sdist"], folder: Path, *, source: Path = ROOT) -> Path:
    """The distribution, made in `folder` of the sources in `source`."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [made] = folder.iterdir()
    return made
