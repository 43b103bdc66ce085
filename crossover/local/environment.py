"""The emulator's own Python environment: ministack pins an older boto3 than the project uses.

Its interpreter runs the functions too, so it is Python 3.12, as in Lambda, wherever there is one.
"""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from crossover.local.commands import Commands
from crossover.local.workspace import ROOT, Workspace

LAMBDA_PYTHON = "3.12"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
INSTALL_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """The Python that runs the functions.

    Attributes:
        path: its executable.
        version: as in "3.12".
    """

    path: str
    version: str


def find_interpreter() -> Interpreter:
    """Python 3.12 where there is one, else the interpreter at hand."""
    command = [sys.executable, str(ROOT / "crossover" / "bundling" / "find_python.py"), LAMBDA_PYTHON]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        return Interpreter(path=answer.stdout.strip(), version=LAMBDA_PYTHON)
    return Interpreter(path=sys.executable, version=f"{sys.version_info.major}.{sys.version_info.minor}")


def python_of(workspace: Workspace) -> str:
    """The environment's executable."""
    return str(workspace.environment / "bin" / "python")


def create(workspace: Workspace, interpreter: Interpreter, commands: Commands) -> None:
    """Make the environment, unless the one that is there fits.

    Raises:
        CrossoverError: uv could not install it.
    """
    mark = workspace.environment / "installed"
    wanted = f"{interpreter.path} {hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()}"
    if mark.is_file() and mark.read_text() == wanted:
        return
    from uv import find_uv_bin

    uv = str(find_uv_bin())
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    folder = str(workspace.environment)
    for name, arguments in {
        "emulator environment": ["venv", "--clear", "--python", interpreter.path, folder],
        "emulator installation": ["pip", "install", "--python", folder, "--require-hashes", "-r", str(REQUIREMENTS)],
    }.items():
        commands.start(name, [uv, *arguments], environment=environment, folder=ROOT, seconds=INSTALL_SECONDS).wait()
    mark.write_text(wanted)
