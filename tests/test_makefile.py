"""`make setup` on machines that lack something, in the repository and in a new project; nothing is installed here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAKEFILES = {"the repository": ROOT / "Makefile", "a new project": ROOT / "crossover/new/template/Makefile"}


@pytest.fixture(params=MAKEFILES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    shutil.copyfile(MAKEFILES[request.param], tmp_path / "Makefile")
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml", "package.json", "package-lock.json"):
        (tmp_path / name).touch()
    return tmp_path


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env={**own, **variables}, capture_output=True, text=True, timeout=60
    )


def test_a_python_without_venv_is_named_with_what_to_install(folder: Path) -> None:
    python = folder / "bin" / "python3"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'ensurepip'\" >&2\nexit 1\n")
    python.chmod(0o755)
    made = make(folder, "setup", PATH=f"{python.parent}:{os.environ['PATH']}")

    assert made.returncode == 2
    first, *rest = made.stderr.splitlines()
    needed = "install its package venv (Debian, Ubuntu: apt-get install python3-venv)"
    assert first == f"This python3 cannot make environments: {needed}."
    assert all(line.startswith("make: ") for line in rest)
    assert "ensurepip" not in made.stderr


def test_pip_installs_into_the_environment_whatever_the_user_has_set(folder: Path) -> None:
    assert make(folder, "--eval", "shown: ; @echo $$PIP_USER", "shown", PIP_USER="1").stdout == "0\n"


@pytest.mark.parametrize("known", [True, False], ids=["a user", "a number"])
def test_where_no_home_is_set_it_is_the_users_or_in_the_project(folder: Path, known: bool) -> None:
    users = folder / "bin" / "getent"
    users.parent.mkdir()
    users.write_text(f"#!/bin/sh\n{'echo ann:x:1000:1000::/home/ann:/bin/sh' if known else 'exit 2'}\n")
    users.chmod(0o755)
    path = f"{users.parent}:{os.environ['PATH']}"
    home = make(folder, "--eval", "shown: ; @echo $$HOME", "shown", HOME="", PATH=path).stdout.strip()

    assert home == "/home/ann" if known else Path(home).parent == folder
    assert make(folder, "--eval", "shown: ; @echo $$HOME", "shown", HOME="/mine", PATH=path).stdout == "/mine\n"
