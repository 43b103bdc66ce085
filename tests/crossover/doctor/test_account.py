"""Whose credentials these are, and for which region."""

import os
from pathlib import Path
from typing import Any

import boto3
import pytest

from crossover.aws import open_clients
from crossover.doctor.account import find_account
from tests.crossover.doctor.stubs import Aws

ARN = "arn:aws:iam::123456789012:user/me"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def findings(clients: Any) -> list[tuple[str, str, str]]:
    return [(finding.check, finding.status.value, finding.what) for finding in find_account(clients).findings]


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_caller_and_the_region_are_named(aws: Aws, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "eu-west-1")
    aws.answers("sts", "get_caller_identity", {"Account": "123456789012", "Arn": ARN})
    account = find_account(aws)
    assert (account.number, account.region, account.is_known) == ("123456789012", "eu-west-1", True)
    assert [finding.what for finding in account.findings] == [f"{ARN}, account 123456789012", f"eu-west-1, from {name}"]


def test_two_regions_that_differ_are_a_warning(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    aws.answers("sts", "get_caller_identity", {"Account": "123456789012", "Arn": ARN})
    _, (check, status, found) = findings(aws)
    assert (check, status) == ("region", "warning")
    assert found.startswith("eu-west-1, from AWS_REGION; AWS_DEFAULT_REGION is us-east-2")


def test_the_region_may_be_the_profiles(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile mine]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    aws.answers("sts", "get_caller_identity", {"Account": "123456789012", "Arn": ARN})
    assert findings(aws)[1] == ("region", "ok", "eu-central-1, from the AWS profile")


def test_without_a_region_it_is_the_one_that_the_cdk_would_deploy_to(aws: Aws) -> None:
    aws.answers("sts", "get_caller_identity", {"Account": "123456789012", "Arn": ARN})
    account = find_account(aws)
    assert (account.number, account.region, account.is_known) == ("123456789012", "us-east-1", True)
    _, region = account.findings
    assert region.status.value == "warning"
    assert region.what.startswith("none is set, so the CDK would deploy to us-east-1")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("ExpiredToken", "the credentials have expired"),
        ("ExpiredTokenException", "the credentials have expired"),
        ("InvalidClientTokenId", "AWS refuses them: InvalidClientTokenId"),
    ],
)
def test_credentials_that_aws_refuses_fail(aws: Aws, monkeypatch: pytest.MonkeyPatch, code: str, found: str) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    aws.refuses("sts", "get_caller_identity", code)
    assert findings(aws)[0] == ("credentials", "fails", found)
    assert not find_account(lambda service: aws(service)).is_known


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, "there are none"),
        ({"AWS_PROFILE": "gone"}, "The AWS credentials cannot be used: The config profile (gone) could not be found."),
        (
            {"AWS_ACCESS_KEY_ID": "a"},
            "The AWS credentials cannot be used: Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY.",
        ),
    ],
)
def test_missing_credentials_fail(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], found: str) -> None:
    for name, value in {"AWS_REGION": "eu-west-1", **environment}.items():
        monkeypatch.setenv(name, value)
    assert findings(open_clients())[0] == ("credentials", "fails", found)
