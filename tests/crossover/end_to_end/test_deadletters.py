"""An event that failed for a transient reason: kept, shown, and redriven on the command line."""

import json
import subprocess
import sys
import time
from typing import Any

import pytest

from crossover import deployed
from crossover.aws import Clients
from crossover.dead_letter_queue import DeadLetter
from crossover.deployed import Upload, Variant
from crossover.paths import sources

pytestmark = pytest.mark.slow

CLIP = sources() / "model/samples/misc_crow.flac"
WAIT_SECONDS = 90
# A function that S3 invokes itself, and one that it invokes by an alias.
NAMES = ["standard", "snapstart"]


def crossover(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from crossover.cli import main; main()", "deadletters", *arguments, "--local"]
    return subprocess.run(
        program, cwd=sources(), env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def letter_of(clients: Clients, upload: Upload) -> DeadLetter:
    deadline = time.monotonic() + WAIT_SECONDS
    while (letter := deployed.find_dead_letter(clients, upload)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return letter


def test_an_event_whose_table_was_gone_is_kept_shown_and_redriven(
    clients: Clients, variants: dict[str, Variant], command_line: dict[str, str]
) -> None:
    dynamodb = clients("dynamodb")
    tables = {name: dynamodb.describe_table(TableName=variants[name].table)["Table"] for name in NAMES}
    for table in tables.values():
        dynamodb.delete_table(TableName=table["TableName"])
    uploads = {name: deployed.upload(clients, variants[name], CLIP) for name in NAMES}
    letters = {name: letter_of(clients, upload) for name, upload in uploads.items()}
    for table in tables.values():
        parts: dict[str, Any] = {part: table[part] for part in ("TableName", "KeySchema", "AttributeDefinitions")}
        dynamodb.create_table(**parts, BillingMode="PAY_PER_REQUEST")

    listed = crossover(command_line, "list", "--json")
    assert {(letter["variant"], letter["id"], *letter["keys"]) for letter in json.loads(listed.stdout)} == {
        (name, letters[name].id, uploads[name].key) for name in NAMES
    }
    shown = crossover(command_line, "show", letters["snapstart"].id[:8])
    assert json.loads(shown.stdout)["error_type"] == "ResourceNotFoundException"
    assert crossover(command_line, "redrive").returncode == 2  # there is no terminal to ask on

    redriven = crossover(command_line, "redrive", "--yes")
    assert redriven.returncode == 0, redriven.stderr
    for name, upload in uploads.items():
        assert f"{name}: 1 redriven, 0 left in the queue." in redriven.stdout
        item = deployed.wait(clients, upload, timeout_seconds=WAIT_SECONDS).item
        assert (item["status"], item["label"]) == ("SUCCEEDED", "Crow")

    again = crossover(command_line, "redrive", "--yes")
    assert (again.returncode, again.stdout.count(": 0 redriven, 0 left in the queue.")) == (0, len(variants))
