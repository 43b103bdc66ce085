"""`cdk destroy` of a proof of concept leaves nothing that holds data, and of what costs money only the key."""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from crossover import deployed
from crossover.aws import Clients
from crossover.deployed import Variant
from crossover.local.work import LocalAws

from ..conftest import processes_of

pytestmark = pytest.mark.slow


def everything(clients: Clients, service: str, operation: str, name: str) -> list[Any]:
    """All that a paginated operation lists."""
    pages = clients(service).get_paginator(operation).paginate()
    return list(chain.from_iterable(page.get(name, []) for page in pages))


def test_destroying_leaves_nothing_but_the_key(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant], tmp_path: Path
) -> None:
    file = tmp_path / "stays.wav"
    file.write_text("no audio: there is an item for it, whatever model is deployed")
    for variant in variants.values():  # twice under one key, so that an older version of the object is there too
        for _ in range(2):
            deployed.predict(clients, variant, file, key="stays.wav", timeout_seconds=60)
    aws.cdk.destroy().wait()
    assert aws.stacks() == {"CDKToolkit": "CREATE_COMPLETE"}
    [bucket] = everything(clients, "s3", "list_buckets", "Buckets")
    assert bucket["Name"].startswith("cdk-")  # where bootstrap keeps the assets
    assert everything(clients, "dynamodb", "list_tables", "TableNames") == []
    assert everything(clients, "sqs", "list_queues", "QueueUrls") == []
    assert everything(clients, "lambda", "list_functions", "Functions") == []
    assert everything(clients, "efs", "describe_file_systems", "FileSystems") == []
    assert everything(clients, "logs", "describe_log_groups", "logGroups") == []
    assert everything(clients, "cloudwatch", "describe_alarms", "MetricAlarms") == []
    assert everything(clients, "sns", "list_topics", "Topics") == []
    assert everything(clients, "cloudwatch", "list_dashboards", "DashboardEntries") == []
    roles = [role["RoleName"] for role in everything(clients, "iam", "list_roles", "Roles")]
    assert [name for name in roles if not name.startswith("cdk-")] == []
    keys = [
        clients("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        for key in everything(clients, "kms", "list_keys", "Keys")
    ]
    ours = [key["KeyState"] for key in keys if key["KeyManager"] == "CUSTOMER"]
    assert ours == ["Enabled"] * len(variants)
    processes = processes_of(aws.workspace)
    assert not [command for command in processes if "awslambdaric" in command or "sagemaker_container" in command]
