"""AWS clients: which region they are for."""

import os
from pathlib import Path

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
