"""AWS clients: which region they are for, and where S3 Control is."""

import os
from pathlib import Path
from typing import Any

import pytest

from crossover.aws import open_clients


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-2"}, "eu-west-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
        ({"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
        ({}, "ap-south-1"),
    ],
)
def test_the_region_is_that_of_the_variables_that_the_cdk_reads_else_the_profiles(
    environment: dict[str, str], region: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = tmp_path / "config"
    config.write_text("[default]\nregion = ap-south-1\n")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AWS_CONFIG_FILE": str(config), **environment}.items():
        monkeypatch.setenv(name, value)

    assert open_clients()("sts").meta.region_name == region
    assert open_clients(default_region="us-east-1")("sts").meta.region_name == region


def test_where_no_region_is_set_it_is_the_default_that_was_given(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    assert open_clients(default_region="us-east-1")("sts").meta.region_name == "us-east-1"


@pytest.mark.parametrize(
    ("endpoint", "sent_to"),
    [
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566/"),
        ("http://localhost:4566", "http://localhost:4566/"),
        ("", "https://123456789012.s3-control.eu-west-1.amazonaws.com/"),
        ("https://s3.example.org", "https://123456789012.s3.example.org/"),
    ],
)
def test_s3_control_has_the_account_in_its_host_but_on_the_local_aws(
    endpoint: str, sent_to: str, monkeypatch: pytest.MonkeyPatch
):
    for name, value in {"REGION": "eu-west-1", "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

    class SentError(Exception):
        pass

    def send(request: Any, **_: Any) -> None:
        raise SentError(request.url)

    client = open_clients()("s3control")
    client.meta.events.register("before-send.s3-control", send)
    with pytest.raises(SentError, match=f"^{sent_to}v20180820/jobs$"):
        client.list_jobs(AccountId="123456789012")
