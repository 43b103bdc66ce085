"""`crossover new`, run from the installed wheel: what it writes works."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossover.paths import cache
from tests.package.distributions import ROOT, Installation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def nothing_is_written_into_site_packages(with_node: Installation) -> Iterator[None]:
    before = with_node.files()
    yield
    assert with_node.files() == before


@pytest.fixture(scope="module")
def project(with_node: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the published model."""
    folder = tmp_path_factory.mktemp("projects")
    answer = with_node.run("crossover", "new", "bird songs", "--variants", "snapstart,standard", folder=folder)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("bird songs: stacks Bird-Songs-..., variants snapstart, standard, model yamnet ")
    return folder / "bird songs"


def test_a_project_has_the_app_its_settings_and_what_it_needs(project: Path) -> None:
    files = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert files == {
        *("app.py", "cdk.json", "stacks/__init__.py", "stacks/settings.py", "stacks/comparison.py"),
        *("stacks/inference_stack.py", "model/model.onnx", "model/MODEL_CARD.md", "model/LICENSE-YAMNET"),
        *("tests/test_stacks.py", "README.md", "Makefile", "requirements.txt", "pytest.ini", ".gitignore"),
        *("package.json", "package-lock.json"),
    }
    context = json.loads((project / "cdk.json").read_text())["context"]
    assert (context["variants"], context["stack_prefix"]) == ("snapstart,standard", "Bird-Songs")
    assert "crossover-inference[local]~=0.2.0\n" in (project / "requirements.txt").read_text()
    assert "$" not in (project / "README.md").read_text()


def test_a_project_passes_its_own_tests(project: Path, with_node: Installation) -> None:
    answer = with_node.run("pytest", "-q", "-p", "no:cacheprovider", folder=project)
    assert answer.returncode == 0, answer.stdout
    assert "4 passed" in answer.stdout


def test_a_project_deploys_to_the_local_aws(project: Path, with_node: Installation, wheel: Path) -> None:
    """`make demo`, which first installs what it needs; the wheel takes the place of the package index."""
    wheel_and_lock = {"UV_FIND_LINKS": str(wheel.parent), "UV_CONSTRAINT": str(ROOT / "requirements-dev.txt")}
    answer = with_node.run("make", "setup", folder=project, seconds=600, **wheel_and_lock)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    # The bundle and the emulator's environment are those of the other tests: they have the same content.
    shared = {"CROSSOVER_CACHE": str(cache())}
    answer = with_node.run("make", "demo", "VARIANTS=standard", folder=project, seconds=600, **shared)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.count("SUCCEEDED") == 3  # the sample clips
