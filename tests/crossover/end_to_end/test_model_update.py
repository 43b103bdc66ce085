"""New models for deployed variants, one after the other, under load and with every rollout."""

from pathlib import Path

import pytest

from crossover.aws import Clients
from crossover.deployed import Variant
from crossover.local.work import LocalAws

from .conftest import synthesize
from .model_updates import cold_uploads, dead_letters, items_of, models_of, refused_reads, renamed_model, upload_to

# Several deployments take minutes; test_rollout.py has the one that `make test` waits for.
pytestmark = [pytest.mark.slow, pytest.mark.benchmark]


@pytest.mark.parametrize(
    ("rollout", "before", "after"), [("all-at-once", "1.1.0", "1.1.1"), ("canary", "1.2.0", "1.2.1")]
)
def test_while_a_new_model_takes_over_no_upload_is_lost_though_what_serves_the_old_one_starts_again(
    aws: LocalAws,
    clients: Clients,
    variants: dict[str, Variant],
    tmp_path: Path,
    rollout: str,
    before: str,
    after: str,
) -> None:
    def deploy(version: str) -> None:
        synth = synthesize(aws, model=renamed_model(tmp_path, version), rollout=rollout)
        synth.wait()
        aws.deploy(synth, aws.steps.step("cdk synth"))

    deploy(before)
    [old] = models_of(clients, upload_to(clients, *variants.values()))
    with cold_uploads(aws.workspace, clients, *variants.values()) as uploads:
        deploy(after)
    items = items_of(clients, uploads)
    later = items_of(clients, upload_to(clients, *variants.values()))
    [new] = {item["model_sha256"] for item in later} - {old}
    assert [item["predictor"] for item in later if item["model_sha256"] != new] == []
    assert {item["model_sha256"] for item in items} == {old, new}
    cold_on_the_old_one = [item for item in items if item["cold_start"] and item["model_sha256"] == old]
    assert {item["predictor"] for item in cold_on_the_old_one} >= {"standard", "snapstart", "efs", "container"}
    assert refused_reads(aws) == set()
    assert [dead_letters(clients, variant) for variant in variants.values()] == [0] * len(variants)
