"""Runs a probe: a script in a fresh interpreter, in an environment like a function's."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from crossover.errors import CrossoverError

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "model/model.onnx"
SPEECH = ROOT / "tests/audio/sense_and_sensibility_01_austen_64kb-0870.wav"  # 7.1 s
PROBES = Path(__file__).parent / "probes"
PROBE_SECONDS = 300


def probe(
    python: Path,
    script: str,
    *arguments: object,
    endpoint: str = "http://127.0.0.1:9",
    settings: Mapping[str, str] | None = None,
    started_by: Callable[[list[str]], list[str]] = list,
) -> dict[str, Any]:
    """Run a script of `probes/` and return the JSON object on its last line.

    The interpreter starts without site-packages, so that only the folders that the script is given are seen.

    Args:
        endpoint: answers for all of AWS; by default nobody does.
        settings: environment variables in place of, or beside, those of a function.
        started_by: makes the command to start of the command to run, such as one that enters a control group.

    Raises:
        CrossoverError: the script failed, or did not end in time.
    """
    command = [str(python), "-I", "-S", str(PROBES / script), *map(str, arguments)]
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PREDICTIONS_TABLE": "predictions",
        "PREDICTOR": "standard",
        "METRICS_STACK": "Crossover-Standard",  # what a log line costs with its metrics, as it is deployed
        "MODEL_S3_URI": str(MODEL),
        "ENDPOINT_NAME": "endpoint",
        **(settings or {}),
    }
    try:
        answer = subprocess.run(
            started_by(command), env=environment, capture_output=True, text=True, timeout=PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise CrossoverError(f"The probe {script} did not end within {PROBE_SECONDS} s.") from None
    if answer.returncode:
        last = answer.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise CrossoverError(f"The probe {script} failed: {last[0]}")
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result


def s3_event(file: Path = SPEECH, size: int | None = None) -> str:
    """S3's event for an upload of this file, or for one of this name and another size in bytes, as JSON."""
    s3_object = {"key": quote_plus(file.name), "size": size or file.stat().st_size, "eTag": "0", "sequencer": "00"}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "s3": {"bucket": {"name": "uploads"}, "object": s3_object},
    }
    return json.dumps({"Records": [record]})
