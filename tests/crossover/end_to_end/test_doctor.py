"""`crossover doctor` on the local AWS: what is deployed passes, and what that AWS lacks or forbids is said."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import boto3
import pytest

from crossover.aws import Clients
from crossover.deployed import Variant
from crossover.doctor.checks import least_policy
from crossover.doctor.examine import examine
from crossover.local.work import LocalAws

pytestmark = pytest.mark.slow


def found(aws: LocalAws, clients: Clients) -> dict[str, tuple[str, str]]:
    """Status and what was found, by the check."""
    report = examine(clients, assembly=aws.workspace.assembly)
    return {finding.check: (finding.status.value, finding.what) for finding in report.findings}


@contextmanager
def user_who_may(clients: Clients, actions: list[str]) -> Iterator[Clients]:
    """The clients of a new user with these actions on all resources."""
    iam = clients("iam")
    name = {"UserName": "doctor"}
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.create_user(**name)
    iam.put_user_policy(**name, PolicyName="least", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(**name)["AccessKey"]
    yield cache(boto3.Session(key["AccessKeyId"], key["SecretAccessKey"]).client)
    iam.delete_access_key(**name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(**name, PolicyName="least")
    iam.delete_user(**name)


def test_the_deployed_stacks_can_be_deployed_again_with_the_permissions_that_the_help_names(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant]
) -> None:
    with user_who_may(clients, least_policy()) as user:
        checks = found(aws, user)
    stacks = ", ".join(variant.stack for variant in variants.values())
    assert checks["credentials"][0] == checks["bootstrap"][0] == checks["cost"][0] == "ok"
    assert checks["stacks"][1].startswith(f"deployed, and can be updated: {stacks}")
    assert checks["protection"] == ("ok", f"as deployed, or more: {stacks}")
    assert checks["Lambda concurrency"][0] in ("ok", "warning")
    assert checks["SageMaker quota"][0] == "unknown"  # the local AWS has no Service Quotas
    assert not [what for _, what in checks.values() if "needs" in what]
    # Whether this machine can build an image is another question.
    assert {check for check, (status, _) in checks.items() if status == "fails"} <= {"image"}


def test_without_a_permission_a_check_names_it_and_the_others_go_on(
    aws: LocalAws, clients: Clients, variants: dict[str, Variant]
) -> None:
    for left_out, check in (
        ("ssm:GetParameter", "bootstrap"),
        ("ecr:DescribeImages", "pushed image"),
        ("cloudformation:DescribeStacks", "stacks"),
    ):
        with user_who_may(clients, [action for action in least_policy() if action != left_out]) as user:
            checks = found(aws, user)
        assert checks[check] == ("unknown", f"could not be checked: needs {left_out}")
        assert checks["credentials"][0] == checks["cost"][0] == "ok"
