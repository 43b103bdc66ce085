"""One local AWS with all variants for the tests of this folder, deployed by the real CDK.

Deploying takes most of the time, so the files share it and run in the order of their names; the last one destroys it.
Each also runs alone.
"""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import boto3
import pytest

from crossover.aws import Clients
from crossover.deployed import Variant, find_variants
from crossover.local.commands import Command
from crossover.local.python_environments import LAMBDA_PYTHON, find_interpreter
from crossover.local.work import LocalAws
from crossover.local.workspace import Workspace
from crossover.paths import sources
from crossover.project import stack_prefix

from ..conftest import running_emulator

MODEL = sources() / "model/model.onnx"
VARIANTS = ["standard", "snapstart", "sagemaker", "provisioned", "efs", "container"]
# Everything on that the local AWS knows, so that destroying has to take it away again.
SETTINGS = {
    "encryption": "customer",
    "bucket_versioning": "true",
    "backfill": "true",
    "monitoring": "true",
    "alarm_email": "ops@example.org",
    "tracing": "true",
    "tags": "team=audio",
}


def synthesize(aws: LocalAws, *, model: Path = MODEL, **settings: str) -> Command:
    """Begin to synthesize the app with a model, and more settings."""
    python = find_interpreter().version
    local_python = {} if python == LAMBDA_PYTHON else {"local_python": python}
    fixed = {"variants": ",".join(VARIANTS), "model_path": str(model), **SETTINGS, **local_python}
    return aws.cdk.synthesize({**fixed, **settings})


@pytest.fixture(scope="package")
def aws(workspace: Workspace) -> Iterator[LocalAws]:
    with running_emulator(workspace, settings={"LAMBDA_QUEUE_RETRY_SECONDS": "1"}) as aws:
        yield aws


@pytest.fixture(scope="package")
def clients(aws: LocalAws) -> Clients:
    """Clients of the local AWS."""
    return cache(boto3.client)


@pytest.fixture(scope="package")
def variants(aws: LocalAws, clients: Clients) -> dict[str, Variant]:
    """The deployed variants, by their names."""
    synth = synthesize(aws)
    aws.bootstrap()
    aws.deploy(synth, aws.steps.step("cdk synth"))
    found = find_variants(clients, prefix=stack_prefix(), names=VARIANTS)
    return {variant.name: variant for variant in found}


@pytest.fixture(scope="package")
def command_line(workspace: Workspace, aws: LocalAws) -> dict[str, str]:
    """The environment of a person at the command line, who knows nothing of the emulator's address."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**own, "CROSSOVER_FOLDER": str(workspace.folder)}
