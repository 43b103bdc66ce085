"""Where the files are that the package works with: the project's sources, the user's project, the caches."""

import os
from pathlib import Path

from crossover.errors import CrossoverError, UsageError

_PACKAGE = Path(__file__).resolve().parent


def sources() -> Path:
    """The folder with app.py, cdk.json, stacks, lambda_src, sagemaker_container and model, laid out as in the
    repository: the repository itself, or `crossover/sources` where the package was installed from a wheel.
    """
    installed = _PACKAGE / "sources"
    return installed if installed.is_dir() else _PACKAGE.parent


def project() -> Path:
    """The folder of the CDK app that a command works on: the nearest one above the current folder with a cdk.json,
    else the repository.

    Raises:
        CrossoverError: there is neither.
    """
    folder = find_project()
    if folder is None:
        where = f"in {Path.cwd()} or above it"
        raise CrossoverError(f"There is no cdk.json {where}: this command needs a project; `crossover new` makes one.")
    return folder


def find_project() -> Path | None:
    """The same; None where there is neither."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "cdk.json").is_file():
            return folder
    return None if (_PACKAGE / "sources").is_dir() else _PACKAGE.parent


def cache() -> Path:
    """The folder for what can be made again: CROSSOVER_CACHE, else `crossover` in the user's cache folder.

    Raises:
        UsageError: the user has no home folder, as in a container that runs under a number.
    """
    chosen = os.environ.get("CROSSOVER_CACHE")
    if chosen:
        return Path(chosen)
    try:
        folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        raise UsageError("The home folder is not known; set HOME, or CROSSOVER_CACHE to a folder for caches.") from None
    return Path(folder) / "crossover"
