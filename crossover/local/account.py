"""The account of the local AWS, and the key of its root."""

ACCOUNT = "000000000000"
REGION = "us-east-1"
ROOT_KEY = "local"
"""Access key and secret of the command line. Nothing else gets it: functions and containers act as their roles."""

ROOT_CREDENTIALS = {"AWS_ACCESS_KEY_ID": ROOT_KEY, "AWS_SECRET_ACCESS_KEY": ROOT_KEY, "AWS_SESSION_TOKEN": ""}


def root_authorization(service: str) -> str:
    """The Authorization header of a request by the account's root, whose signature is not verified here."""
    return f"AWS4-HMAC-SHA256 Credential={ROOT_KEY}/20260101/{REGION}/{service}/aws4_request"
