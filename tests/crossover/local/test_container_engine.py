"""Which container engine is used, and what happens where it fails; with engines of a few lines of shell."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from crossover.errors import CrossoverError
from crossover.local import container_engine
from crossover.local.container_engine import Containers, Engine, find_engine, function_arguments, run_arguments
from crossover.local.workspace import Workspace

Install = Callable[[str, str], None]
ECR = "000000000000.dkr.ecr.us-east-1.amazonaws.com/assets:tag"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts an engine on PATH, which has no other."""
    folder = tmp_path / "path"
    folder.mkdir()
    for tool in ("sh", "sleep", "cat"):
        (folder / tool).symlink_to(f"/bin/{tool}")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))

    def install(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return install


def test_docker_is_used_if_its_engine_answers(install: Install) -> None:
    install("docker", "exit 0")
    install("podman", "exit 0")
    assert find_engine(Containers.AUTO)[0] == Engine(name="docker", may_fail=True)


def test_a_docker_client_without_its_engine_does_not_count(install: Install) -> None:
    install("docker", "echo Cannot connect to the Docker daemon. >&2; exit 1")
    assert find_engine(Containers.AUTO) == (None, "no container engine works here")
    install("podman", "exit 0")
    assert find_engine(Containers.AUTO)[0] == Engine(name="podman", may_fail=True)


def test_an_engine_that_hangs_does_not_count(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_engine, "ANSWER_SECONDS", 0.2)
    install("docker", "exec sleep 60")
    assert find_engine(Containers.AUTO)[0] is None


def test_processes_can_be_asked_for(install: Install) -> None:
    install("docker", "exit 0")
    assert find_engine(Containers.PROCESS) == (None, "as was asked for")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "it is not installed"),
        ("echo Cannot connect to the Docker daemon. >&2; exit 1", "Cannot connect to the Docker daemon"),
    ],
)
def test_an_engine_that_was_asked_for_must_work(install: Install, script: str | None, reason: str) -> None:
    if script:
        install("docker", script)
    with pytest.raises(CrossoverError, match=rf"^The container engine docker does not work: {reason}\.$"):
        find_engine(Containers.DOCKER)


def test_a_container_runs_with_the_rights_that_it_needs_to_give_up_root_and_no_other(
    tmp_path: Path,
) -> None:
    arguments = run_arguments(
        "docker", "image", workspace=Path("w"), model_folder=tmp_path, memory_mb=4096, environment=["SECRET", "A"]
    )
    options = " ".join(arguments)
    assert f"--volume {tmp_path}:/opt/ml/model:ro --cap-add SETUID --cap-add SETGID image" in options
    assert "--read-only --cap-drop ALL --security-opt no-new-privileges" in options
    assert "--memory 4096m --env A --env SECRET --env" in options


def test_a_functions_container_has_no_rights_and_can_write_to_tmp_only() -> None:
    arguments = function_arguments(
        "docker", "image", workspace=Path("w"), memory_mb=2048, tmp_mb=512, environment=["SECRET"]
    )
    options = " ".join(arguments)
    assert "--read-only --cap-drop ALL --security-opt no-new-privileges --memory 2048m --env SECRET" in options
    assert "--tmpfs /tmp:rw,exec,mode=1777,size=512m" in options
    assert not {"--cap-add", "--volume", "--privileged"} & set(arguments)
    assert arguments[arguments.index("--user") + 1].split(":")[0] != "0"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    workspace.create()
    return workspace


def call(workspace: Workspace, *arguments: str, may_fail: bool) -> subprocess.CompletedProcess[str]:
    """Call the script that the CDK calls."""
    script = Engine(name="docker", may_fail=may_fail).write_script(workspace, 4566)
    assert script.name == "docker"  # the constructs look at the name
    return subprocess.run([str(script), *arguments], input="password", capture_output=True, text=True, check=False)


def test_an_image_for_ecr_is_pushed_to_the_emulator_once_it_runs(install: Install, workspace: Workspace) -> None:
    log = workspace.folder / "calls"
    install("docker", f'echo "$@" >> {log}')
    for arguments in (["login", "--password-stdin", "https://registry"], ["tag", "local", ECR], ["push", ECR]):
        assert call(workspace, *arguments, may_fail=True).returncode == 0

    calls = log.read_text().splitlines()
    assert not any(line.startswith("login") for line in calls)
    verbs = [line.split()[0] for line in calls if not line.startswith("image inspect")]
    assert verbs == ["tag", "run", "tag", "push", "rmi"]
    assert "push --quiet 127.0.0.1:4566/assets:tag" in calls
    assert workspace.containers_note.read_text() == "Images run in containers, as docker built them."


@pytest.mark.parametrize("broken", ["build", "run"])
def test_where_the_engine_fails_a_process_takes_the_images_place(
    install: Install, workspace: Workspace, broken: str
) -> None:
    log = workspace.folder / "calls"
    built = "false" if broken == "build" else "true"
    install(
        "docker",
        f'echo "$1" >> {log}\ncase $1 in {broken}) echo it broke; exit 1;; image) {built};; esac',
    )
    for arguments in (["build", "--tag", "local", "."], ["tag", "local", ECR], ["push", ECR]):
        assert call(workspace, *arguments, may_fail=True).returncode == 0

    assert "push" not in log.read_text().split()
    assert workspace.containers_note.read_text() == (
        f"A process takes an image's place: docker {broken} failed: it broke."
    )


def test_an_engine_that_was_asked_for_may_not_fail(install: Install, workspace: Workspace) -> None:
    install("docker", "echo it broke; exit 1")
    answer = call(workspace, "build", "--tag", "local", ".", may_fail=False)
    assert (answer.returncode, answer.stderr) == (1, "docker build failed: it broke.\n")


def test_other_commands_reach_the_engine(install: Install, workspace: Workspace) -> None:
    install("docker", 'echo "$@"; exit 7')
    answer = call(workspace, "inspect", "--type", "image", "local", may_fail=True)
    assert (answer.returncode, answer.stdout) == (7, "inspect --type image local\n")
