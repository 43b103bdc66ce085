"""How the emulator reaches AWS, which is itself, and how what runs on it does.

A proxy can stand between the emulator and what runs on it (`way_to_aws`).
"""

import os
from typing import Any

import boto3
from ministack.core.responses import get_account_id, get_region


def gateway() -> str:
    """Where this emulator listens."""
    return f"http://{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"


def way_to_aws() -> str:
    """Where functions and containers find AWS, and S3 finds the functions: a proxy if AWS_REACHED_THROUGH names one."""
    return os.environ.get("AWS_REACHED_THROUGH") or gateway()


def aws_environment() -> dict[str, str]:
    """What a container needs to reach AWS with an SDK."""
    return {
        "AWS_ENDPOINT_URL": way_to_aws(),
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "AWS_ACCESS_KEY_ID": get_account_id(),
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def aws_client(service: str) -> Any:
    """A client for the emulator's own errands."""
    return boto3.session.Session().client(
        service,
        endpoint_url=gateway(),
        region_name=get_region(),
        aws_access_key_id=get_account_id(),
        aws_secret_access_key="local",
    )
