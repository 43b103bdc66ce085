"""Whose credentials these are, and for which region: what every other check needs."""

import os
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from crossover.aws import Clients, aws_errors
from crossover.doctor.result import Finding, Status
from crossover.errors import CrossoverError

CREDENTIALS, REGION = "credentials", "region"
DEFAULT_REGION = "us-east-1"  # of the CDK


@dataclass(frozen=True, kw_only=True)
class Account:
    """What is known of the account.

    Attributes:
        number: empty where there are no valid credentials.
        region: the CDK's default where none is set.
        findings: of the checks of both.
    """

    number: str
    region: str
    findings: tuple[Finding, ...]

    @property
    def is_known(self) -> bool:
        """Whether AWS can be asked."""
        return bool(self.number)


def find_account(clients: Clients) -> Account:
    """Ask STS who the caller is, which needs no permission.

    Args:
        clients: for DEFAULT_REGION where no region is set.
    """
    region, found = _region()
    try:
        with aws_errors():
            identity = clients("sts").get_caller_identity()
    except CrossoverError as error:
        return Account(number="", region=region, findings=(_invalid(error), found))
    who = Finding(CREDENTIALS, Status.OK, f"{identity['Arn']}, account {identity['Account']}")
    return Account(number=identity["Account"], region=region, findings=(who, found))


def _invalid(error: CrossoverError) -> Finding:
    cause = error.__cause__
    code = cause.response.get("Error", {}).get("Code", "") if isinstance(cause, ClientError) else ""
    if "Expired" in code:
        return Finding(CREDENTIALS, Status.FAILS, "the credentials have expired", "Sign in again.")
    if code:
        return Finding(CREDENTIALS, Status.FAILS, f"AWS refuses them: {code}", "Use others, or sign in again.")
    if isinstance(cause, NoCredentialsError):
        return Finding(CREDENTIALS, Status.FAILS, "there are none", "Set AWS_PROFILE or the keys, or sign in.")
    return Finding(CREDENTIALS, Status.FAILS, str(error))


def _region() -> tuple[str, Finding]:
    """The region that the CDK and these commands use, and where it is set."""
    import boto3  # here, because it takes half a second to import

    names = ("AWS_REGION", "AWS_DEFAULT_REGION")
    for name in names:
        if region := os.environ.get(name):
            other = os.environ.get("AWS_DEFAULT_REGION", region)
            if other != region:
                return region, Finding(
                    REGION,
                    Status.WARNING,
                    f"{region}, from AWS_REGION; AWS_DEFAULT_REGION is {other}, which boto3 uses",
                    "Set both to the same.",
                )
            return region, Finding(REGION, Status.OK, f"{region}, from {name}")
    try:
        profile_region = boto3.Session().region_name or ""
    except BotoCoreError:  # there is no such profile, which the credentials' check says
        profile_region = ""
    if profile_region:
        return profile_region, Finding(REGION, Status.OK, f"{profile_region}, from the AWS profile")
    found = f"none is set, so the CDK would deploy to {DEFAULT_REGION}, which is what is checked"
    return DEFAULT_REGION, Finding(REGION, Status.WARNING, found, "Set AWS_REGION, or a region in the AWS profile.")
