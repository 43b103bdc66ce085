"""AWS's price list for the tests: its files from a server on this machine, the Query API from botocore's stub.

The documents in data/ are cut by hand, in AWS's format, with products that must not be mistaken for the ones meant.
SKUs of 16 characters are AWS's own, such as those of Lambda's duration and of load balancers; the others say what they
stand for.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.stub import Stubber

from crossover.cost.price_list import BulkFiles
from crossover.cost.price_sources import SOURCES, PriceSource

DATA = Path(__file__).with_name("data")
OFFERS = sorted({source.offer for source in SOURCES if not source.is_queried})
VERSION = "20261001000000"


class Files:
    """The files by path; change them to break them. `asked` lists what was asked for."""

    def __init__(self, *regions: str) -> None:
        self.asked: list[str] = []
        self.declared_length: dict[str, int] = {}
        self.status: dict[str, int] = {}
        self.bodies: dict[str, bytes] = {}
        for offer in OFFERS:
            index = {region: {"regionCode": region, "currentVersionUrl": path(offer, region)} for region in regions}
            document = {"formatVersion": "v1.0", "publicationDate": "2026-10-01T00:00:00Z", "regions": index}
            self.bodies[index_path(offer)] = json.dumps(document).encode()
            for region in regions:
                text = (DATA / f"{offer}.json").read_text().replace('"us-east-1"', f'"{region}"')
                self.bodies[path(offer, region)] = text.encode()

    def document(self, offer: str, region: str = "us-east-1") -> Any:
        return json.loads(self.bodies[path(offer, region)])

    def put(self, offer: str, document: Any, region: str = "us-east-1") -> None:
        self.bodies[path(offer, region)] = json.dumps(document).encode()


def index_path(offer: str) -> str:
    return f"/offers/v1.0/aws/{offer}/current/region_index.json"


def path(offer: str, region: str = "us-east-1") -> str:
    return f"/offers/v1.0/aws/{offer}/{VERSION}/{region}/index.json"


@contextlib.contextmanager
def served(files: Files) -> Iterator[str]:
    """The address of a server that has these files."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.asked.append(self.path)
            body = files.bodies.get(self.path)
            self.send_response(files.status.get(self.path, 404 if body is None else 200))
            body = body or b""
            self.send_header("Content-Length", str(files.declared_length.get(self.path, len(body))))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def bulk(files: Files) -> Iterator[BulkFiles]:
    with served(files) as host:
        yield BulkFiles(host)


def ec2_items(region: str = "us-east-1") -> list[Any]:
    """Products of EC2 as the Query API has them."""
    items: list[Any] = json.loads((DATA / "AmazonEC2.json").read_text().replace('"us-east-1"', f'"{region}"'))
    return items


def filters_of(source: PriceSource, region: str) -> list[dict[str, str]]:
    wanted = {"regionCode": region, **source.attributes}
    return [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in wanted.items()]


def pricing_client() -> Any:
    return boto3.client(
        "pricing", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )


def stub_ec2(client: Any, sources: list[PriceSource], regions: list[str], without: tuple[str, ...] = ()) -> Stubber:
    """Answers the questions for these prices, in their order, as the API's filters would; lacks some SKUs."""
    stubber = Stubber(client)
    for region in regions:
        for source in sources:
            found = [
                item
                for item in ec2_items(region)
                if item["product"]["sku"] not in without and _has(item["product"], source.attributes)
            ]
            stubber.add_response(
                "get_products",
                {"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in found]},
                {"ServiceCode": "AmazonEC2", "FormatVersion": "aws_v1", "Filters": filters_of(source, region)},
            )
    stubber.activate()
    return stubber


def _has(product: Any, attributes: Any) -> bool:
    known = {**product["attributes"], "productFamily": product.get("productFamily")}
    return all(known.get(name) == value for name, value in attributes.items())
