"""The baseline of all servers: predictions in bare loops, without HTTP.

    python bare_loop.py MODEL CLIP LOOPS THREADS|default decode+run|run SECONDS

Prints one JSON object: the latency of every prediction, and CPU time, memory and start of this process.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

from clip_model import ClipModel  # type: ignore[import-not-found]  # found in this folder


def main(path: str, clip: str, loops: int, threads: str, part: str, seconds: float) -> None:
    model = load(path, threads)
    data = Path(clip).read_bytes()
    waveform = model.decode(data)
    answer = model.predict(data)
    first_prediction = time.monotonic()

    loop(model, data, waveform, loops, part, 0.2)  # threads and caches are warm now
    spent, cpu, latency_ms = loop(model, data, waveform, loops, part, seconds)
    result = {
        "answer": answer,
        "first_prediction": first_prediction,  # CLOCK_MONOTONIC, s
        "seconds": spent,
        "cpu_seconds": cpu,
        "process_cpu_seconds": time.process_time(),  # since its start
        "latency_ms": latency_ms,
        "memory_mb": _pss_mb(),
    }
    print(json.dumps(result))


def load(path: str, threads: str) -> Any:
    """The model. Threads that are chosen do not spin between two predictions, as in this project's server."""
    return ClipModel(path) if threads == "default" else ClipModel(path, int(threads), spinning=False)


def loop(model: Any, data: bytes, waveform: Any, loops: int, part: str, seconds: float) -> Any:
    """Predict in so many threads; returns wall time and CPU time, s, and every latency, ms."""

    def one(end: float) -> list[float]:
        times = [time.perf_counter()]
        while times[-1] < end:
            model.scores(waveform) if part == "run" else model.scores(model.decode(data))
            times.append(time.perf_counter())
        return [(after - before) * 1000 for before, after in pairwise(times)]

    with ThreadPoolExecutor(loops) as pool:
        used, started = time.process_time(), time.perf_counter()
        runs = list(pool.map(one, [started + seconds] * loops))
        spent, cpu = time.perf_counter() - started, time.process_time() - used
    return spent, cpu, [latency for run in runs for latency in run]


def _pss_mb() -> float:
    """Proportional set size of this process, MB (1e6 bytes)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    (kilobytes,) = (int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes * 1024 / 1e6


if __name__ == "__main__":
    path, clip, loops, threads, part, seconds = sys.argv[1:]
    main(path, clip, int(loops), threads, part, float(seconds))
