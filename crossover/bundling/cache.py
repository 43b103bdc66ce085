"""The bundles made so far: each is made once for the same sources and kept as a folder in .bundles/.

Knows nothing of CDK, so that what only needs the folder does not start Node.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import sysconfig
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from uv import find_uv_bin

from crossover.bundling import recipe as bundle_recipe
from crossover.bundling.find_python import check_version, find_python
from crossover.bundling.recipe import LAMBDA_PLATFORM, ROOT, Bundle, BundlingError

CACHE = ROOT / ".bundles"
UNUSED_SECONDS = 24 * 3600.0
"""How long the cache keeps a bundle that nobody asks for, and what a killed build left. An edit makes one of 86 MB."""


def build_bundle(bundle: Bundle, *, python_version: str = "3.12", for_host: bool = False) -> Path:
    """The folder of the finished bundle, made now unless the cache has one of the same sources. Not to be written to.

    Raises BundlingError with one sentence where it cannot be made, ValueError for a version not of the form "3.12".
    """
    hash_ = hash_for_this_machine(bundle, python_version=python_version, for_host=for_host)
    name = bundle.name.lower()
    finished = CACHE / f"{name}-{hash_[:20]}"
    if not finished.is_dir():
        target = _platform(for_host)
        print(f"Bundling {name} for Python {python_version} on {target} ...", end=" ", file=sys.stderr, flush=True)
        started = time.monotonic()
        CACHE.mkdir(exist_ok=True)
        # A bundle gets its final name when it is complete, in one step that no interruption can cut in half.
        with TemporaryDirectory(prefix="building-", dir=CACHE) as temporary:
            folder, scratch = Path(temporary, "bundle"), Path(temporary, "wheels")
            folder.mkdir()
            scratch.mkdir()
            compiler = _compiler(python_version)
            install = _uv_install(python_version, target)
            try:
                size = bundle_recipe.assemble(bundle, folder, scratch=scratch, install=install, compiler=compiler)
            except BundlingError:
                print("failed.", file=sys.stderr)
                raise
            _rename(folder, finished)
        print(f"{size}, {time.monotonic() - started:.0f} s.", file=sys.stderr)
    os.utime(finished)  # marks it as used
    _remove_unused()
    return finished


def source_hash(bundle: Bundle, *, python_version: str, platform: str, with_bytecode: bool) -> str:
    """A sha256 over all that decides what is in a bundle: our files, the lock, the recipe, and what it is made for."""
    digest = hashlib.sha256(f"{bundle.name} {python_version} {platform} {with_bytecode}".encode())
    for source in bundle.sources():
        digest.update(source.relative_to(bundle_recipe.SOURCES).as_posix().encode())
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    if bundle.lock:
        digest.update(bundle.lock.read_bytes())
    digest.update(Path(bundle_recipe.__file__).read_bytes())
    return digest.hexdigest()


def hash_for_this_machine(bundle: Bundle, *, python_version: str, for_host: bool) -> str:
    """The source_hash of what build_bundle makes here."""
    with_bytecode = _compiler(python_version) is not None
    return source_hash(bundle, python_version=python_version, platform=_platform(for_host), with_bytecode=with_bytecode)


@cache
def _compiler(python_version: str) -> Path | None:
    """The interpreter that makes the bytecode. Its absence is told once."""
    check_version(python_version)
    found = find_python(python_version)
    if found is None:
        print(
            f"Warning: there is no Python {python_version} on this machine to make the bundles' .pyc files, so a cold"
            f" start takes about 2.4 times as long; `uv python install {python_version}` helps.",
            file=sys.stderr,
        )
    return found


def _platform(for_host: bool) -> str:
    if for_host and (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return sysconfig.get_platform()
    return LAMBDA_PLATFORM


def _uv_install(python_version: str, platform: str) -> list[str]:
    target = ["--python-version", python_version]
    if platform == LAMBDA_PLATFORM:  # else the wheels of the machine that uv runs on, its default
        target += ["--python-platform", platform]
    return [find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, *target]


def _rename(folder: Path, finished: Path) -> None:
    try:
        folder.rename(finished)
    except OSError:
        if not finished.is_dir():  # else another process has made the same bundle meanwhile
            raise


def _remove_unused() -> None:
    for path in CACHE.iterdir():
        with suppress(FileNotFoundError):  # another process has removed it
            if time.time() - path.stat().st_mtime > UNUSED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
