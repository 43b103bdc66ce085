"""`crossover bench run --local` against all variants: what it measures, and that it leaves nothing behind."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crossover.aws import Clients
from crossover.bench import result
from crossover.deployed import Variant

from .conftest import VARIANTS

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-c", "from crossover.cli import main; main()"]
REQUESTS, COLD = 4, 2
BENCH = (
    *("bench", "run", "--local", "--variants", ",".join(VARIANTS), "--requests", str(REQUESTS), "--cold", str(COLD)),
    *("--arrival", "poisson:120rpm", "--idle", "1", "--sizes", "12KB,200KB", "--output", "results.json"),
)


def crossover(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def state(clients: Clients, variant: Variant) -> dict[str, Any]:
    """Everything that a benchmark changes."""
    listed = clients("s3").list_object_versions(Bucket=variant.bucket)
    objects = [each["Key"] for kind in ("Versions", "DeleteMarkers") for each in listed.get(kind, [])]
    items = clients("dynamodb").scan(TableName=variant.table)["Items"]
    functions = clients("lambda")
    aliases = functions.list_aliases(FunctionName=variant.function)["Aliases"]
    versions = functions.list_versions_by_function(FunctionName=variant.function)["Versions"]
    config = functions.get_function_configuration(FunctionName=variant.function)
    ready = {}
    for alias in (each["Name"] for each in aliases):
        with contextlib.suppress(functions.exceptions.ProvisionedConcurrencyConfigNotFoundException):
            kept = functions.get_provisioned_concurrency_config(FunctionName=variant.function, Qualifier=alias)
            ready[alias] = kept["RequestedProvisionedConcurrentExecutions"]
    return {
        "objects": sorted(objects),
        "items": sorted(item["object_key"]["S"] for item in items),
        "aliases": {alias["Name"]: alias["FunctionVersion"] for alias in aliases},
        "versions": [version["Version"] for version in versions],
        "variables": config["Environment"]["Variables"],
        "kept ready": ready,
    }


@pytest.fixture(scope="module")
def folder(
    clients: Clients,
    variants: dict[str, Variant],
    command_line: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Where a benchmark has left its result, and nothing else anywhere."""
    folder = tmp_path_factory.mktemp("bench")
    before = {name: state(clients, variant) for name, variant in variants.items()}
    ended = crossover(command_line, folder, *BENCH)
    assert ended.returncode == 0, ended.stderr
    assert {name: state(clients, variant) for name, variant in variants.items()} == before
    assert [path.name for path in folder.iterdir()] == ["results.json"]
    assert "A rehearsal on the local AWS" in ended.stdout
    return folder


def test_every_request_is_joined_with_its_item_and_its_report(folder: Path) -> None:
    observations = result.observations_of(result.read(folder / "results.json"))
    assert len(observations) == len(VARIANTS) * (REQUESTS + COLD)
    for seen in observations:
        assert seen.succeeded, seen.error
        [report] = seen.reports
        assert report.request_id == seen.item["request_id"]
        assert report.memory_mb == (128 if seen.variant == "sagemaker" else 4096)
        assert 0 < seen.item["timings_ms"]["total"] <= report.duration_ms <= report.billed_ms
        assert seen.latency_ms > seen.item_ms > 0


def test_forced_starts_are_cold_according_to_their_reports(folder: Path) -> None:
    observations = result.observations_of(result.read(folder / "results.json"))
    forced = [seen for seen in observations if seen.phase.value == "cold"]
    assert [seen.is_cold for seen in forced] == [True] * len(VARIANTS) * COLD
    for seen in observations:
        [report] = seen.reports
        is_restore = seen.is_cold and seen.variant == "snapstart"
        assert (report.restore_ms is not None, report.billed_restore_ms is not None) == (is_restore, is_restore)
        assert (report.init_ms is not None) == (seen.is_cold and not is_restore)


def test_the_document_says_that_it_is_a_rehearsal_and_of_what(folder: Path) -> None:
    document = result.read(folder / "results.json")
    assert document["rehearsal"] is True
    assert document["left_behind"] == []
    assert list(document["environment"]["variants"]) == VARIANTS
    assert len(document["environment"]["model_sha256"]) == 1
    assert document["endpoint_metrics"] == {"sagemaker": None}


def test_the_cost_model_reads_the_measurements(folder: Path, command_line: dict[str, str]) -> None:
    costed = crossover(command_line, folder, "cost", "--from", "results.json", "--rpm", "60", "--json")
    assert costed.returncode == 0, costed.stderr
    given = json.loads(costed.stdout)["given"]
    assert {"init_seconds", "restore_seconds", "cold_share", "file_mb", "memory_mb"} <= set(given)
    # On a busy machine every request of a load this short may meet a cold start.
    warm = {seen.variant for seen in result.observations_of(result.read(folder / "results.json")) if not seen.is_cold}
    fields = {
        "standard": "warm_seconds",
        "snapstart": "snapstart_warm_seconds",
        "sagemaker": "proxy_seconds",
        "efs": "efs_warm_seconds",
        "container": "container_warm_seconds",
        "provisioned": "provisioned_warm_seconds",
    }
    assert {field for field in fields.values() if field in given} == {fields[variant] for variant in warm}


def test_an_existing_result_is_not_overwritten(folder: Path, command_line: dict[str, str]) -> None:
    before = (folder / "results.json").read_bytes()
    again = crossover(command_line, folder, *BENCH)
    assert again.returncode == 2
    assert again.stderr == "crossover: The result results.json exists already; name another one with --output.\n"
    assert (folder / "results.json").read_bytes() == before
