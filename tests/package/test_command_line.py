"""The command line where only `pip install crossover-inference` was run, in an empty folder."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from crossover.aws import Clients
from crossover.deployed import Variant, find_variants
from tests.crossover.deployments import create_stack, put_failure
from tests.package.distributions import ROOT, Installation

pytestmark = pytest.mark.slow

REGION = "eu-central-1"
SPEECH = ROOT / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav"


@pytest.fixture(scope="module", autouse=True)
def nothing_is_written_into_site_packages(plain: Installation) -> Iterator[None]:
    before = plain.files()
    yield
    assert plain.files() == before


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    """The environment of an account that a server on the loopback plays."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    server.stop()


@pytest.fixture(scope="module")
def clients(aws: dict[str, str]) -> Clients:
    session = boto3.Session("testing", "testing", region_name=REGION)
    return cache(lambda service: session.client(service, endpoint_url=aws["AWS_ENDPOINT_URL"]))


@pytest.fixture(scope="module")
def variant(clients: Clients) -> Variant:
    """A deployed variant, without its function."""
    create_stack(clients, "Crossover-Standard", "standard")
    return find_variants(clients, prefix="Crossover")[0]


def test_the_cheapest_variant(plain: Installation, tmp_path: Path) -> None:
    answer = plain.run("crossover", "cost", "--rpm", "72", folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "At 72 requests a minute use standard" in answer.stdout
    assert not list(tmp_path.iterdir())


def test_the_page_of_costs(plain: Installation, tmp_path: Path) -> None:
    answer = plain.run("crossover", "report", "--cost", folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "<html" in (tmp_path / "cost.html").read_text()[:300]
    assert [path.name for path in tmp_path.iterdir()] == ["cost.html"]


def test_the_prices(plain: Installation, tmp_path: Path) -> None:
    answer = plain.run("crossover", "prices", "show", folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "lambda.gb_second" in answer.stdout


@pytest.mark.parametrize(
    "command", ["cost", "report", "prices", "predict", "deadletters", "bench", "local", "demo", "new"]
)
def test_help(plain: Installation, tmp_path: Path, command: str) -> None:
    answer = plain.run("crossover", command, "--help", folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "Usage: crossover" in answer.stdout


@pytest.mark.parametrize("command", [["demo"], ["local", "up"], ["local", "deploy"]])
def test_a_command_that_needs_a_project_says_so_in_one_sentence(
    plain: Installation, tmp_path: Path, command: list[str]
) -> None:
    answer = plain.run("crossover", *command, folder=tmp_path)
    assert answer.returncode in (1, 2)
    assert answer.stdout == ""
    assert answer.stderr.startswith("crossover: There is no cdk.json in")
    assert answer.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_command_that_needs_the_cdk_says_so_in_one_sentence(plain: Installation, tmp_path: Path) -> None:
    answer = plain.run("crossover", "new", "birds", folder=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith("crossover: This command needs the package ")
    assert answer.stderr.endswith(': pip install "crossover-inference[cdk]".\n')
    assert not list(tmp_path.iterdir())


def test_a_file_is_predicted_by_a_deployed_variant(
    plain: Installation, tmp_path: Path, aws: dict[str, str], clients: Clients, variant: Variant
) -> None:
    def predict_it() -> None:
        """What the function does: an item for the upload."""
        for _ in range(600):
            for entry in clients("s3").list_objects_v2(Bucket=variant.bucket).get("Contents", []):
                now = {"S": datetime.now(UTC).isoformat()}
                item = {
                    "object_key": {"S": entry["Key"]},
                    "status": {"S": "SUCCEEDED"},
                    "top_labels": {"L": [{"M": {"label": {"S": "Whisper"}, "score": {"N": "0.7"}}}]},
                    "cold_start": {"BOOL": True},
                    "sequencer": {"S": "01"},
                    "uploaded_at": now,
                    "completed_at": now,
                }
                clients("dynamodb").put_item(TableName=variant.table, Item=item)
                return
            time.sleep(0.1)

    function = threading.Thread(target=predict_it)
    function.start()
    answer = plain.run("crossover", "predict", SPEECH, "--timeout", "60", folder=tmp_path, seconds=300, **aws)
    function.join()
    assert answer.returncode == 0, answer.stderr
    assert "Whisper 0.70" in answer.stdout


def test_dead_letters_are_listed(
    plain: Installation, tmp_path: Path, aws: dict[str, str], clients: Clients, variant: Variant
) -> None:
    put_failure(clients, variant, "lost/file.wav")
    answer = plain.run("crossover", "deadletters", "list", folder=tmp_path, seconds=300, **aws)
    assert answer.returncode == 0, answer.stderr
    assert "lost/file.wav" in answer.stdout


def test_a_benchmark_asks_aws_for_the_stacks(plain: Installation, tmp_path: Path, aws: dict[str, str]) -> None:
    answer = plain.run(
        "crossover", "bench", "run", "--prefix", "Elsewhere", "--yes", folder=tmp_path, seconds=300, **aws
    )
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"crossover: No variant is deployed in {REGION} in a stack named Elsewhere-...")


def test_without_credentials_a_command_says_so_in_one_sentence(plain: Installation, tmp_path: Path) -> None:
    answer = plain.run("crossover", "predict", SPEECH, folder=tmp_path, AWS_REGION=REGION)
    assert answer.returncode != 0
    assert answer.stderr.startswith("crossover: ")
    assert "credentials" in answer.stderr
    assert answer.stderr.count("\n") == 1
