"""Speed of the handlers on this machine: a warm call, a cold start and the proxy's memory, each against its yardstick.

Ratios are taken within one run, sides alternating, so that they hold on a noisy machine; no time here is an AWS figure.
Every observation is kept in the result.
"""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from crossover.bench.environments import (
    BUNDLE_PYTHON,
    PEERS,
    bundle_python,
    inference_bundle,
    peer_packages,
    proxy_bundle,
)
from crossover.bench.probing import SPEECH, probe, s3_event
from crossover.bench.stub_aws import stub_aws
from crossover.errors import CrossoverError

LARGE_OBJECT_BYTES = 50 * 1024**2


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
    peers = peer_packages("usual")
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
    times = probe(python, "warm.py", bundle, s3_event(), SPEECH, calls)

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
        finished: float = probe(python, "cold.py", handler, s3_event(), *folders, endpoint=aws.url)["finished"]
        return (finished - started) * 1000

    with stub_aws(SPEECH.read_bytes()) as aws:
        ours, usual = [], []
        for run_number in range(-1, processes):  # the first pair only warms the disk
            times = spawn("standard_handler", bundle), spawn("usual_handler", PEERS / "usual", peers)
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
    event = s3_event(size=LARGE_OBJECT_BYTES)
    with stub_aws(b"") as aws:
        peaks = [probe(python, "proxy.py", proxy, event, endpoint=aws.url)["peak_mb"] for _ in range(3)]
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
