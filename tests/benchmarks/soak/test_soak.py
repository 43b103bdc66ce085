"""A short soak of all variants with every fault; and that a broken pipeline fails it."""

import os
from collections.abc import Iterator

import boto3
import pytest
from rich.console import Console

from benchmarks.soak.faults import FAULTS, faults_of
from benchmarks.soak.run import NegativeControl, Options, Report, SoakedAws, events_of, soak, soaked_aws
from crossover.deployed import find_variants
from crossover.local.chosen_model import choose_model
from crossover.local.workspace import Workspace
from crossover.project import stack_prefix
from tests.crossover.conftest import processes_of
from tests.crossover.waiting import wait_until

pytestmark = pytest.mark.slow

VARIANTS = ("standard", "snapstart", "sagemaker")
CONCURRENCY = 16  # most of what is under way waits
# Its short plan has every fault, and none that lasts among those that the SageMaker proxy waits a minute for.
SEED = 20


@pytest.fixture(scope="module")
def local(workspace: Workspace) -> Iterator[SoakedAws]:
    before = dict(os.environ)
    try:
        with soaked_aws(
            workspace, VARIANTS, choose_model(""), concurrency=CONCURRENCY, console=Console(stderr=True)
        ) as local:
            boto3.setup_default_session()  # the one of the other tests may have other credentials
            yield local
    finally:
        os.environ.clear()
        os.environ.update(before)
        boto3.setup_default_session()
    wait_until(lambda: processes_of(workspace) == [])


@pytest.fixture(autouse=True)
def empty(local: SoakedAws) -> None:
    """Without the items and dead letters of the soak before."""
    table = boto3.client("dynamodb")
    for variant in find_variants(boto3.client, prefix=stack_prefix()):
        boto3.client("sqs").purge_queue(QueueUrl=variant.dead_letter_queue)
        for item in table.scan(TableName=variant.table)["Items"]:
            table.delete_item(TableName=variant.table, Key={"object_key": item["object_key"]})


def soaked(
    local: SoakedAws, *, uploads: int, fault_rate: float, negative_control: NegativeControl | None = None
) -> Report:
    options = Options(
        uploads=uploads,
        variants=VARIANTS if fault_rate else ("standard",),
        fault_rate=fault_rate,
        seed=SEED,
        concurrency=CONCURRENCY,
        timeout_seconds=300,
        negative_control=negative_control,
    )
    report = soak(options, local)
    assert report.is_finished
    return report


def test_under_every_fault_every_upload_ends_as_promised(local: SoakedAws) -> None:
    report = soaked(local, uploads=60, fault_rate=1)
    assert report.audit.problems == []
    assert report.holds
    total = report.audit.count()
    assert total["uploaded"] == total["succeeded"] + total["failed"] + total["dead-lettered"] == 60
    assert min(total["succeeded"], total["failed"], total["dead-lettered"]) > 0
    # The planned faults were really met: by each function all that it can meet, by the three variants together all.
    met = {variant: {fault for name, fault in report.traffic.injected if name == variant} for variant in VARIANTS}
    for variant in ("standard", "snapstart"):
        assert met[variant] == {fault.name for fault in faults_of(has_endpoint=False)}
    assert set().union(*met.values()) == {fault.name for fault in FAULTS}
    events = events_of(report)
    assert events["events"] == 60
    assert events["deliveries"] == 60 + events["delivered twice"] > 60
    assert events["late"] > 0
    assert events["overwritten objects"] > 0


def test_lost_events_are_detected(local: SoakedAws) -> None:
    report = soaked(local, uploads=25, fault_rate=0, negative_control=NegativeControl.LOSE_EVENTS)
    assert not report.holds
    assert report.audit.count()["lost"] == 2
    assert len(report.audit.problems) == 2


def test_a_store_that_overwrites_newer_results_is_detected(local: SoakedAws) -> None:
    report = soaked(local, uploads=60, fault_rate=0, negative_control=NegativeControl.OVERWRITE)
    assert not report.holds
    assert report.audit.count()["stale overwrites"] > 0
    assert report.audit.count()["lost"] == 0
