"""The bundles made so far, in the user's cache folder: each is made once for the same sources.

Several processes may work here at once: a bundle gets its final name when it is complete, and loses it before it is
removed. Knows nothing of CDK, so that what needs only the folder does not start Node.
"""

from __future__ import annotations

import hashlib
import os
import platform
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
from crossover.bundling.recipe import LAMBDA_PLATFORMS, Bundle, BundlingError
from crossover.paths import cache as user_cache
from crossover.paths import sources

SOURCES = sources() / "lambda_src"
UNUSED_SECONDS = 24 * 3600.0
"""How long the cache keeps a bundle that is not used, and what a killed build left. An edit makes one of 86 MB."""


def build_bundle(
    bundle: Bundle, *, python_version: str = "3.12", architecture: str = "x86_64", for_host: bool = False
) -> Path:
    """The folder of the finished bundle, built unless the cache has one of the same sources. Do not write to it.

    Args:
        architecture: Lambda's, x86_64 or arm64; either is made on any machine.
        for_host: takes the wheels of this machine instead, whatever the architecture.

    Raises BundlingError with one sentence where it cannot be made, ValueError for a version not of the form "3.12".
    """
    target = _platform(architecture, for_host)
    hash_ = hash_for_this_machine(bundle, python_version=python_version, architecture=architecture, for_host=for_host)
    folder = user_cache() / "bundles"
    finished = folder / f"{bundle.name}-{hash_[:20]}"
    try:
        os.utime(finished)  # marks it as used
    except FileNotFoundError:
        _make(bundle, finished, python_version=python_version, target=target)
    _remove_unused(folder)
    return finished


def _make(bundle: Bundle, finished: Path, *, python_version: str, target: str) -> None:
    print(f"Bundling {bundle.name} for Python {python_version} on {target} ...", end=" ", file=sys.stderr, flush=True)
    started = time.monotonic()
    finished.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="building-", dir=finished.parent) as temporary:
        folder, scratch = Path(temporary, "bundle"), Path(temporary, "wheels")
        folder.mkdir()
        scratch.mkdir()
        try:
            size = bundle_recipe.assemble(
                bundle,
                folder,
                sources=SOURCES,
                scratch=scratch,
                install=_uv_install(python_version, target),
                compiler=_compiler(python_version),
            )
        except BundlingError:
            print("failed.", file=sys.stderr)
            raise
        _rename(folder, finished)
    print(f"{size}, {time.monotonic() - started:.0f} s.", file=sys.stderr)


def source_hash(bundle: Bundle, *, python_version: str, platform: str, with_bytecode: bool) -> str:
    """A sha256 of everything that determines a bundle: our files, the locks, the recipe, and the target."""
    digest = hashlib.sha256(f"{bundle} {python_version} {platform} {with_bytecode}".encode())
    for source in bundle.files(SOURCES):
        digest.update(source.relative_to(SOURCES).as_posix().encode())
        if source.is_file():  # else assemble names what is missing
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    for lock in bundle.locks:
        digest.update((SOURCES / lock).read_bytes())
    digest.update(Path(bundle_recipe.__file__).read_bytes())
    return digest.hexdigest()


def hash_for_this_machine(bundle: Bundle, *, python_version: str, architecture: str, for_host: bool) -> str:
    """The source_hash of what build_bundle makes here."""
    target, with_bytecode = _platform(architecture, for_host), _compiler(python_version) is not None
    return source_hash(bundle, python_version=python_version, platform=target, with_bytecode=with_bytecode)


@cache
def _compiler(python_version: str) -> Path | None:
    """The interpreter that makes the bytecode; None, with one warning, where there is none."""
    check_version(python_version)
    found = find_python(python_version)
    if found is None:
        print(
            f"Warning: there is no Python {python_version} on this machine to make the bundles' .pyc files, so a cold"
            f" start takes about 2.4 times as long; `uv python install {python_version}` helps.",
            file=sys.stderr,
        )
    return found


def _platform(architecture: str, for_host: bool) -> str:
    if not for_host:
        return LAMBDA_PLATFORMS[architecture]
    is_lambdas = (sys.platform, platform.machine()) == ("linux", "x86_64")
    return LAMBDA_PLATFORMS["x86_64"] if is_lambdas else sysconfig.get_platform()


def _uv_install(python_version: str, platform: str) -> list[str]:
    target = ["--python-version", python_version]
    if platform in LAMBDA_PLATFORMS.values():  # else the wheels of the machine that uv runs on, its default
        target += ["--python-platform", platform]
    return [find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, *target]


def _rename(folder: Path, finished: Path) -> None:
    try:
        folder.rename(finished)
    except OSError:
        if not finished.is_dir():  # else another process has made the same bundle meanwhile
            raise


def _remove_unused(folder: Path) -> None:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process has removed it
            if time.time() - path.stat().st_mtime > UNUSED_SECONDS:
                with TemporaryDirectory(prefix="removing-", dir=folder, ignore_cleanup_errors=True) as temporary:
                    path.rename(Path(temporary, path.name))
