"""The endpoint URLs of this AWS: the emulator's own, and the one that functions and containers use."""

import os
from typing import Any

import boto3
from ministack.core.responses import get_account_id, get_region


def gateway() -> str:
    """The endpoint URL that this emulator listens on."""
    return f"http://{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"


def endpoint_url() -> str:
    """The endpoint URL for functions, containers and S3's events: FUNCTIONS_ENDPOINT_URL, a proxy's, if it is set."""
    return os.environ.get("FUNCTIONS_ENDPOINT_URL") or gateway()


def aws_environment() -> dict[str, str]:
    """The environment variables with which a container's SDK uses this AWS."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url(),
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        "AWS_ACCESS_KEY_ID": get_account_id(),
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def aws_client(service: str) -> Any:
    """A client for the emulator itself."""
    return boto3.session.Session().client(
        service,
        endpoint_url=gateway(),
        region_name=get_region(),
        aws_access_key_id=get_account_id(),
        aws_secret_access_key="local",
    )
