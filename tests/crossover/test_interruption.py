"""However and whenever a command ends, nothing that it started keeps running, unless intended."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from crossover.local.ports import free_port
from crossover.local.process import Emulator
from crossover.local.python_environments import find_interpreter
from crossover.local.work import open_local_aws
from crossover.local.workspace import Workspace
from crossover.paths import sources
from tests.crossover.conftest import processes_of
from tests.crossover.waiting import wait_until

pytestmark = pytest.mark.slow

SPEECH = Path(__file__).parents[2] / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav"
PROGRAM = [sys.executable, "-c", "from crossover.cli import main; main()"]
DEMO = ["demo", "--variants", "sagemaker", "--file", str(SPEECH)]


# An app that ends when it is to, and is quick: it copies what the real one has synthesized.
APP = """
import os, shutil, time

while os.path.exists("hold"):
    time.sleep(0.05)
shutil.copytree("assembly", os.environ["CDK_OUTDIR"], dirs_exist_ok=True)
"""


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose app synthesizes the endpoint's stack at once."""
    real = Workspace(tmp_path_factory.mktemp("workspace"))
    with open_local_aws(real, Console(stderr=True)) as aws:
        aws.begin_synth(["sagemaker"], python=find_interpreter().version)[0].wait()
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(real.assembly, folder / "assembly")
    shutil.copy(sources() / "cdk.json", folder)
    (folder / "node_modules").symlink_to(sources() / "node_modules")
    (folder / "app.py").write_text(APP)
    return folder


@pytest.fixture
def hold(synthesized: Path) -> Iterator[Path]:
    """While this file is there, the app does not end."""
    file = synthesized / "hold"
    file.touch()
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def in_the_project(synthesized: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(synthesized)


@contextmanager
def crossover(workspace: Workspace, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        # What is killed cannot tidy up its temporary files.
        env={**os.environ, "CROSSOVER_FOLDER": str(workspace.folder), "TMPDIR": str(workspace.temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run(workspace: Workspace, *arguments: str) -> int:
    with crossover(workspace, *arguments) as process:
        process.communicate(timeout=120)
        return process.returncode


def read_until(process: subprocess.Popen[str], text: str) -> None:
    """Read what the command says on standard error until it says `text`."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if text in line:
            return
    raise AssertionError(f"it ended without saying {text!r}: {said}")


@pytest.mark.parametrize(
    ("moment", "number", "exit_code", "stopped"),
    [
        ("environment of the emulator", signal.SIGTERM, 143, "cdk synth(, the local AWS)?"),  # as the emulator starts
        ("cdk bootstrap", signal.SIGINT, 130, "cdk synth, the local AWS"),
        ("cdk synth", signal.SIGINT, 130, "(cdk deploy, )?the local AWS"),  # which may not have begun
    ],
)
def test_an_interrupted_demo_leaves_nothing(
    workspace: Workspace, hold: Path, moment: str, number: int, exit_code: int, stopped: str
) -> None:
    if moment == "cdk synth":
        hold.unlink()
    with crossover(workspace, *DEMO, "--port", str(free_port())) as demo:
        read_until(demo, f"✓ {moment}")
        demo.send_signal(number)
        _, rest = demo.communicate(timeout=60)
        assert demo.returncode == exit_code
    sentence = rf"crossover: interrupted; stopped: {stopped}; still running: nothing\."
    assert re.fullmatch(sentence, rest.splitlines()[-1]), rest
    wait_until(lambda: processes_of(workspace) == [])
    assert Emulator.find(workspace) is None


def test_a_demo_that_is_killed_takes_its_emulator_with_it(workspace: Workspace) -> None:
    with crossover(workspace, *DEMO, "--port", str(free_port())) as demo:
        read_until(demo, "✓ emulator")
        demo.kill()
    wait_until(lambda: Emulator.find(workspace) is None)
    wait_until(lambda: processes_of(workspace) == [])  # the CDK app that was being synthesized ends by itself


def test_a_killed_emulator_leaves_no_process_and_counts_as_stopped(workspace: Workspace) -> None:
    assert run(workspace, "local", "up", "--port", str(free_port())) == 0
    emulator = Emulator.find(workspace)
    assert emulator is not None
    assert emulator.is_persistent
    assert run(workspace, "local", "status") == 0
    os.kill(emulator.pid, signal.SIGKILL)
    wait_until(lambda: processes_of(workspace) == [])
    assert run(workspace, "local", "status") == 1
    assert not workspace.state.exists()


def test_a_running_emulator_is_used_and_kept_until_it_is_stopped(workspace: Workspace, hold: Path) -> None:
    port = str(free_port())
    assert run(workspace, "local", "up", "--port", port) == 0
    emulator = Emulator.find(workspace)
    assert run(workspace, "local", "up", "--port", port) == 0
    assert run(workspace, "local", "predict", str(SPEECH)) == 2  # nothing is deployed yet
    log = workspace.logs / "cdk-synth.log"
    log.unlink(missing_ok=True)
    with crossover(workspace, "local", "deploy", "sagemaker") as deploy:
        wait_until(log.exists)
        deploy.send_signal(signal.SIGINT)
        _, said = deploy.communicate(timeout=60)
    assert deploy.returncode == 130
    assert emulator is not None
    assert said.splitlines()[-1] == (
        f"crossover: interrupted; stopped: cdk synth; still running: the local AWS at {emulator.endpoint} with what is "
        "deployed there, which `crossover local down` stops."
    )
    hold.unlink()
    assert run(workspace, *DEMO) == 0
    assert run(workspace, "local", "predict", str(SPEECH)) == 0
    assert Emulator.find(workspace) == emulator
    assert run(workspace, "local", "down") == 0
    wait_until(lambda: processes_of(workspace) == [])
    assert run(workspace, "local", "down") == 0
