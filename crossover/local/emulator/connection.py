"""The endpoint URLs of this AWS: the emulator's own, and the one that functions and containers use."""

import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from ministack.core.responses import get_region


def gateway() -> str:
    """The endpoint URL that this emulator listens on."""
    return f"http://{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"


def endpoint_url() -> str:
    """The endpoint URL for functions, containers and S3's events: FUNCTIONS_ENDPOINT_URL, a proxy's, if it is set."""
    return os.environ.get("FUNCTIONS_ENDPOINT_URL") or gateway()


def aws_environment(credentials: Mapping[str, str]) -> dict[str, str]:
    """The environment variables with which a container's SDK uses this AWS.

    Args:
        credentials: the variables with the credentials of its role.
    """
    return {
        "AWS_ENDPOINT_URL": endpoint_url(),
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        **credentials,
    }


def aws_client(service: str, credentials: Mapping[str, str], config: Config | None = None) -> Any:
    """A client for the emulator itself, with the credentials of a role."""
    session = boto3.session.Session(
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=credentials["AWS_SESSION_TOKEN"],
        region_name=get_region(),
    )
    return session.client(service, endpoint_url=gateway(), config=config)
