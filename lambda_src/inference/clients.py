"""AWS clients with deliberate time-outs and retries.

botocore rather than boto3, whose session and transfer layer would be unused here and would lengthen every cold start
(docs/decisions/0002-botocore-in-the-handlers.md).
"""

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import create_loader

# Connect and read time-outs in s, and the total attempts that botocore makes. The worst case of one record, attempts x
# (connect + read) plus the longest back-off for each of its calls, is below a function's minimum timeout_seconds, 120,
# with time to spare for the prediction: tests/lambda_src/test_clients.py adds it up. So a call fails with its own error
# before Lambda ends the function. S3 sends one record in an event; should it send more, and all of them take that long,
# Lambda ends the function and retries the event as a whole.
#
# What these figures do not bound: a read time-out applies to each read from the socket, so a body that arrives in small
# pieces can take any time, and a connect time-out applies to each address of a name. Then Lambda's own time-out ends
# the function, or SageMaker's 60 s the invocation of the endpoint, and the event is retried all the same.
#
# botocore does not retry SageMaker: it would also do so after a time-out, at up to 65 s each, and the same object would
# be predicted twice. EndpointPredictor retries what is refused quickly.
_CONFIGS = {
    "s3": {"connect_timeout": 2, "read_timeout": 10, "attempts": 3},
    "dynamodb": {"connect_timeout": 1, "read_timeout": 3, "attempts": 3},
    "sagemaker-runtime": {"connect_timeout": 2, "read_timeout": 65, "attempts": 1},  # SageMaker gives up after 60 s
}

# Caches parsed service descriptions, the costly part of a client; it has no other state, so it outlives the sessions.
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
            # Things that botocore would compute for each call: a tenth of the CPU time of a GetObject, a sixth of
            # a PutItem's.
            parameter_validation=False,  # AWS validates too
            user_agent="crossover",
            account_id_endpoint_mode="disabled",
        ),
    )


def forget_session() -> None:
    """Drop the session: the next client reads the credentials again and opens new connections."""
    global _session
    _session = None
