"""AWS's price list, in its two forms: public files, and the Query API. Both hold the same products.

The files need no credentials, but one holds a whole service in a region; the API finds single products.
Formats: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file.html
"""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from crossover.cost.price_sources import PriceSource
from crossover.errors import CrossoverError

HOST = "https://pricing.us-east-1.amazonaws.com"  # for all regions
API_REGION = "us-east-1"  # one of the few that have the Query API, which knows the prices of all
CONNECT_SECONDS = 10
ANSWER_SECONDS = 60  # longest wait for more data
MAX_BYTES = 64 * 2**20  # the largest file that is read has a few MB


class PriceListError(CrossoverError):
    """The price list cannot be read, or lacks something that it should contain."""


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product in AWS's price list, in one region.

    Attributes:
        sku: AWS's identifier of the product.
        attributes: usagetype, operation, regionCode and others, with productFamily among them.
        terms: its on-demand prices, in the price list's format.
        source: where the list has it: document and SKU.
        date: of that document's publication, as YYYY-MM-DD.
    """

    sku: str
    attributes: Mapping[str, str]
    terms: tuple[Mapping[str, Any], ...]
    source: str
    date: str


class PriceList(Protocol):
    """Finds products."""

    def products(self, source: PriceSource, region: str) -> Iterable[Product]:
        """The products among which the source's product is.

        Raises:
            PriceListError: the list cannot be read.
        """
        ...


class BulkFiles:
    """The public files. Keeps one file at a time, so ask for all products of an offer and region in a row."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._unreachable = ""
        self._indexes: dict[str, Mapping[str, Any]] = {}
        self._held: tuple[str, str] | None = None
        self._products: list[Product] = []
        self._error = ""

    def products(self, source: PriceSource, region: str) -> Iterable[Product]:
        """All products of the offer in this region.

        Raises:
            PriceListError: the file cannot be read.
        """
        if self._held != (source.offer, region):
            self._held, self._products, self._error = (source.offer, region), [], ""
            try:
                self._products = self._read(source.offer, region)
            except PriceListError as error:
                self._error = str(error)  # also for the file's other prices: it is not requested again
        if self._error:
            raise PriceListError(self._error)
        return self._products

    def _read(self, offer: str, region: str) -> list[Product]:
        if offer not in self._indexes:
            path = f"/offers/v1.0/aws/{offer}/current/region_index.json"
            self._indexes[offer] = _mapping(self._get(path), "regions", self._host + path)
        if region not in self._indexes[offer]:
            raise PriceListError(f"AWS's price list of {offer} has no region {region!r}")
        path = str(_mapping(self._indexes[offer], region, f"AWS's index of {offer}").get("currentVersionUrl"))
        if not path.startswith("/offers/"):
            raise PriceListError(f"AWS's index of {offer} names {path!r} for {region}, which is not a price list")
        document, url = self._get(path), self._host + path
        if not isinstance(document, dict) or document.get("offerCode") != offer:
            raise PriceListError(f"{url} is not a price list of {offer}")
        terms = _mapping(_mapping(document, "terms", url), "OnDemand", url)
        return [
            _product(product, terms.get(sku, {}), f"{url}, SKU {sku}", document.get("publicationDate"))
            for sku, product in _mapping(document, "products", url).items()
        ]

    def _get(self, path: str) -> Any:
        """A JSON document."""
        if self._unreachable:
            raise PriceListError(self._unreachable)
        url = self._host + path
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as response:
                body = response.read(MAX_BYTES + 1)
                length = int(response.headers.get("Content-Length") or 0)
        except urllib.error.HTTPError as error:
            raise PriceListError(f"{url} answers with status {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            self._unreachable = f"{self._host} does not answer: {getattr(error, 'reason', error)}"
            raise PriceListError(self._unreachable) from error
        if len(body) > MAX_BYTES:
            raise PriceListError(f"{url} is longer than {MAX_BYTES:,} bytes")
        if len(body) < length:
            raise PriceListError(f"{url} ended after {len(body):,} of {length:,} bytes")
        try:
            return json.loads(body)
        except ValueError as error:
            raise PriceListError(f"{url} is not JSON: {error}") from error


class QueryApi:
    """The Price List Query API, with the credentials and settings (AWS_*) that boto3 finds."""

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._make_client = client or _pricing_client
        self._client: Any = None
        self._error = ""

    def products(self, source: PriceSource, region: str) -> Iterable[Product]:
        """The products with the source's attributes.

        Raises:
            PriceListError: there are no credentials, or AWS refuses or does not answer; every later call fails too.
        """
        if self._error:
            raise PriceListError(self._error)
        wanted = {"regionCode": region, **source.attributes}
        filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in wanted.items()]
        try:
            self._client = self._client or self._make_client()
            pages = self._client.get_paginator("get_products").paginate(
                ServiceCode=source.offer, FormatVersion="aws_v1", Filters=filters
            )
            texts = [text for page in pages for text in page["PriceList"]]
        except (BotoCoreError, ClientError) as error:
            self._error = (
                f"AWS's Price List Query API, which needs credentials, does not return the prices of EC2 ({error}); "
                "leave them out with, say, --only lambda, or keep the old ones with --keep-old"
            )
            raise PriceListError(self._error) from error
        return [_queried(text, source.offer) for text in texts]


def _pricing_client() -> Any:
    limits = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        retries={"total_max_attempts": 4, "mode": "standard"},
    )
    return boto3.client("pricing", region_name=API_REGION, config=limits)


def _queried(text: str, offer: str) -> Product:
    where = f"AWS Price List Query API, {offer}"
    try:
        item = json.loads(text)
    except ValueError as error:
        raise PriceListError(f"{where}: a product is not JSON: {error}") from error
    product = _mapping(item, "product", where)
    terms = _mapping(item, "terms", where).get("OnDemand", {})
    return _product(product, terms, f"{where}, SKU {product.get('sku')}", item.get("publicationDate"))


def _product(product: Any, terms: Any, source: str, published: Any) -> Product:
    attributes = _mapping(product, "attributes", source)
    if not isinstance(published, str) or not isinstance(terms, dict):
        raise PriceListError(f"{source} is not in the format of AWS's price list")
    return Product(
        sku=str(product.get("sku")),
        attributes={
            **{name: str(value) for name, value in attributes.items()},
            "productFamily": str(product.get("productFamily", "")),
        },
        terms=tuple(terms.values()),
        source=source,
        date=published[: len("YYYY-MM-DD")],
    )


def _mapping(document: Any, name: str, where: str) -> Mapping[str, Any]:
    """A member of a document, which must be a mapping."""
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        raise PriceListError(f"{where} is not in the format of AWS's price list: it has no {name!r}")
    return value
