"""The longest time that a record can wait for AWS, from the clients' real settings and botocore's own back-off."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.retries.standard import ExponentialBackoff, RetryContext

from inference import clients
from inference.endpoint_predictor import MAX_RETRYING_SECONDS

from .faulty_aws import FaultyAws, json_error, xml_error

# Time for everything but waiting, s: decoding and the model in a local variant; a function of 128 MB in the proxy.
LOCAL_SECONDS, PROXY_SECONDS = 30, 5


@pytest.fixture(scope="module")
def min_timeout() -> int:
    """The shortest time-out that a function can be given, s."""
    from stacks.settings import Settings, SettingsError  # imported here, since it takes seconds

    def allowed(seconds: int) -> bool:
        try:
            return bool(Settings(timeout_seconds=seconds))
        except SettingsError:
            return False

    return next(seconds for seconds in range(1, 901) if allowed(seconds))


def longest(service: str) -> float:
    """The duration of a call whose attempts all time out, with botocore's longest back-off each time, s."""
    client = clients.create_client(service)
    config = client.meta.config
    assert config.retries["mode"] == "standard"
    attempts = config.retries["total_max_attempts"]
    backoff = ExponentialBackoff(
        random=lambda: 1.0,
        service_name=client.meta.service_model.service_id.hyphenize(),
        throttling_detector=SimpleNamespace(is_throttling_error_from_context=lambda _: True),
    )
    asks_to_wait: Any = SimpleNamespace(headers={"x-amz-retry-after": str(10**9)})
    delays = [
        backoff.delay_amount(RetryContext(attempt_number=number, http_response=asks_to_wait))
        for number in range(1, attempts)
    ]
    seconds: float = attempts * (config.connect_timeout + config.read_timeout) + sum(delays)
    return seconds


@pytest.fixture(autouse=True)
def credentials(faulty: FaultyAws) -> None:
    """A client needs credentials and a region."""


def test_a_record_fails_with_its_own_error_before_a_local_variant_times_out(min_timeout: int) -> None:
    assert longest("s3") + longest("dynamodb") + LOCAL_SECONDS <= min_timeout


def test_a_record_fails_with_its_own_error_before_the_proxy_times_out(min_timeout: int) -> None:
    last_attempt = longest("sagemaker-runtime")
    assert MAX_RETRYING_SECONDS + last_attempt + longest("dynamodb") + PROXY_SECONDS <= min_timeout


def test_the_endpoint_is_waited_for_until_sagemaker_itself_gives_up() -> None:
    assert clients.create_client("sagemaker-runtime").meta.config.read_timeout > 60


def test_clients_make_as_many_attempts_as_configured(faulty: FaultyAws) -> None:
    faulty.answers = {
        "s3": [xml_error("SlowDown", 503)],
        "dynamodb": [json_error("ThrottlingException")],
        "sagemaker": [json_error("ServiceUnavailable", 503)],
    }
    calls = {
        "s3": lambda client: client.get_object(Bucket="b", Key="k"),
        "dynamodb": lambda client: client.put_item(TableName="t", Item={}),
        "sagemaker-runtime": lambda client: client.invoke_endpoint(EndpointName="e", Body=b""),
    }
    for service, call in calls.items():
        client = clients.create_client(service)
        with pytest.raises(ClientError):
            call(client)
        attempts = client.meta.config.retries["total_max_attempts"]
        assert len(faulty.bodies[service.removesuffix("-runtime")]) == attempts
