"""AWS clients with deliberate time-outs and retries.

botocore rather than boto3, which would import a session and a transfer layer that nobody here uses and every cold start
pays for (docs/decisions/0002-botocore-in-the-handlers.md).
"""

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import create_loader

# Connect and read time-outs in s, and how often a call is tried in all. Their worst case, attempts x (connect + read)
# plus back-off, stays under the function's 90 s, so that a call fails with its own reason before Lambda ends the
# function. SageMaker ends an invocation after 60 s itself, and is not called twice: the event is retried as a whole.
_CONFIGS = {
    "s3": {"connect_timeout": 2, "read_timeout": 10, "attempts": 3},
    "dynamodb": {"connect_timeout": 1, "read_timeout": 3, "attempts": 4},
    "sagemaker-runtime": {"connect_timeout": 2, "read_timeout": 65, "attempts": 1},
}

# Parsed service descriptions: the costly part of a client, and free of state, so it outlives the sessions.
_loader = create_loader()
_session: botocore.session.Session | None = None


def create_client(service: str) -> Any:
    """A botocore client for `s3`, `dynamodb` or `sagemaker-runtime`."""
    global _session
    if _session is None:
        _session = botocore.session.Session()
        _session.register_component("data_loader", _loader)
    settings = _CONFIGS[service]
    return _session.create_client(
        service,
        config=Config(
            connect_timeout=settings["connect_timeout"],
            read_timeout=settings["read_timeout"],
            retries={"mode": "standard", "total_max_attempts": settings["attempts"]},
            # Three things that botocore would work out anew for each call: a tenth of a GetObject's own time, a sixth
            # of a PutItem's.
            parameter_validation=False,  # AWS validates too
            user_agent="crossover",
            account_id_endpoint_mode="disabled",
        ),
    )


def forget_session() -> None:
    """Drop the session: the next client gets fresh credentials, and no connection from before a snapshot."""
    global _session
    _session = None
