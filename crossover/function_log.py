"""Which log a function writes."""

from botocore.exceptions import BotoCoreError, ClientError

from crossover.aws import Clients


def log_group(clients: Clients, function: str) -> str | None:
    """The name of a function's log group; None where it may not be asked for."""
    try:
        config = clients("lambda").get_function_configuration(FunctionName=function)
    except (BotoCoreError, ClientError):
        return None
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function}"
