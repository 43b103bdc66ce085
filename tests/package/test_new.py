"""`crossover new`, run from the installed wheel: what it writes works, with its own Makefile."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossover.paths import cache
from tests.package.distributions import Installation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def nothing_is_written_into_site_packages(with_node: Installation) -> Iterator[None]:
    before = with_node.files()
    yield
    assert with_node.files() == before


def test_a_project_has_the_app_its_settings_and_what_it_needs(project: Path) -> None:
    paths = (path.relative_to(project) for path in project.rglob("*") if path.is_file())
    assert {str(path) for path in paths if path.parts[0] not in (".venv", "node_modules")} == {
        *("app.py", "cdk.json", "stacks/__init__.py", "stacks/settings.py", "stacks/comparison.py"),
        *("stacks/contradictions.py", "stacks/existing.py", "stacks/inference_stack.py", "stacks/protection.py"),
        *("model/model.onnx", "model/MODEL_CARD.md", "model/LICENSE-YAMNET"),
        *("tests/test_stacks.py", "README.md", "Makefile", "requirements.txt", "pytest.ini", ".gitignore"),
        *("package.json", "package-lock.json"),
    }
    context = json.loads((project / "cdk.json").read_text())["context"]
    assert (context["variants"], context["stack_prefix"]) == ("snapstart,standard", "Bird-Songs")
    assert "crossover-inference[local]~=0.2.0\n" in (project / "requirements.txt").read_text()
    assert "$" not in (project / "README.md").read_text()


def test_a_project_passes_its_own_tests(project: Path, with_node: Installation) -> None:
    answer = with_node.run("make", "test", folder=project)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "4 passed" in answer.stdout


def test_what_a_deployment_of_a_project_needs_is_checked(project: Path, with_node: Installation) -> None:
    command = ("crossover", "doctor", "--json", "-c", "memory_mb=3008")
    answer = with_node.run(*command, folder=project, AWS_REGION="eu-west-1")
    report = json.loads(answer.stdout)
    found = {check["check"]: (check["status"], check["found"]) for check in report["checks"]}
    assert set(report["stacks"]) == {"Bird-Songs-SnapStart", "Bird-Songs-Standard", "Bird-Songs-Comparison"}
    assert found["Lambda memory"] == ("ok", "3,008 MB")
    assert found["credentials"] == ("fails", "there are none")
    assert (answer.returncode, answer.stderr) == (1, "")


def test_a_project_deploys_to_the_local_aws(project: Path, with_node: Installation) -> None:
    # The bundle and the emulator's environment are those of the other tests: they have the same content.
    shared = {"CROSSOVER_CACHE": str(cache())}
    answer = with_node.run("make", "demo", "VARIANTS=standard", folder=project, seconds=600, **shared)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.count("SUCCEEDED") == 3  # the sample clips
