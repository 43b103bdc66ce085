"""Makes the folder that Lambda unpacks to /var/task: pinned wheels without what is never loaded, our sources, bytecode.

Runs in two ways: cache.py imports it and lets uv fetch the wheels, for any platform; the SAM build image runs it as a
script, with the image's own pip, and has nothing but the standard library. Both give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

LAMBDA_PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""By Lambda's name of the architecture, the wheels that its Python 3.12 runs: Amazon Linux 2023 has glibc 2.34."""

MAX_UNZIPPED_BYTES = 250 * 1024**2
"""Lambda's limit for an unzipped deployment package (Lambda developer guide, "Quotas")."""

MAX_IMAGE_BYTES = 10 * 1024**3
"""Lambda's limit for an uncompressed container image (the same page)."""

NEVER_LOADED = {
    ".lock": "uv's, while it installs",
    "bin": "console scripts",
    "cffi": "soundfile needs only cffi's compiled part, _cffi_backend",
    "pycparser*": "cffi's parser of C declarations",
    "google": "protobuf: onnxruntime's tools edit models with it, an InferenceSession does not",
    "protobuf-*.dist-info": "goes with google/",
    "flatbuffers*": "onnxruntime's tools read .ort files with it, an InferenceSession does not",
    "packaging*": "onnxruntime's tools compare versions with it",
    "onnxruntime/backend": "an adapter for the onnx test suite",
    "onnxruntime/datasets": "example models",
    "onnxruntime/quantization": "changes models, at build time",
    "onnxruntime/tools": "changes models, at build time",
    "onnxruntime/transformers": "changes models, at build time",
    "onnxruntime/capi/libonnxruntime.so*": "the C library: the Python module has the runtime linked into it",
    "numpy/f2py": "a Fortran compiler driver",
    "numpy/_pyinstaller": "for another packager",
    "numpy/random/_examples": "documentation",
    "dateutil/zoneinfo": "a copy of the time zones, for names like Europe/Berlin; botocore knows UTC and local time",
    "urllib3/contrib/emscripten": "for browsers",
    "numpy/_core/include": "C headers",
    "numpy/_core/_simd.*.so": "exposes vector instructions to numpy's tests",
    "numpy/_core/_*_tests.*.so": "numpy's tests",
    "**/tests": "tests of the packages",
    "**/conftest.py": "tests of the packages",
    "**/*.a": "static libraries",
    "**/*.h": "C headers",
    "**/*.pyi": "for type checkers",
    "**/*.c": "sources of compiled modules",
    "**/*.pxd": "for Cython",
    "**/*.pyx": "for Cython",
    "botocore/data/*/*/examples-1.json": "documentation",
    "PIL/_avif*": "AVIF, which is not read",
    "pillow.libs/libavif*": "AVIF, which is not read",
    "PIL/_imagingcms*": "colour profiles, which are not applied",
    "PIL/_imagingft*": "draws text",
    "PIL/_imagingmath*": "computes with pictures",
    "PIL/_imagingmorph*": "computes with pictures",
    "PIL/_imagingtk*": "shows pictures",
}
"""What the wheels hold and the handlers never load, each with the reason; test_bundle_runs.py runs the bundle."""

LICENSE_OR_METADATA = re.compile(r"METADATA|(LICEN[CS]E|COPYING|NOTICE|AUTHORS).*|licenses")
"""What stays of a *.dist-info folder: licences travel with the code, and vulnerability scanners read METADATA."""


class BundlingError(Exception):
    """A bundle could not be made; the message is one sentence for the person at the terminal."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What goes into a code package; all paths are relative to the folder of the sources, lambda_src.

    Attributes:
        name: for messages and the cache.
        handlers: modules at the top of the sources.
        packages: folders of the sources.
        leaves_out: files or folders of these packages that are not needed.
        locks: the hash-checked lists of wheels, together.
        services: the AWS services whose descriptions botocore keeps.
        max_bytes: the most that Lambda takes of it, unzipped.
    """

    name: str
    handlers: tuple[str, ...]
    packages: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    max_bytes: int = MAX_UNZIPPED_BYTES

    def including(self, handler: str) -> Bundle:
        """This bundle, with the handler if it lacks it."""
        return self if handler in self.handlers else replace(self, handlers=(*self.handlers, handler))

    def files(self, sources: Path) -> list[Path]:
        """The files of ours in the bundle, in a fixed order, without bytecode, hidden files and requirements."""
        handlers = [sources / f"{name}.py" for name in self.handlers]
        packaged = [path for package in self.packages for path in (sources / package).rglob("*") if path.is_file()]
        return sorted([*handlers, *(path for path in packaged if self._holds(path.relative_to(sources)))])

    def _holds(self, path: Path) -> bool:
        if any(part.startswith(".") or part == "__pycache__" for part in path.parts):
            return False
        return not any(part.as_posix() in self.leaves_out for part in (path, *path.parents))


@dataclass(frozen=True, kw_only=True)
class Size:
    """Bytes of a bundle as Lambda counts them."""

    unzipped: int
    zipped: int

    def __str__(self) -> str:
        return f"{self.unzipped / 1e6:.1f} MB unzipped, {self.zipped / 1e6:.1f} MB zipped"


def assemble(
    bundle: Bundle, folder: Path, *, sources: Path, scratch: Path, install: list[str], compiler: Path | None
) -> Size:
    """Fills `folder` with the bundle and returns its size.

    Both folders exist and are empty; `scratch` takes the whole wheels and is the caller's to delete. `install` is the
    start of a pip-like install command, `compiler` the interpreter that makes the bytecode, or None for no bytecode.
    Raises BundlingError where a wheel is not available, a source does not compile, or the bundle is larger than Lambda
    takes.
    """
    missing = [path.name for path in bundle.files(sources) if not path.is_file()]
    if missing:
        raise BundlingError(f"The {bundle.name} bundle needs the handler {missing[0]}, which is not in {sources}.")
    if bundle.locks:
        _install_wheels([sources / lock for lock in bundle.locks], scratch, install)
        _copy_what_is_loaded(scratch, folder, bundle.services)
        _cut_botocore_data(folder / "botocore" / "data")
    if compiler is not None:
        # The wheels' bytecode takes their sources' place: that saves 6 MB, and tracebacks still name file and line.
        _compile(folder, compiler, "-b")
        for path in list(folder.rglob("*.py")):
            path.unlink()
    for source in bundle.files(sources):
        target = folder / source.relative_to(sources)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    if compiler is not None:
        _compile(folder, compiler)
    _normalise(folder)
    size = _size(folder)
    if size.unzipped > bundle.max_bytes:
        limit = f"{bundle.max_bytes / 1e6:,.1f} MB"
        raise BundlingError(f"The {bundle.name} bundle is too large: {size}; Lambda takes {limit} unzipped.")
    return size


def _install_wheels(locks: list[Path], folder: Path, install: list[str]) -> None:
    # Only the locks' own entries, only with its hashes, only wheels: nothing is resolved or built on this machine.
    rules = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--target", str(folder)]
    files = [argument for lock in locks for argument in ("--requirement", str(lock))]
    answer = subprocess.run([*install, *rules, *files], capture_output=True, text=True)
    if answer.returncode != 0:
        reason = " ".join(answer.stderr.split()) or f"exit code {answer.returncode}"
        names = " and ".join(lock.name for lock in locks)
        raise BundlingError(f"The wheels of {names} could not be installed: {reason}")


def _copy_what_is_loaded(wheels: Path, folder: Path, services: tuple[str, ...]) -> None:
    """Copies instead of deleting in place, since uv's files may be hard links into its cache, which must not change."""
    unwanted = {path for pattern in NEVER_LOADED for path in wheels.glob(pattern)}
    unwanted |= {path for path in wheels.glob("*.dist-info/*") if not LICENSE_OR_METADATA.fullmatch(path.name)}
    unwanted |= {path for path in wheels.glob("botocore/data/*") if path.is_dir() and path.name not in services}

    def ignore(parent: str, names: list[str]) -> set[str]:
        return {name for name in names if Path(parent, name) in unwanted}

    shutil.copytree(wheels, folder, ignore=ignore, copy_function=shutil.copyfile, dirs_exist_ok=True)


def _cut_botocore_data(data: Path) -> None:
    """Keeps of the JSON files what is read at run time: parsing them is a good part of making a client."""
    contents = {
        path: json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        for path in sorted(data.rglob("*"))
        if path.is_file()
    }
    # endpoints.json names the services in its own way, which their descriptions state.
    metadata = [content["metadata"] for path, content in contents.items() if path.name.startswith("service-2.json")]
    prefixes = {each["endpointPrefix"] for each in metadata}
    for path, content in contents.items():
        if path.name == "endpoints.json":
            for partition in content["partitions"]:
                services = partition["services"]
                partition["services"] = {name: services[name] for name in services if name in prefixes}
        path.unlink()
        plain = path.with_name(path.name.removesuffix(".gz"))
        plain.write_text(json.dumps(_without_documentation(content), separators=(",", ":")), encoding="utf-8")


def _without_documentation(content: Any) -> Any:
    """The JSON value with its "documentation" texts emptied: botocore asks for some of them, and reads none."""
    if isinstance(content, list):
        return [_without_documentation(value) for value in content]
    if not isinstance(content, dict):
        return content
    emptied = {name: _without_documentation(value) for name, value in content.items()}
    if isinstance(emptied.get("documentation"), str):  # else it is a shape's member of that name
        emptied["documentation"] = ""
    return emptied


def _compile(folder: Path, compiler: Path, *options: str) -> None:
    """Makes the bytecode of every source in the folder.

    Lambda's folder is read-only, so Python cannot do it there and would compile at every cold start. Unchecked hashes
    hold no time stamp, and the paths inside are Lambda's: the same sources give the same bytes on every machine.
    """
    command = [str(compiler), "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *options]
    paths = ["-s", str(folder), "-p", "/var/task", str(folder)]
    answer = subprocess.run([*command, *paths], capture_output=True, text=True)
    if answer.returncode != 0:
        reason = " ".join((answer.stdout + answer.stderr).split())
        raise BundlingError(f"{compiler} could not compile the bundle: {reason}")


def _normalise(folder: Path) -> None:
    """The same modes and times everywhere, so that the zip depends on nothing but the content."""
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (315532800, 315532800))  # 1980-01-01, the earliest time a zip can hold


def _size(folder: Path) -> Size:
    def zipped_bytes(path: Path) -> int:
        headers = 2 * (len(path.relative_to(folder).as_posix()) + 50)
        return len(zlib.compress(path.read_bytes())) + headers

    # The large files first, which keeps all cores busy to the end.
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: -path.stat().st_size)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        zipped = sum(pool.map(zipped_bytes, files))
    return Size(unzipped=sum(path.stat().st_size for path in files), zipped=zipped)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Fill a folder with a bundle for this interpreter, using its pip.")
    parser.add_argument("bundle", type=json.loads, help="the fields of Bundle, as JSON")
    parser.add_argument("sources", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in arguments.bundle.items()
    }
    bundle = Bundle(**fields)
    python = Path(sys.executable)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--no-cache-dir"]
    try:
        with TemporaryDirectory() as scratch:
            size = assemble(
                bundle,
                arguments.folder,
                sources=arguments.sources,
                scratch=Path(scratch),
                install=pip,
                compiler=python,
            )
    except BundlingError as error:
        sys.exit(str(error))
    print(f"Bundled {bundle.name}: {size}.", file=sys.stderr)


if __name__ == "__main__":
    _main()
