"""The price of a backfill, by the published prices."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from crossover.aws import Clients
from crossover.backfill import display
from crossover.backfill.objects import Count
from crossover.backfill.price import Price, price_of
from crossover.errors import UsageError

from .jobs_service import Jobs, Lambda, deploy, with_jobs


def usd_of(price: Price) -> dict[str, float]:
    return {line.name: float(line.usd) for line in price.lines}


def test_a_million_objects_by_hand(clients: Clients) -> None:
    variant = deploy(clients)
    price = price_of(with_jobs(clients, Jobs()), variant, objects=1_000_000, seconds=0.1)
    usd = usd_of(price)
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
    assert not names & {"ml.t2.medium instances", "volumes", "queue requests"}


def test_arm64_has_its_own_prices(clients: Clients) -> None:
    clients_of_arm = with_jobs(clients, Jobs(), Lambda(Architectures=["arm64"]))
    price = price_of(clients_of_arm, deploy(clients), objects=1_000_000, seconds=0.1)
    assert usd_of(price)["Lambda duration"] == pytest.approx(1e6 * 0.1 * 4 * 1.33334e-5, rel=1e-4)
    assert price.architecture == "arm64"


def test_objects_are_priced_as_if_nothing_were_kept_ready(clients: Clients) -> None:
    variant, with_functions = deploy(clients), with_jobs(clients, Jobs())
    standard = price_of(with_functions, variant, objects=1_000_000)
    for name in ("provisioned", "snapstart", "efs", "container", "my-own"):
        assert price_of(with_functions, replace(variant, name=name), objects=1_000_000) == standard


@pytest.mark.parametrize(
    ("name", "said"), [("provisioned", "no environment were kept ready"), ("efs", "from EFS"), ("my-own", "")]
)
def test_what_the_price_assumes_of_a_variant_is_said(
    clients: Clients, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    variant = replace(deploy(clients), name=name)
    counted = Count(objects=1, size_bytes=1, listed=1, is_complete=True)
    display.print_price(price_of(with_jobs(clients, Jobs()), variant, objects=1), counted, variant, is_rehearsal=False)
    output = capsys.readouterr().out
    assert said in output
    assert ("kept ready" in output, "from EFS" in output) == (name == "provisioned", name == "efs")


def test_results_and_items_cost_what_they_may_at_most(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = replace(deploy(clients), results_bucket="results")
    small = usd_of(price_of(with_jobs(clients, Jobs()), variant, objects=1_000_000))
    assert small["S3 results"] == pytest.approx(5.4)
    table = {"Table": {"ItemCount": 1000, "TableSizeBytes": 1000 * 2500}}  # three write units each
    monkeypatch.setattr(clients("dynamodb"), "describe_table", lambda **_: table)
    price = price_of(with_jobs(clients, Jobs()), variant, objects=1_000_000)
    assert price.item_kb == pytest.approx(2.44, abs=0.01)
    assert usd_of(price)["DynamoDB writes"] == pytest.approx(3 * small["DynamoDB writes"])
    assert usd_of(price)["DynamoDB writes, second"] == pytest.approx(3 * small["DynamoDB writes"] / 1000)


def test_a_million_more_cost_the_same_each(clients: Clients) -> None:
    variant = deploy(clients)
    price = price_of(with_jobs(clients, Jobs()), variant, objects=2_000_000)
    assert price.usd == pytest.approx(0.25 + 2 * price.usd_per_million)
    assert price_of(with_jobs(clients, Jobs()), variant, objects=0).usd_per_million == price.usd_per_million


def test_a_million_more_are_predicted_again_where_there_are_items_left(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant, with_functions = deploy(clients), with_jobs(clients, Jobs())
    table = {"Table": {"ItemCount": 1_500_000, "TableSizeBytes": 1024}}
    monkeypatch.setattr(clients("dynamodb"), "describe_table", lambda **_: table)
    first, last, none = (
        price_of(with_functions, variant, objects=objects).usd_per_million
        for objects in (500_000, 1_000_000, 1_500_000)
    )
    assert [first - none, last - none] == pytest.approx([0.7625, 0.7625 / 2])


def test_in_a_region_without_prices_it_is_that_of_another(clients: Clients) -> None:
    elsewhere = Lambda()
    elsewhere.meta = SimpleNamespace(region_name="sa-east-1")
    assert price_of(with_jobs(clients, Jobs(), elsewhere), deploy(clients), objects=1).region == "us-east-1"


def test_a_duration_that_lambda_does_not_have_is_refused(clients: Clients) -> None:
    with pytest.raises(UsageError, match="warm_seconds"):
        price_of(with_jobs(clients, Jobs()), deploy(clients), objects=1, seconds=1000)
