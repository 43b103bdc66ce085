"""The account of the local AWS: its number, its region, the key of its root, and its quotas."""

from dataclasses import dataclass

ACCOUNT = "000000000000"
REGION = "us-east-1"
ROOT_KEY = "local"
"""Access key and secret of the command line. Nothing else gets it: functions and containers act as their roles."""

ROOT_CREDENTIALS = {"AWS_ACCESS_KEY_ID": ROOT_KEY, "AWS_SECRET_ACCESS_KEY": ROOT_KEY, "AWS_SESSION_TOKEN": ""}


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Lambda's quotas of the account; None is as AWS raises it.

    A new account of AWS has 3,008 MB and often 10 concurrent executions.
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html

    Attributes:
        max_memory_mb: of a function; None is 10,240.
        max_concurrency: executions at a time, of all functions together; None is up to 1,000, as this machine allows.
    """

    max_memory_mb: int | None = None
    max_concurrency: int | None = None

    def environment(self) -> dict[str, str]:
        """The environment variables that tell the emulator."""
        values = {"LAMBDA_MAX_MEMORY_MB": self.max_memory_mb, "LAMBDA_ACCOUNT_CONCURRENCY": self.max_concurrency}
        return {name: str(value) for name, value in values.items() if value is not None}


def root_authorization(service: str) -> str:
    """The Authorization header of a request by the account's root, whose signature is not verified here."""
    return f"AWS4-HMAC-SHA256 Credential={ROOT_KEY}/20260101/{REGION}/{service}/aws4_request"
