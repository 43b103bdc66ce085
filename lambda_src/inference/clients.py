"""AWS clients with deliberate time-outs and retries.

botocore rather than boto3, which would import a session and a transfer layer that nobody here uses and every cold start
pays for (docs/decisions/0002-botocore-in-the-handlers.md).
"""

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import create_loader

# Connect and read time-outs in s, and how often botocore tries a call in all. The worst case of one record, attempts x
# (connect + read) and the longest back-off between them for each call that it takes, stays under the least
# timeout_seconds of a function, 120, with time left to compute in: tests/lambda_src/test_clients.py adds it up. So a
# call fails with its own reason before Lambda ends the function. S3 sends one record in an event; should it send more,
# and all of them wait for so long, Lambda ends the function and the event is retried as a whole.
#
# What these figures do not bound: a read time-out is for each read from the socket, so a body that drips can take any
# time, and a connect time-out is for each address of a name. There Lambda's own time-out ends the function, SageMaker's
# 60 s the invocation of the endpoint, and the event is retried all the same.
#
# botocore does not try SageMaker again: it would do so after a time-out too, at up to 65 s each, and the same file
# would be computed twice. EndpointPredictor tries again what is refused quickly.
_CONFIGS = {
    "s3": {"connect_timeout": 2, "read_timeout": 10, "attempts": 3},
    "dynamodb": {"connect_timeout": 1, "read_timeout": 3, "attempts": 3},
    "sagemaker-runtime": {"connect_timeout": 2, "read_timeout": 65, "attempts": 1},  # SageMaker itself ends after 60 s
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
