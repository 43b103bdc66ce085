"""The endpoint and a function as real containers: their Dockerfiles are built, pushed to the emulator and run."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from crossover.bundling import inference_bundle
from crossover.bundling.cache import build_bundle
from crossover.local import standin_base
from crossover.local.container_engine import LABEL, LAMBDA_USER, Containers, Engine, engine_script, find_engine
from crossover.local.python_environments import LAMBDA_PYTHON, find_interpreter
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
    while True:
        labelled = f"label={LABEL}={workspace.folder}"
        found = call(workspace, engine, "ps", "--all", "--quiet", "--filter", labelled).split()
        try:
            return json.loads(call(workspace, engine, "container", "inspect", *found)) if found else []
        except subprocess.CalledProcessError:
            pass  # one has ended since it was listed


def containers_of(aws: LocalAws, engine: Engine, command: str) -> list[Any]:
    """The workspace's containers that were started with this command."""
    return [each for each in containers(aws.workspace, engine) if command in each["Config"]["Cmd"]]


@pytest.fixture(scope="module")
def aws(workspace: Workspace, engine: Engine) -> Iterator[LocalAws]:
    """A local AWS with the variants that have an image, which was built."""
    with running_emulator(workspace, containers=Containers(engine.name)) as aws:
        python = find_interpreter().version
        context = {"variants": "sagemaker,container", "image_snap_start": "true"}
        synth = aws.cdk.synthesize(
            {**context, **({} if python == LAMBDA_PYTHON else {"local_python": python})}, engine=engine.name
        )
        aws.bootstrap()
        aws.deploy(synth, aws.steps.step("cdk synth"))
        assert aws.started
        registry = aws.started.endpoint.removeprefix("http://")
        yield aws
    wait_until(lambda: containers(workspace, engine) == [] and registry not in call(workspace, engine, "images"))


def predicted(aws: LocalAws, variant: str = "sagemaker") -> str:
    [row] = aws.predict([variant], [SPEECH])
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

    [container] = containers_of(aws, engine, "serve")
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
    images = ecr.describe_images(repositoryName=repository["repositoryName"])["imageDetails"]

    docker = "application/vnd.docker.distribution.manifest.v2+json"
    assert [image["imageManifestMediaType"] for image in images] == [docker] * 2


def test_a_container_that_is_killed_is_started_again(aws: LocalAws, engine: Engine) -> None:
    [before] = containers_of(aws, engine, "serve")
    call(aws.workspace, engine, "kill", before["Id"])
    wait_until(lambda: [now["Id"] for now in containers_of(aws, engine, "serve")] not in ([], [before["Id"]]))

    assert predicted(aws) == "Speech"


@pytest.mark.parametrize(
    ("options", "expected"),
    [(["--cap-drop", "ALL"], "cannot become user 10001"), (["--cap-drop", "ALL", "--user", "4711"], "4711")],
    ids=["root-without-capabilities", "another-user"],
)
def test_root_that_cannot_be_given_up_ends_the_server_and_another_user_stays(
    aws: LocalAws, engine: Engine, tmp_path: Path, options: list[str], expected: str
) -> None:
    [running] = containers_of(aws, engine, "serve")
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


HANDLER = "snapstart_handler.handler"


def test_a_functions_image_predicts_from_a_snapshot_and_its_container_has_no_rights(
    aws: LocalAws, engine: Engine
) -> None:
    [published] = containers_of(aws, engine, HANDLER)  # INIT has run before the first event
    [row] = aws.predict(["container"], [SPEECH])
    assert row.result
    assert (row.result.item["label"], row.result.item["cold_start"]) == ("Speech", True)

    [container] = containers_of(aws, engine, HANDLER)
    host, process = container["HostConfig"], status(container)
    assert container["Id"] == published["Id"]
    assert (host["ReadonlyRootfs"], host["Memory"]) == (True, 4096 * 1024**2)
    assert [mount["Destination"] for mount in container["Mounts"]] == []  # the model is in the image
    user, group = LAMBDA_USER.split(":")
    assert (process["Uid"].split(), process["Gid"].split()) == ([user] * 4, [group] * 4)
    assert (int(process["CapEff"], 16), int(process["CapBnd"], 16), process["NoNewPrivs"]) == (0, 0, "1")
    variables = dict(variable.split("=", 1) for variable in container["Config"]["Env"])
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start"
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA")  # of the function's own role


def test_the_image_holds_what_a_zip_holds_and_the_model(aws: LocalAws, engine: Engine) -> None:
    [running] = containers_of(aws, engine, HANDLER)
    script = (
        "import os\nfor folder, _, names in os.walk('.'):\n  for name in names: print(os.path.join(folder, name)[2:])"
    )
    held = call(aws.workspace, engine, "exec", running["Id"], "python", "-c", script).splitlines()
    bundle = build_bundle(inference_bundle("audio"))

    zipped = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert set(held) == zipped | {"model/model.onnx"}


def test_a_library_can_write_to_its_home_and_to_nothing_else(aws: LocalAws, engine: Engine) -> None:
    [running] = containers_of(aws, engine, HANDLER)
    script = """if True:
        import os, pathlib
        for folder in (os.path.expanduser("~"), os.environ["XDG_CACHE_HOME"], os.environ["NUMBA_CACHE_DIR"]):
            pathlib.Path(folder, "cache").mkdir(parents=True)
        try:
            open("/var/task/cache", "w")
        except OSError as error:
            print("read-only" if error.errno == 30 else error)
    """
    answer = call(aws.workspace, engine, "exec", running["Id"], "python", "-c", script)
    assert answer.split() == ["read-only"]


def test_a_function_that_is_killed_is_started_again_and_one_that_is_deleted_is_ended(
    aws: LocalAws, engine: Engine
) -> None:
    [before] = containers_of(aws, engine, HANDLER)
    call(aws.workspace, engine, "kill", before["Id"])
    wait_until(lambda: containers_of(aws, engine, HANDLER) == [])
    assert predicted(aws, "container") == "Speech"
    assert len(containers_of(aws, engine, HANDLER)) == 1

    boto3.client("cloudformation").delete_stack(StackName="Crossover-Container")
    wait_until(lambda: containers_of(aws, engine, HANDLER) == [])
