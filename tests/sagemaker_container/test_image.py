"""Properties of the image that can be checked without building it."""

import ast
import os
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from string import Template

import pytest

from .conftest import DOCKERFILE, ROOT, server_command

CONTAINER = ROOT / "sagemaker_container"
INSTRUCTIONS = re.findall(r"^([A-Z]+) (.*)$", DOCKERFILE.read_text().replace("\\\n", " "), flags=re.MULTILINE)


def values(instruction: str) -> list[str]:
    """What follows the instruction, for the kind of input that is the default."""
    defaults = dict(value.split("=") for name, value in INSTRUCTIONS if name == "ARG")
    return [Template(value).safe_substitute(defaults) for name, value in INSTRUCTIONS if name == instruction]


def pinned(requirements: Path) -> dict[str, str]:
    """Package to version."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", requirements.read_text(), flags=re.MULTILINE))


def test_the_base_is_pinned_by_its_digest() -> None:
    (base,) = values("FROM")

    assert re.fullmatch(r"python:3\.12\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)


def test_it_starts_as_root_as_sagemaker_expects() -> None:
    assert values("USER") == []


def test_the_servers_user_cannot_change_the_image() -> None:
    # Copied and installed files belong to root unless an instruction changes that; the model is not in the image.
    commands = " ; ".join(values("RUN") + values("COPY"))

    assert not any(word in commands for word in ("chown", "/opt/ml"))
    assert re.findall(r"chmod ([^;&]*[^;& ])", commands) == ["-R a+rX lambda_src sagemaker_container"]
    assert values("ADD") == values("VOLUME") == []


def test_the_model_is_mounted_read_only() -> None:
    (command,) = re.findall(r"docker run .*", DOCKERFILE.read_text())

    assert re.search(r"-v \S+:/opt/ml/model:ro\b", command.replace('"', ""))


def test_the_image_contains_only_the_container_and_the_inference_package() -> None:
    sources = {word for copy in values("COPY") for word in copy.split()[:-1]}
    allowed = (CONTAINER / "Dockerfile.dockerignore").read_text().splitlines()

    assert sources == {
        "sagemaker_container/requirements.txt",
        "lambda_src/requirements-audio.txt",
        "sagemaker_container/",
        "lambda_src/inference/",
    }
    assert {line[1:] for line in allowed if line.startswith("!")} == {
        "sagemaker_container",
        "lambda_src/inference",
        "lambda_src/requirements-*.txt",
    }
    assert all((ROOT / source).exists() for source in sources)


def test_the_repository_is_laid_out_like_the_image() -> None:
    for copy in values("COPY"):
        *sources, target = copy.split()
        assert all(source == target or str(Path(source).parent) == target.rstrip("/") for source in sources)


def test_docker_run_image_serve_starts_the_server() -> None:
    _, script, argument = server_command()

    assert argument == "serve"
    assert os.access(ROOT / script, os.X_OK)


def test_only_wheels_with_known_hashes_are_installed() -> None:
    (install,) = [run for run in values("RUN") if run.startswith("pip install")]
    locks = [ROOT / name for name in re.findall(r"-r (\S+)", install)]
    entries = [entry for lock in locks for entry in re.split(r"\n(?=\S)", lock.read_text().strip())]
    entries = [re.sub(r" ; .*(?= \\\n)", "", entry) for entry in entries]  # a marker

    assert {lock.name for lock in locks} == {"requirements.txt", "requirements-audio.txt"}
    assert {"--require-hashes", "--no-deps"} <= set(install.split())
    assert all(re.match(r"\S+==\S+ \\\n +--hash=sha256:", entry) for entry in entries)


def test_the_lock_contains_the_requirements() -> None:
    required = pinned(CONTAINER / "requirements.in")

    assert required.items() <= pinned(CONTAINER / "requirements.txt").items()


def imported_packages() -> set[str]:
    """Top-level names of the third-party packages that the image's files import."""
    files = [*CONTAINER.glob("*.py"), CONTAINER / "serve", *(ROOT / "lambda_src/inference").rglob("*.py")]
    names: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"inference", "sagemaker_container"}


def test_the_lock_covers_every_import() -> None:
    distributions = packages_distributions()
    imported = {distributions[name][0].lower() for name in imported_packages()}

    assert {"onnxruntime", "uvicorn", "starlette"} <= imported
    locks = [CONTAINER / "requirements.txt", *(ROOT / "lambda_src").glob("requirements-*.txt")]
    assert imported <= {name for lock in locks for name in pinned(lock)}


@pytest.mark.parametrize("lock", sorted((ROOT / "lambda_src").glob("requirements*.txt")), ids=lambda lock: lock.name)
def test_the_container_and_the_functions_run_the_same_versions(lock: Path) -> None:
    container, functions = pinned(CONTAINER / "requirements.txt"), pinned(lock)
    shared = container.keys() & functions.keys()

    assert shared or lock.with_suffix(".in").name not in ("requirements-inference.in", "requirements-proxy.in")
    assert {name: container[name] for name in shared} == {name: functions[name] for name in shared}
