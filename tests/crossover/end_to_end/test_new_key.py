"""Another key replaces the file system of `efs` under its live version; in a local AWS of its own: the keys stay."""

from collections.abc import Iterator
from functools import cache

import boto3
import pytest

from crossover.aws import Clients
from crossover.deployed import find_variants
from crossover.local.work import LocalAws
from crossover.local.workspace import Workspace
from crossover.project import stack_prefix

from ..conftest import running_emulator
from .conftest import synthesize
from .model_updates import cold_uploads, dead_letters, models_of, upload_to

# Three deployments of one stack take minutes; test_efs_lambda.py compares the templates.
pytestmark = [pytest.mark.slow, pytest.mark.benchmark]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    workspace.create()
    with running_emulator(workspace) as aws:
        yield aws


@pytest.fixture(scope="module")
def clients(aws: LocalAws) -> Clients:
    return cache(boto3.client)


def file_systems(clients: Clients) -> set[str]:
    return {each["FileSystemId"] for each in clients("efs").describe_file_systems()["FileSystems"]}


def test_while_the_file_system_is_replaced_no_cold_start_fails(aws: LocalAws, clients: Clients) -> None:
    def deploy(encryption: str) -> None:
        synth = synthesize(aws, variants="efs", backfill="false", encryption=encryption)
        aws.deploy(synth, aws.steps.step("cdk synth"))

    aws.bootstrap()
    deploy("aws")
    [variant] = find_variants(clients, prefix=stack_prefix(), names=["efs"])
    [model] = models_of(clients, upload_to(clients, variant))
    for encryption in ("customer", "aws"):
        before = file_systems(clients)
        with cold_uploads(aws.workspace, clients, variant) as uploads:
            deploy(encryption)
        assert not before & file_systems(clients)
        assert models_of(clients, [*uploads, *upload_to(clients, variant)]) == {model}
    assert dead_letters(clients, variant) == 0
    assert aws.started
    assert not [use for use in aws.started.refused_permissions() if use[1].startswith("elasticfilesystem:")]
