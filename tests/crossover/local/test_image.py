"""The endpoint as a real container: the Dockerfile is built, pushed to the emulator and run."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from crossover.local import standin_base
from crossover.local.container_engine import LABEL, Containers, Engine, engine_script, find_engine
from crossover.local.python_environments import find_interpreter
from crossover.local.work import LocalAws, describe_containers
from crossover.local.workspace import Workspace
from crossover.paths import sources
from tests.crossover.conftest import running_emulator
from tests.crossover.waiting import wait_until

pytestmark = pytest.mark.slow

SPEECH = sources() / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav"
USER = "10001"


@pytest.fixture(scope="module")
def engine() -> Engine:
    engine, why = find_engine(Containers.AUTO)
    if engine is None:
        pytest.skip(f"The image cannot be built: {why}.")
    if engine.name == "podman" and (missing := standin_base.missing()):
        pytest.skip(f"The image's base cannot be made: {missing}.")
    return engine


def call(workspace: Workspace, engine: Engine, *arguments: str) -> str:
    """What the engine prints."""
    script = str(engine_script(workspace, engine.name))
    return subprocess.run([script, *arguments], capture_output=True, text=True, check=True).stdout


def containers(workspace: Workspace, engine: Engine) -> list[Any]:
    """What the engine says of the workspace's containers."""
    found = call(workspace, engine, "ps", "--all", "--quiet", "--filter", f"label={LABEL}={workspace.folder}").split()
    return json.loads(call(workspace, engine, "container", "inspect", *found)) if found else []


@pytest.fixture(scope="module")
def aws(workspace: Workspace, engine: Engine) -> Iterator[LocalAws]:
    """A local AWS with the SageMaker variant, whose image was built."""
    with running_emulator(workspace, containers=Containers(engine.name)) as aws:
        synth = aws.begin_synth(["sagemaker"], python=find_interpreter().version)
        aws.bootstrap()
        aws.deploy(*synth)
        assert aws.started
        registry = aws.started.endpoint.removeprefix("http://")
        yield aws
    wait_until(lambda: containers(workspace, engine) == [] and registry not in call(workspace, engine, "images"))


def predicted(aws: LocalAws) -> str:
    [row] = aws.predict(["sagemaker"], [SPEECH])
    assert row.result
    label: str = row.result.item["label"]
    return label


def status(container: Any) -> dict[str, str]:
    """What the system says of the container's first process."""
    text = Path("/proc", str(container["State"]["Pid"]), "status").read_text()
    return dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", text, flags=re.MULTILINE))


def test_the_image_predicts_and_its_container_has_no_rights(aws: LocalAws, engine: Engine) -> None:
    assert predicted(aws) == "Speech"
    assert describe_containers(aws.workspace) == f"Images run in containers, as {engine.name} built them."

    [container] = containers(aws.workspace, engine)
    host, process = container["HostConfig"], status(container)
    assert host["ReadonlyRootfs"] is True
    assert host["Memory"] == 4 * 1024**3  # ml.t2.medium
    assert [mount["RW"] for mount in container["Mounts"]] == [False]
    # Root is given up, after the model was read from a folder that was root's alone; so are the two capabilities.
    assert process["Uid"].split() == process["Gid"].split() == [USER] * 4
    assert (process["Groups"], int(process["CapEff"], 16), process["NoNewPrivs"]) == ("", 0, "1")
    assert int(process["CapBnd"], 16) == 1 << 6 | 1 << 7  # SETGID and SETUID, of linux/capability.h


def test_the_pushed_manifest_is_one_that_sagemaker_accepts(aws: LocalAws) -> None:
    ecr = boto3.client("ecr")
    [repository] = ecr.describe_repositories()["repositories"]
    [image] = ecr.describe_images(repositoryName=repository["repositoryName"])["imageDetails"]

    assert image["imageManifestMediaType"] == "application/vnd.docker.distribution.manifest.v2+json"


def test_a_container_that_is_killed_is_started_again(aws: LocalAws, engine: Engine) -> None:
    [before] = containers(aws.workspace, engine)
    call(aws.workspace, engine, "kill", before["Id"])
    wait_until(lambda: [now["Id"] for now in containers(aws.workspace, engine)] not in ([], [before["Id"]]))

    assert predicted(aws) == "Speech"


@pytest.mark.parametrize(
    ("options", "expected"),
    [(["--cap-drop", "ALL"], "cannot become user 10001"), (["--cap-drop", "ALL", "--user", "4711"], "4711")],
    ids=["root-without-capabilities", "another-user"],
)
def test_root_that_cannot_be_given_up_ends_the_server_and_another_user_stays(
    aws: LocalAws, engine: Engine, tmp_path: Path, options: list[str], expected: str
) -> None:
    [running] = containers(aws.workspace, engine)
    script = """if True:
        import os, sys
        sys.path[:0] = ["/opt/program", "/opt/program/lambda_src"]
        from sagemaker_container.privileges import drop_root
        try:
            drop_root()
        except Exception as error:
            print(error)
        print(os.getuid())
    """
    python = ["--rm", "--read-only", *options, "--entrypoint", "python", running["Image"], "-c", script]

    assert expected in call(aws.workspace, engine, "run", *python)
