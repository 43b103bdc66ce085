"""The price of a backfill, by the published prices."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from crossover.aws import Clients
from crossover.backfill.price import price_of
from crossover.errors import UsageError

from .jobs_service import Jobs, Lambda, deploy, with_jobs


def test_a_million_objects_by_hand(clients: Clients) -> None:
    variant = deploy(clients)
    price = price_of(with_jobs(clients, Jobs()), variant, objects=1_000_000, seconds=0.1)
    usd = {line.name: float(line.usd) for line in price.lines}
    assert usd == {
        "S3 Batch Operations: job": 0.25,
        "S3 Batch Operations: objects": pytest.approx(1.0),
        "Lambda duration": pytest.approx(1e6 * 0.1 * 4 * 1.66667e-5, rel=1e-4),
        "Lambda requests": pytest.approx(0.2),
        "S3 downloads": pytest.approx(0.43),
        "DynamoDB writes": pytest.approx(0.7625),
        "logs": pytest.approx(1e6 * 1.5 / 1024**2 * 0.63),
    }
    assert price.usd == pytest.approx(sum(usd.values()))
    assert (price.seconds, price.memory_mb, price.region) == (0.1, 4096, "eu-central-1")


def test_the_endpoint_runs_anyway_and_is_not_in_the_price(clients: Clients) -> None:
    variant = replace(deploy(clients), name="sagemaker", endpoint="endpoint")
    names = {line.name for line in price_of(with_jobs(clients, Jobs()), variant, objects=1000).lines}
    assert {"proxy duration", "data in"} <= names
    assert not names & {"ml.t2.medium instances", "volumes"}


def test_in_a_region_without_prices_it_is_that_of_another(clients: Clients) -> None:
    class Elsewhere(Lambda):
        meta = SimpleNamespace(region_name="sa-east-1")

    assert price_of(lambda service, /: Elsewhere(), deploy(clients), objects=1).region == "us-east-1"


def test_a_duration_that_lambda_does_not_have_is_refused(clients: Clients) -> None:
    with pytest.raises(UsageError, match="warm_seconds"):
        price_of(with_jobs(clients, Jobs()), deploy(clients), objects=1, seconds=1000)
