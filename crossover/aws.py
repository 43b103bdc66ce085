"""AWS clients: made for the user's region, their errors as one sentence, and AWS's own time."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Protocol

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from crossover.errors import CrossoverError, UsageError

# The Date header of a response has whole seconds, the times in events and messages have fractions.
CLOCK_TOLERANCE = timedelta(seconds=2)


class Clients(Protocol):
    """Gives AWS clients, as `boto3.client` does; called often, so it should cache them."""

    def __call__(self, service: str, /) -> Any: ...


def open_clients(*, connections: int = 10, default_region: str | None = None) -> Clients:
    """Clients of the user's account, or of what AWS_ENDPOINT_URL names; each is made when it is first used, and kept.

    The region is AWS_REGION, which boto3 alone does not read though the other SDKs do, else AWS_DEFAULT_REGION or the
    profile's.

    Args:
        connections: size of each client's connection pool.
        default_region: where none is set; without it, the clients raise NoRegionError.
    """
    import boto3  # here, because it takes half a second to import and not every command needs it
    from botocore.config import Config

    @cache
    def session() -> Any:
        return boto3.Session()  # not boto3's own, which keeps the environment of its first use

    @cache
    def client(service: str, /) -> Any:
        region = os.environ.get("AWS_REGION") or session().region_name or default_region
        opened = session().client(service, region_name=region, config=Config(max_pool_connections=connections))
        if service == "s3control":
            opened.meta.events.register("before-sign.s3-control", _without_account_in_host)
        return opened

    return client


def _without_account_in_host(request: Any, **_: Any) -> None:
    """Send a request of S3 Control to the local AWS as it listens: botocore puts the account before the host's name,
    and before an IP address too."""
    request.url = re.sub(r"^(https?://)\d{12}\.(?=[\d.]+[:/]|localhost[:/])", r"\1", request.url)


@contextlib.contextmanager
def aws_errors() -> Iterator[None]:
    """Turn what AWS clients raise into a message for a person.

    Raises:
        UsageError: no region or no credentials are configured, or not completely; AWS was not asked.
        CrossoverError: AWS could not be reached, or refused the request.
    """
    try:
        yield
    except NoRegionError as error:
        raise UsageError("No AWS region is configured; set AWS_REGION, or a region in the AWS profile.") from error
    except NoCredentialsError as error:
        raise UsageError(
            "No AWS credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ) from error
    except (PartialCredentialsError, ProfileNotFound) as error:
        raise UsageError(f"The AWS credentials cannot be used: {_clause(error)}.") from error
    except EndpointConnectionError as error:
        raise CrossoverError(f"AWS could not be reached: {_clause(error)}.") from error
    except (BotoCoreError, ClientError) as error:
        raise CrossoverError(f"The AWS request failed: {_clause(error)}.") from error


def _clause(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def response_time(response: Mapping[str, Any]) -> datetime:
    """When the service sent this response, by its own clock, since this machine's may be wrong; by this machine's
    where the response does not say."""
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)
