"""Which log a function writes."""

import contextlib
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from crossover.aws import Clients


def log_group(clients: Clients, function: str) -> str:
    """The name of a function's log group; its usual name where it may not be asked for."""
    config: dict[str, Any] = {}
    with contextlib.suppress(BotoCoreError, ClientError):
        config = clients("lambda").get_function_configuration(FunctionName=function)
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function}"
