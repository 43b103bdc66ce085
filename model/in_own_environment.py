"""Runs a script with exactly the packages of lock files, in a separate virtual environment under .crossover/.

    python model/in_own_environment.py REQUIREMENTS[,REQUIREMENTS ...] SCRIPT [ARGUMENT ...]

The packages that build and check the models are large, and their versions differ from the project's. The script can
import the inference package, so that it decodes files as the deployed handlers do, and the modules in model/.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class InstallError(Exception):
    """The packages could not be installed; the message is uv's."""


def python_with(*requirements: Path) -> Path:
    """The interpreter of an environment with the packages of the lock files, created if it does not exist.

    Raises:
        InstallError: a package cannot be downloaded, or its hash is not the pinned one.
    """
    locks = b"".join(each.read_bytes() for each in requirements)
    key = hashlib.sha256(locks + sys.version.encode()).hexdigest()[:12]
    environment = ROOT / ".crossover" / "model" / f"{requirements[0].stem}-{key}"
    complete = environment / "complete"
    if not complete.exists():
        print(
            f"Installing {', '.join(each.name for each in requirements)} into a separate environment ...",
            file=sys.stderr,
            flush=True,
        )
        _uv("venv", "--clear", "--python", sys.executable, str(environment))
        # Each lock file names everything that is needed; other dependencies of the packages are left out on purpose.
        files = [argument for each in requirements for argument in ("-r", str(each))]
        _uv("pip", "install", "--python", str(environment), "--no-deps", "--require-hashes", *files)
        complete.touch()
    return environment / "bin" / "python"


def run(requirements: Sequence[Path], script: Path, *arguments: str) -> int:
    """Runs `script` there and returns its exit code. Raises InstallError."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "lambda_src", ROOT / "model")))}
    return subprocess.run([python_with(*requirements), script, *arguments], env=environment, check=False).returncode


def _uv(*arguments: str) -> None:
    from uv import find_uv_bin  # from the project's environment; not needed to import this module

    done = subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallError(f"uv {' '.join(arguments)} failed:\n{done.stderr.strip()}")


def main() -> int:
    if len(sys.argv) < 3:
        print(
            "Usage: python model/in_own_environment.py REQUIREMENTS[,REQUIREMENTS ...] SCRIPT [ARGUMENT ...]",
            file=sys.stderr,
        )
        return 2
    try:
        return run([Path(each) for each in sys.argv[1].split(",")], Path(sys.argv[2]), *sys.argv[3:])
    except (InstallError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
