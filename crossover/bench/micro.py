"""Speed of the handlers on this machine: a warm call, a cold start and the proxy's memory, each against its yardstick.

Ratios are taken within one run, sides alternating, so that they hold on a noisy machine; no time here is an AWS figure.
Every observation is kept in the result.
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote_plus

from crossover.bench.environments import BUNDLE_PYTHON, bundle_python, inference_bundle, peer_packages, proxy_bundle
from crossover.bench.stub_aws import stub_aws
from crossover.errors import CrossoverError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODEL = ROOT / "model/model.onnx"
SPEECH = ROOT / "tests/audio/sense_and_sensibility_01_austen_64kb-0870.wav"
LARGE_OBJECT_BYTES = 50 * 1024**2
PROBE_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One thing measured against its yardstick.

    Attributes:
        name: what was measured.
        unit: of the observations.
        observed: one figure a run.
        yardstick_name, yardstick: what it is compared with, measured in the same run; empty for an absolute limit.
        limit: what the ratio, or without a yardstick the median, may be at most; None where nothing was promised.
    """

    name: str
    unit: str
    observed: list[float]
    yardstick_name: str
    yardstick: list[float]
    limit: float | None

    @property
    def result(self) -> float:
        """Ratio of the medians, or the median where there is no yardstick."""
        return median(self.observed) / (median(self.yardstick) if self.yardstick else 1.0)

    @property
    def holds(self) -> bool:
        return self.limit is None or self.result <= self.limit

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "result": round(self.result, 4), "holds": self.holds}


@dataclass(frozen=True, kw_only=True)
class Report:
    """All measurements of one run, and where they were made."""

    measured_at: str
    machine: dict[str, Any]
    measurements: list[Measurement]

    def to_dict(self) -> dict[str, Any]:
        return {"schema": 1, **asdict(self), "measurements": [each.to_dict() for each in self.measurements]}


def run(*, calls: int, processes: int, progress: Callable[[str], None]) -> Report:
    """Measure everything on the speech clip of 7.1 s.

    Args:
        calls: warm calls of each side.
        processes: fresh processes of each side for the cold start.
        progress: told what is under way.

    Raises:
        CrossoverError: something that a measurement needs is missing or failed.
    """
    progress("building the bundles")
    python, bundle, proxy = bundle_python(), inference_bundle(), proxy_bundle()
    progress("installing the usual handler's packages, in an environment of their own")
    peers = peer_packages()
    progress(f"warm: {calls} calls of each")
    warm = _warm(python, bundle, calls)
    progress(f"cold: {processes} fresh processes of each")
    cold = _cold(python, bundle, peers, processes)
    progress("the proxy's memory")
    memory = _proxy_memory(python, proxy)
    return Report(
        measured_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        machine={
            "system": platform.platform(),
            "processors": os.cpu_count(),
            "handler_python": BUNDLE_PYTHON,
        },
        measurements=[*warm, cold, memory],
    )


def _warm(python: Path, bundle: Path, calls: int) -> list[Measurement]:
    times = _probe(python, "warm.py", bundle, _event(), SPEECH, calls)

    def measurement(name: str, side: str, limit: float | None) -> Measurement:
        return Measurement(
            name=name,
            unit="ms",
            observed=times[side],
            yardstick_name="decode + resample + session.run",
            yardstick=times["least"],
            limit=limit,
        )

    return [
        measurement("warm call, whole handler", "handler", 1.15),
        measurement("warm call, the AWS SDK's own time included", "handler_with_sdk", None),
    ]


def _cold(python: Path, bundle: Path, peers: Path, processes: int) -> Measurement:
    def spawn(handler: str, *folders: Path) -> float:
        started = time.clock_gettime(time.CLOCK_MONOTONIC)
        finished: float = _probe(python, "cold.py", handler, _event(), *folders, endpoint=aws.url)["finished"]
        return (finished - started) * 1000

    with stub_aws(SPEECH.read_bytes()) as aws:
        ours, usual = [], []
        for run_number in range(-1, processes):  # the first pair only warms the disk
            times = spawn("standard_handler", bundle), spawn("usual_handler", HERE / "peers", peers)
            if run_number >= 0:
                ours.append(times[0])
                usual.append(times[1])
    return Measurement(
        name="cold start, spawn to first prediction",
        unit="ms",
        observed=ours,
        yardstick_name="usual handler (librosa, boto3)",
        yardstick=usual,
        limit=0.40,
    )


def _proxy_memory(python: Path, proxy: Path) -> Measurement:
    event = _event(LARGE_OBJECT_BYTES)
    with stub_aws(b"") as aws:
        peaks = [_probe(python, "proxy.py", proxy, event, endpoint=aws.url)["peak_mb"] for _ in range(3)]
        if aws.requests["s3"]:
            raise CrossoverError(f"The proxy asked S3 {aws.requests['s3']} times; only the container may fetch.")
    return Measurement(
        name=f"proxy, peak memory for a {LARGE_OBJECT_BYTES // 1024**2} MB object",
        unit="MB",
        observed=peaks,
        yardstick_name="",
        yardstick=[],
        limit=100.0,
    )


def _event(size: int | None = None) -> str:
    """S3's event for the speech clip, as JSON."""
    s3_object = {"key": quote_plus(SPEECH.name), "size": size or SPEECH.stat().st_size, "eTag": "0", "sequencer": "00"}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "s3": {"bucket": {"name": "uploads"}, "object": s3_object},
    }
    return json.dumps({"Records": [record]})


def _probe(python: Path, script: str, *arguments: object, endpoint: str = "http://127.0.0.1:9") -> dict[str, Any]:
    """Run a probe in an environment like a function's and return the JSON object on its last line.

    The interpreter starts without site-packages, so that only the bundle's are seen.
    """
    command = [str(python), "-I", "-S", str(HERE / "probes" / script), *map(str, arguments)]
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
    }
    try:
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        raise CrossoverError(f"The probe {script} did not end within {PROBE_SECONDS} s.") from None
    if answer.returncode:
        last = answer.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise CrossoverError(f"The probe {script} failed: {last[0]}")
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result
