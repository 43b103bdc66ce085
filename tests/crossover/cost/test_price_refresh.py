"""A refresh finds exactly the intended products, and refuses anything ambiguous."""

import json
import re
import urllib.request
from collections.abc import Iterable
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber

from crossover.cost import price_list
from crossover.cost.price_list import BulkFiles, PriceListError, Product, QueryApi
from crossover.cost.price_refresh import refresh
from crossover.cost.price_sources import SOURCES, PriceSource
from crossover.cost.prices import Price, load, read, save
from crossover.errors import CrossoverError, UsageError
from tests.crossover.cost.price_lists import (
    OFFERS,
    Files,
    bulk,
    filters_of,
    index_path,
    path,
    pricing_client,
    served,
    stub_ec2,
)

QUERIED = [source for source in SOURCES if source.is_queried]
BY_ID = {source.id: source for source in SOURCES}


class NoApi:
    """Stands where the API must not be asked."""

    def products(self, source: PriceSource, region: str) -> Iterable[Product]:
        raise AssertionError(f"{source.id} in {region} was asked for")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def files() -> Files:
    return Files("us-east-1", "eu-west-1")


def refreshed(files: Files, *only: str, region: str = "us-east-1", old: Iterable[Price] = ()) -> dict[str, Price]:
    """The prices whose names begin so, from the files alone."""
    with bulk(files) as source:
        found = refresh(old, [region], files=source, api=NoApi(), only=only)
    return {price.id: price for price in found.renewed}


def failure(files: Files, *only: str, region: str = "us-east-1", old: Iterable[Price] = ()) -> str:
    with pytest.raises(CrossoverError) as failed:
        refreshed(files, *only, region=region, old=old)
    return str(failed.value)


def terms_of(document: Any, sku: str) -> Any:
    [term] = document["terms"]["OnDemand"][sku].values()
    return term


def dimension_of(document: Any, sku: str) -> Any:
    [dimension] = terms_of(document, sku)["priceDimensions"].values()
    return dimension


def test_everything_for_one_region_gives_a_snapshot_that_counts(files: Files, tmp_path: Any) -> None:
    client = pricing_client()
    stubber = stub_ec2(client, QUERIED, ["us-east-1"])
    with bulk(files) as source:
        found = refresh(read(), ["us-east-1"], files=source, api=QueryApi(lambda: client))
    stubber.assert_no_pending_responses()
    save(found.prices, tmp_path / "new.json")
    before, after = load("us-east-1"), load("us-east-1", tmp_path / "new.json")
    assert set(after.by_id) == set(before.by_id)
    assert {price_id: price.value for price_id, price in after.by_id.items()} == {
        price_id: pytest.approx(price.value, rel=1e-9) for price_id, price in before.by_id.items()
    }
    assert {price.status for price in after.by_id.values()} == {"confirmed"}
    assert (found.kept, found.absent) == ((), ())
    others = {price for price in read() if price.region != "us-east-1"}
    assert others <= set(found.prices)
    assert len(found.prices) == len(read())


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_every_price_is_one_product_among_its_neighbours(files: Files, region: str) -> None:
    found = refreshed(files, *(source.id for source in SOURCES if not source.is_queried), region=region)
    skus = {price_id: price.source.rpartition("SKU ")[2] for price_id, price in found.items()}
    assert len(set(skus.values())) == len(skus) == sum(not source.is_queried for source in SOURCES)
    assert skus["lambda.gb_second"] == "TG3M4CAGBA3NYQBH"  # not the one of ARM, of Edge, or the free tier
    assert skus["lambda.request"] == "GU2ZS9HVP6QTQ7KE"
    assert skus["lambda.provisioned.gb_second"] == "PROVISIONED"
    assert skus["lambda.arm.ready_gb_second"] == "PROVISIONEDARM"
    assert skus["dynamodb.write_unit"] == "WRITEUNITS"  # not IA-WriteRequestUnits
    assert skus["nlb.hour"] == "YKBGGP5EBGDU9T5W"  # not an application's, a gateway's or a trust store's
    assert skus["nlb.lcu_hour"] == "XZ2DR556MD28P9WJ"
    assert skus["efs.read_gb"] == "EFSREAD"  # the same usage type as writing
    assert skus["efs.storage_gb_month"] == "EFSSTANDARD"
    assert skus["logs.ingest_gb"] == "INGESTED"
    assert skus["sqs.request"] == "STANDARDQUEUE"  # not of FIFO queues, or the free tier
    assert skus["s3.put"] == "E9YHNFENF4XQBZR6"
    assert skus["s3.storage_gb_month"] == "WP9ANXZGBYYSGJEA"
    assert skus["ipv4.hour"] == "IPV4INUSE"
    assert skus["vpc_endpoint.hour"] == "ENDPOINTHOURS"
    assert skus["sagemaker.host.ml.m5.xlarge"] == "JDZQJFUVUR8SUWHS"
    assert skus["sagemaker.host.storage_gb_month"] == "HOSTVOLUME"
    assert skus["sagemaker.data_out_gb"] == "DATAOUT"


def test_ec2_is_found_among_other_systems_tenancies_and_reservations() -> None:
    client = pricing_client()
    stub_ec2(client, QUERIED, ["us-east-1"])
    found = refresh(
        (), ["us-east-1"], files=NoApi(), api=QueryApi(lambda: client), only=["ec2.", "ebs.", "nat."]
    ).renewed
    skus = {price.id: price.source.rpartition("SKU ")[2] for price in found}
    assert skus["ec2.c5.large"] == "BOXC5LARGE"
    assert skus["ec2.credit.t3"] == "CREDITST3"
    assert (skus["nat.hour"], skus["nat.gb"]) == ("M2YSHUBETB3JX4M4", "59S5R83GFPUAGVR5")
    assert skus["ebs.gp3_gb_month"] == "GP3"
    [price] = [price for price in found if price.id == "ec2.c5.large"]
    assert price.source == "AWS Price List Query API, AmazonEC2, SKU BOXC5LARGE"
    assert (price.date, price.value, price.usage_type) == ("2026-10-01", 0.085, "BoxUsage:c5.large")


def test_a_price_names_its_source_and_date(files: Files) -> None:
    with served(files) as host:
        found = refresh((), ["us-east-1"], files=BulkFiles(host), api=NoApi(), only=["lambda.request"])
    assert found.renewed == (
        Price(
            id="lambda.request",
            region="us-east-1",
            tiers=((0.0, 2e-7),),
            unit="USD/request",
            source=f"{host}{path('AWSLambda')}, SKU GU2ZS9HVP6QTQ7KE",
            date="2026-09-19",
            status="confirmed",
            usage_type="Request",
        ),
    )


def test_tiers_are_sorted_by_their_start(files: Files) -> None:
    tiers = refreshed(files, "lambda.gb_second")["lambda.gb_second"].tiers
    assert tiers == ((0, 1.66667e-5), (6e9, 1.5e-5), (15e9, 1.33334e-5))


def test_the_free_tier_is_skipped_and_the_others_count_from_its_end(files: Files) -> None:
    document = files.document("AmazonSageMaker")
    dimensions = terms_of(document, "PUE6HBQ8KFHBUN5T")["priceDimensions"]
    [paid] = [each for each in dimensions.values() if each["endRange"] == "Inf"]
    paid["endRange"] = "1150000"
    dimensions["more"] = {**paid, "beginRange": "1150000", "endRange": "Inf", "pricePerUnit": {"USD": "0.00003"}}
    files.put("AmazonSageMaker", document)
    price = refreshed(files, "sagemaker.serverless")["sagemaker.serverless.gb_second"]
    assert price.tiers == ((0.0, 2e-5), (1_000_000.0, 1e-5))


def test_a_price_of_3_gb_is_divided(files: Files) -> None:
    assert refreshed(files, "sagemaker.serverless")["sagemaker.serverless.gb_second"].tiers == ((0.0, 2e-5),)


def test_only_the_files_that_are_needed_are_fetched(files: Files) -> None:
    refreshed(files, "lambda", "efs")
    offers = ("AWSLambda", "AmazonEFS")
    assert sorted(files.asked) == sorted([*map(index_path, offers), *map(path, offers)])


def test_nothing_is_fetched_twice(files: Files) -> None:
    names = [source.id for source in SOURCES if not source.is_queried]
    with bulk(files) as source:
        refresh((), ["us-east-1", "eu-west-1"], files=source, api=NoApi(), only=names)
    assert len(set(files.asked)) == len(files.asked) == 3 * len(OFFERS)


def test_two_products_are_an_error_that_names_the_price_the_region_and_the_products(files: Files) -> None:
    document = files.document("AmazonECR", "eu-west-1")
    double = {**document["products"]["IMAGESTORAGE"], "sku": "SECOND"}
    document["products"]["SECOND"] = double
    document["terms"]["OnDemand"]["SECOND"] = document["terms"]["OnDemand"]["IMAGESTORAGE"]
    files.put("AmazonECR", document, "eu-west-1")
    message = failure(files, "ecr", region="eu-west-1")
    assert message == (
        "The prices were not refreshed, and nothing was written:\n"
        "- ecr.gb_month (eu-west-1): 2 products instead of one have the usage type 'TimedStorage-ByteHrs', "
        "productFamily 'EC2 Container Registry'; they are "
        "IMAGESTORAGE (usagetype 'TimedStorage-ByteHrs', productFamily 'EC2 Container Registry'); "
        "SECOND (usagetype 'TimedStorage-ByteHrs', productFamily 'EC2 Container Registry')."
    )


def test_products_of_other_regions_are_ignored(files: Files) -> None:
    document = files.document("AmazonCloudWatch")
    local = json.loads(json.dumps(document["products"]["INGESTED"]))
    local["attributes"]["regionCode"] = "us-east-1-bos-1"
    document["products"]["LOCAL"] = {**local, "sku": "LOCAL"}
    files.put("AmazonCloudWatch", document)
    assert refreshed(files, "logs")["logs.ingest_gb"].source.endswith("SKU INGESTED")


def test_of_many_products_only_some_are_shown(files: Files) -> None:
    document = files.document("AmazonCloudWatch")
    for number in range(6):
        document["products"][f"COPY{number}"] = {**document["products"]["INGESTED"], "sku": f"COPY{number}"}
    files.put("AmazonCloudWatch", document)
    message = failure(files, "logs")
    assert "7 products instead of one" in message and message.endswith(") and more.")
    assert "COPY3" in message and "COPY4" not in message


def test_a_missing_product_is_an_error_that_shows_those_of_the_usage_type(files: Files) -> None:
    document = files.document("AmazonDynamoDB")
    document["products"]["WRITEUNITS"]["attributes"]["group"] = "DDB-Writes"
    files.put("AmazonDynamoDB", document)
    message = failure(files, "dynamodb")
    assert (
        "dynamodb.write_unit (us-east-1): 0 products instead of one have the usage type 'WriteRequestUnits'" in message
    )
    assert "of that usage type are WRITEUNITS (" in message and "group 'DDB-Writes'" in message
    assert "WRITEUNITSIA (" in message  # in us-east-1, IA- looks like a region's prefix
    assert "WRITECAPACITY" not in message


def test_a_usage_type_that_is_gone_is_an_error(files: Files) -> None:
    document = files.document("AmazonCloudWatch")
    document["products"] = {}
    files.put("AmazonCloudWatch", document)
    assert failure(files, "logs").endswith(
        "0 products instead of one have the usage type 'DataProcessing-Bytes', group 'Ingested Logs', "
        "operation 'PutLogEvents'."
    )


@pytest.mark.parametrize(
    ("prefix", "matches"),
    [
        ("EUC1-", True),
        ("", True),
        ("EU-", True),
        ("eu-west-1-", False),
        ("Global-", False),
        ("X-EU-", False),
        ("-", False),
    ],
)
def test_usage_types_may_have_a_regions_prefix(prefix: str, matches: bool) -> None:
    assert BY_ID["ebs.gp3_gb_month"].has_usage_type(f"{prefix}EBS:VolumeUsage.gp3") is matches
    assert not BY_ID["ebs.gp3_gb_month"].has_usage_type(f"{prefix}EBS:VolumeUsageXgp3")
    assert not BY_ID["ebs.gp3_gb_month"].has_usage_type(f"{prefix}EBS:VolumeUsage.gp3-ARM")


def test_an_instance_type_that_a_region_lacks_is_reported_without_an_error(files: Files) -> None:
    document = files.document("AmazonSageMaker")
    del document["products"]["HOSTC7ILARGE"]
    files.put("AmazonSageMaker", document)
    with bulk(files) as source:
        found = refresh((), ["us-east-1"], files=source, api=NoApi(), only=["sagemaker.host.ml.c7"])
    assert found.absent == (("sagemaker.host.ml.c7i.large", "us-east-1"),)
    assert [price.id for price in found.renewed] == ["sagemaker.host.ml.c7g.large"]


def test_an_instance_type_that_disappears_is_an_error(files: Files) -> None:
    document = files.document("AmazonSageMaker")
    del document["products"]["HOSTC7ILARGE"]
    files.put("AmazonSageMaker", document)
    assert "sagemaker.host.ml.c7i.large (us-east-1): AWS's price list has it no longer" in failure(
        files, "sagemaker.host.ml.c7", old=read()
    )


def test_a_type_whose_products_do_not_fit_is_an_error_and_not_absent(files: Files) -> None:
    document = files.document("AmazonSageMaker")
    document["products"]["HOSTC7ILARGE"]["attributes"]["component"] = "Training"
    files.put("AmazonSageMaker", document)
    assert "of that usage type are HOSTC7ILARGE" in failure(files, "sagemaker.host.ml.c7i")


def test_another_unit_is_an_error(files: Files) -> None:
    document = files.document("AmazonCloudWatch")
    dimension_of(document, "INGESTED")["unit"] = "TB"
    files.put("AmazonCloudWatch", document)
    assert failure(files, "logs").endswith("SKU INGESTED is priced by the 'TB' instead of GB.")


def test_units_are_compared_without_case(files: Files) -> None:
    document = files.document("AmazonCloudWatch")
    dimension_of(document, "INGESTED")["unit"] = "gb"
    files.put("AmazonCloudWatch", document)
    assert refreshed(files, "logs")["logs.ingest_gb"].value == 0.5


def test_another_currency_is_an_error(files: Files) -> None:
    document = files.document("AmazonCloudWatch")
    dimension_of(document, "INGESTED")["pricePerUnit"] = {"CNY": "3.5"}
    files.put("AmazonCloudWatch", document)
    assert failure(files, "logs").endswith("SKU INGESTED has no price in USD.")


def test_a_price_of_zero_is_an_error(files: Files) -> None:
    document = files.document("AmazonCloudWatch")
    dimension_of(document, "INGESTED")["pricePerUnit"]["USD"] = "0.0000000000"
    files.put("AmazonCloudWatch", document)
    assert failure(files, "logs").endswith("SKU INGESTED costs nothing.")


@pytest.mark.parametrize(("begin", "end"), [("0", "5"), ("7", "9")])
def test_ranges_with_gaps_are_an_error(files: Files, begin: str, end: str) -> None:
    document = files.document("AmazonCloudWatch")
    first = dimension_of(document, "INGESTED")
    first["endRange"] = "5"
    dimensions = terms_of(document, "INGESTED")["priceDimensions"]
    if begin != "0":
        dimensions["more"] = {**first, "beginRange": begin, "endRange": "Inf"}
    files.put("AmazonCloudWatch", document)
    assert "SKU INGESTED has ranges with gaps" in failure(files, "logs")


@pytest.mark.parametrize("count", [0, 2])
def test_another_number_of_terms_is_an_error(files: Files, count: int) -> None:
    document = files.document("AmazonCloudWatch")
    term = terms_of(document, "INGESTED")
    document["terms"]["OnDemand"]["INGESTED"] = {str(number): term for number in range(count)}
    files.put("AmazonCloudWatch", document)
    assert failure(files, "logs").endswith(f"SKU INGESTED has {count} prices on demand instead of one.")


@pytest.mark.parametrize(
    ("field", "value"), [("unit", None), ("beginRange", "first"), ("endRange", None), ("pricePerUnit", {"USD": "-1"})]
)
def test_a_dimension_in_another_format_is_an_error(files: Files, field: str, value: Any) -> None:
    document = files.document("AmazonCloudWatch")
    dimension_of(document, "INGESTED")[field] = value
    files.put("AmazonCloudWatch", document)
    assert "SKU INGESTED is not in the format of AWS's price list" in failure(files, "logs")


@pytest.mark.parametrize("value", [None, 5, "soon"])
def test_a_publication_date_in_another_format_is_an_error(files: Files, value: Any) -> None:
    files.put("AmazonCloudWatch", {**files.document("AmazonCloudWatch"), "publicationDate": value})
    assert "is not in the format of AWS's price list" in failure(files, "logs")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "is not a price list of AmazonCloudWatch"),
        ({"offerCode": "AmazonEFS"}, "is not a price list of AmazonCloudWatch"),
        ({"offerCode": "AmazonCloudWatch"}, "it has no 'terms'"),
        ({"offerCode": "AmazonCloudWatch", "terms": {}}, "it has no 'OnDemand'"),
        ({"offerCode": "AmazonCloudWatch", "terms": {"OnDemand": {}}}, "it has no 'products'"),
        (
            {"offerCode": "AmazonCloudWatch", "terms": {"OnDemand": {}}, "products": {"S": None}},
            "it has no 'attributes'",
        ),
        (
            {
                "offerCode": "AmazonCloudWatch",
                "publicationDate": "2026-10-01",
                "terms": {"OnDemand": {"S": 1}},
                "products": {"S": {"attributes": {}}},
            },
            "SKU S is not in the format",
        ),
    ],
)
def test_a_document_in_another_format_is_an_error(files: Files, document: Any, message: str) -> None:
    files.put("AmazonCloudWatch", document)
    assert message in failure(files, "logs")


def test_broken_json_is_an_error(files: Files) -> None:
    files.bodies[path("AmazonCloudWatch")] = b'{"offerCode": '
    assert re.search(r"AmazonCloudWatch/\d+/us-east-1/index.json is not JSON: Expecting value", failure(files, "logs"))


def test_a_truncated_body_is_an_error_even_where_it_is_json(files: Files) -> None:
    length = len(files.bodies[path("AmazonCloudWatch")])
    files.declared_length[path("AmazonCloudWatch")] = length + 1000
    assert failure(files, "logs").endswith(f"index.json ended after {length:,} of {length + 1000:,} bytes.")


def test_a_body_that_never_ends_is_an_error(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_list, "MAX_BYTES", 1000)
    assert failure(files, "logs").endswith("index.json is longer than 1,000 bytes.")


def test_an_error_of_the_server_is_named(files: Files) -> None:
    files.status[path("AmazonCloudWatch")] = 503
    assert failure(files, "logs").endswith("index.json answers with status 503.")


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("mars", "AWS's price list of AmazonCloudWatch has no region 'mars'"),
        ("eu-west-1", "names 'https://example.com/' for eu-west-1, which is not a price list"),
    ],
)
def test_an_index_must_lead_to_a_price_list(files: Files, region: str, message: str) -> None:
    index = {"regions": {"eu-west-1": {"currentVersionUrl": "https://example.com/"}}}
    files.bodies[index_path("AmazonCloudWatch")] = json.dumps(index).encode()
    assert message in failure(files, "logs", region=region)


@pytest.mark.parametrize("index", [[], {}, {"regions": []}, {"regions": {"us-east-1": "/offers/"}}])
def test_an_index_in_another_format_is_an_error(files: Files, index: Any) -> None:
    files.bodies[index_path("AmazonCloudWatch")] = json.dumps(index).encode()
    assert "is not in the format of AWS's price list" in failure(files, "logs")


def test_an_unreachable_server_is_asked_once_and_named_once(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(files) as host:
        pass
    really = urllib.request.urlopen
    asked: list[Any] = []

    def urlopen(url: Any, **more: Any) -> Any:
        asked.append(url)
        return really(url, **more)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(CrossoverError) as failed:
        refresh((), ["us-east-1", "eu-west-1"], files=BulkFiles(host), api=NoApi(), only=["lambda.request", "efs"])
    assert len(asked) == 1
    first, line = str(failed.value).splitlines()
    assert first == "The prices were not refreshed, and nothing was written:"
    assert line.startswith(
        "- lambda.request (us-east-1, eu-west-1), efs.storage_gb_month (us-east-1, eu-west-1), "
        f"efs.read_gb (us-east-1, eu-west-1): {host} does not answer: "
    )
    assert line.endswith(" Connection refused.")


def test_a_broken_file_is_fetched_once_for_all_its_prices(files: Files) -> None:
    files.bodies[path("AWSLambda")] = b"{"
    message = failure(files, "lambda")
    assert files.asked.count(path("AWSLambda")) == 1
    assert message.count("is not JSON") == 1
    assert all(source.id in message for source in SOURCES if source.id.startswith("lambda."))


def test_every_failure_of_every_region_is_in_the_message(files: Files) -> None:
    del files.bodies[path("AmazonEFS")]
    del files.bodies[path("AmazonECR", "eu-west-1")]
    with bulk(files) as source, pytest.raises(CrossoverError) as failed:
        refresh((), ["us-east-1", "eu-west-1"], files=source, api=NoApi(), only=["lambda", "efs", "ecr"])
    lines = str(failed.value).splitlines()[1:]
    assert [line.split(": ")[0] for line in lines] == [
        "- efs.storage_gb_month (us-east-1), efs.read_gb (us-east-1)",
        "- ecr.gb_month (eu-west-1)",
    ]


def test_old_entries_are_kept_on_request(files: Files) -> None:
    files.bodies[path("AmazonEFS")] = b""
    old = [price for price in read() if price.id in ("efs.read_gb", "lambda.request")]
    with bulk(files) as source:
        found = refresh(old, ["us-east-1"], files=source, api=NoApi(), only=["efs", "lambda.request"], keep_old=True)
    assert [(each.id, each.region) for each in found.kept] == [
        ("efs.storage_gb_month", "us-east-1"),
        ("efs.read_gb", "us-east-1"),
    ]
    new = {(price.id, price.region): price for price in found.prices}
    before = {(price.id, price.region): price for price in old}
    assert new["efs.read_gb", "us-east-1"] == before["efs.read_gb", "us-east-1"]
    assert ("efs.storage_gb_month", "us-east-1") not in new
    assert new["lambda.request", "us-east-1"].date == "2026-09-19"


def test_where_nothing_was_refreshed_nothing_is_kept_either(files: Files) -> None:
    files.bodies[path("AmazonEFS")] = b""
    with bulk(files) as source, pytest.raises(CrossoverError, match="nothing was written"):
        refresh(read(), ["us-east-1"], files=source, api=NoApi(), only=["efs"], keep_old=True)


def test_an_unknown_prefix_is_a_usage_error(files: Files) -> None:
    with pytest.raises(UsageError, match=r"^No price's name begins with 'lamda'; they begin with dynamodb, ebs, ec2, "):
        refreshed(files, "lamda")


def test_all_pages_of_the_api_are_read() -> None:
    client, source = pricing_client(), BY_ID["nat.hour"]
    items = [_item("A", "NatGateway-Hours"), _item("B", "RegionalNatGateway-Hours"), _item("C", "NatGateway-Bytes")]
    question = {
        "ServiceCode": "AmazonEC2",
        "FormatVersion": "aws_v1",
        "Filters": filters_of(source, "eu-west-1"),
    }
    with Stubber(client) as stubber:
        stubber.add_response("get_products", {"PriceList": items[:1], "NextToken": "more"}, question)
        stubber.add_response("get_products", {"PriceList": items[1:]}, {**question, "NextToken": "more"})
        found = list(QueryApi(lambda: client).products(source, "eu-west-1"))
        stubber.assert_no_pending_responses()
    assert [product.sku for product in found] == ["A", "B", "C"]


def test_without_credentials_the_message_says_what_to_do(files: Files) -> None:
    def no_client() -> Any:
        raise NoCredentialsError

    with bulk(files) as source, pytest.raises(CrossoverError) as failed:
        refresh((), ["us-east-1"], files=source, api=QueryApi(no_client), only=["nat", "efs"])
    assert str(failed.value).splitlines()[1:] == [
        "- nat.hour (us-east-1), nat.gb (us-east-1): AWS's Price List Query API, which needs credentials, does not "
        "return the prices of EC2 (Unable to locate credentials); leave them out with, say, --only lambda, or keep the "
        "old ones with --keep-old."
    ]


def test_the_api_is_not_called_again_after_a_refusal() -> None:
    client = pricing_client()
    with Stubber(client) as stubber:
        stubber.add_client_error("get_products", "AccessDeniedException", "not you")
        with pytest.raises(CrossoverError, match=r"(?s)ebs.gp3_gb_month.*nat.gb.*AccessDeniedException.*not you"):
            refresh((), ["us-east-1"], files=NoApi(), api=QueryApi(lambda: client), only=["ebs", "nat"])


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"product": {"attributes": {}}}', '{"product": {}, "terms": {}}'])
def test_a_product_of_the_api_in_another_format_is_an_error(text: str) -> None:
    client = pricing_client()
    with Stubber(client) as stubber:
        stubber.add_response("get_products", {"PriceList": [text]})
        with pytest.raises(PriceListError, match="AWS Price List Query API, AmazonEC2"):
            list(QueryApi(lambda: client).products(BY_ID["nat.hour"], "us-east-1"))


def test_a_type_of_instance_that_the_api_does_not_know_there_is_absent() -> None:
    client = pricing_client()
    sources = [BY_ID["ec2.g5.xlarge"], BY_ID["ec2.g6.xlarge"]]
    stub_ec2(client, sources, ["eu-west-1"], without=("BOXG6XLARGE",))
    found = refresh((), ["eu-west-1"], files=NoApi(), api=QueryApi(lambda: client), only=["ec2.g5", "ec2.g6"])
    assert found.absent == (("ec2.g6.xlarge", "eu-west-1"),)


def test_the_bulk_files_of_ec2_are_never_asked_for(files: Files) -> None:
    assert "AmazonEC2" not in OFFERS
    assert {source.id.split(".")[0] for source in QUERIED} == {"ec2", "ebs", "nat"}


def _item(sku: str, usage_type: str) -> str:
    attributes = {"usagetype": usage_type, "regionCode": "eu-west-1"}
    return json.dumps(
        {
            "product": {"sku": sku, "attributes": attributes},
            "terms": {"OnDemand": {}},
            "publicationDate": "2026-10-01T21:30:00Z",
        }
    )
