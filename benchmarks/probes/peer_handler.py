"""A handler's cold start, and then a warm call for each line read, in one process.

Usage: python peer_handler.py HANDLER EVENT FOLDER... ; the folders are first on the import path.
"""

import importlib
import json
import os
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

name, event, *folders = sys.argv[1:]
sys.path[:0] = folders
# What a handler logs is written, but is not an answer.
answers, sys.stdout = sys.stdout, Path(os.devnull).open("w")  # noqa: SIM115
handler, context = importlib.import_module(name).handler, SimpleNamespace(aws_request_id="peer")
parsed = json.loads(event)
handler(parsed, context)
# The monotonic clock is the machine's, so the parent process can subtract the time of the spawn.
finished, cold_cpu = time.clock_gettime(time.CLOCK_MONOTONIC), time.process_time()
# VmHWM and not getrusage: ru_maxrss starts at the size of the process that spawned this one.
(peak_kb,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(
    json.dumps({"finished": finished, "cold_cpu_s": cold_cpu, "peak_mb": int(peak_kb) / 1024}), file=answers, flush=True
)
for _ in sys.stdin:
    cpu, started = time.process_time(), time.perf_counter()
    handler(parsed, context)
    warm_ms, warm_cpu_ms = (time.perf_counter() - started) * 1000, (time.process_time() - cpu) * 1000
    print(json.dumps({"warm_ms": warm_ms, "warm_cpu_ms": warm_cpu_ms}), file=answers, flush=True)
