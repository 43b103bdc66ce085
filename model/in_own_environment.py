"""Runs a script with exactly the packages of one lock file, in a separate virtual environment under .crossover/.

    python model/in_own_environment.py REQUIREMENTS SCRIPT [ARGUMENT ...]

The packages that build and check the model are large, and their versions differ from the project's. The script can
import the inference package, so that it decodes audio as the deployed handlers do.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class InstallError(Exception):
    """The packages could not be installed; the message is uv's."""


def python_with(requirements: Path) -> Path:
    """The interpreter of an environment with the packages of `requirements`, created if it does not exist.

    Raises:
        InstallError: a package cannot be downloaded, or its hash is not the pinned one.
    """
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    environment = ROOT / ".crossover" / "model" / f"{requirements.stem}-{key}"
    complete = environment / "complete"
    if not complete.exists():
        print(f"Installing {requirements.name} into a separate environment ...", file=sys.stderr, flush=True)
        _uv("venv", "--clear", "--python", sys.executable, str(environment))
        # Each lock file names everything that is needed; other dependencies of the packages are left out on purpose.
        _uv("pip", "install", "--python", str(environment), "--no-deps", "--require-hashes", "-r", str(requirements))
        complete.touch()
    return environment / "bin" / "python"


def run(requirements: Path, script: Path, *arguments: str) -> int:
    """Runs `script` there and returns its exit code. Raises InstallError."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lambda_src")}
    return subprocess.run([python_with(requirements), script, *arguments], env=environment, check=False).returncode


def _uv(*arguments: str) -> None:
    from uv import find_uv_bin  # from the project's environment; not needed to import this module

    done = subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallError(f"uv {' '.join(arguments)} failed:\n{done.stderr.strip()}")


def main() -> int:
    if len(sys.argv) < 3:
        print("Usage: python model/in_own_environment.py REQUIREMENTS SCRIPT [ARGUMENT ...]", file=sys.stderr)
        return 2
    try:
        return run(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
    except (InstallError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
