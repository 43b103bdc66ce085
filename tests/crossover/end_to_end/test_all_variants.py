"""All variants: files go in, predictions come out, and all variants agree."""

import os
from pathlib import Path

import psutil
import pytest

from crossover.deployed import Variant
from crossover.local.work import LocalAws
from crossover.paths import sources
from crossover.project import known_variants

from .conftest import VARIANTS

pytestmark = pytest.mark.slow

SPEECH = sources() / "model/samples/sense_and_sensibility_01_austen_64kb-0870.wav"


def test_the_variants_that_are_compared_by_default_are_among_them() -> None:
    assert set(known_variants()) < set(VARIANTS)


def test_all_variants_predict_the_same_label(aws: LocalAws, variants: dict[str, Variant]) -> None:
    rows = aws.predict(VARIANTS, [SPEECH])
    assert [row.variant for row in rows] == VARIANTS
    items = [row.result.item for row in rows if row.result]
    assert [item["status"] for item in items] == ["SUCCEEDED"] * len(VARIANTS)
    assert [item["label"] for item in items] == ["Speech"] * len(VARIANTS)
    assert [item["predictor"] for item in items] == VARIANTS
    # S3's test event has come through the queue to the endpoint's proxy, and provisioned is kept ready.
    warm = {"sagemaker", "provisioned"}
    assert [item["cold_start"] for item in items] == [name not in warm for name in VARIANTS]
    assert len({item["model_sha256"] for item in items}) == 1


def test_the_second_file_meets_warm_functions(aws: LocalAws, variants: dict[str, Variant]) -> None:
    aws.predict(VARIANTS, [SPEECH])
    rows = aws.predict(VARIANTS, [SPEECH])
    assert [row.result and row.result.item["cold_start"] for row in rows] == [False] * len(VARIANTS)


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give up root.")
def test_the_endpoints_process_has_given_up_root(aws: LocalAws, variants: dict[str, Variant]) -> None:
    processes = [process.info for process in psutil.process_iter(["cmdline", "cwd", "uids"])]
    servers = [each for each in processes if "sagemaker_container/serve" in (each["cmdline"] or [])]
    here = [server for server in servers if (server["cwd"] or "").startswith(str(aws.workspace.folder))]
    assert [set(server["uids"]) for server in here] == [{10001}]


def test_a_file_that_is_not_audio_becomes_a_failed_item_in_every_variant(
    aws: LocalAws, variants: dict[str, Variant], tmp_path: Path
) -> None:
    file = tmp_path / "no audio +ü.wav"
    file.write_text("These are words.")
    rows = aws.predict(VARIANTS, [file])
    items = [row.result.item for row in rows if row.result]
    assert [item["status"] for item in items] == ["FAILED"] * len(VARIANTS)
    assert [item["error_code"] for item in items] == ["UNSUPPORTED_FORMAT"] * len(VARIANTS)
    assert all(item["object_key"].endswith("/no audio +ü.wav") for item in items)
