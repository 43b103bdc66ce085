"""A handler's cold start, and then warm calls of it, in one process.

Usage: python peer_handler.py HANDLER EVENT CALLS FOLDER... ; the folders stand first on the import path.
"""

import importlib
import json
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

name, event, calls, *folders = sys.argv[1:]
sys.path[:0] = folders
handler, context = importlib.import_module(name).handler, SimpleNamespace(aws_request_id="peer")
parsed = json.loads(event)
handler(parsed, context)
# The monotonic clock is the machine's, so the parent process can subtract the time of the spawn.
finished, cold_cpu = time.clock_gettime(time.CLOCK_MONOTONIC), time.process_time()
# VmHWM and not getrusage: ru_maxrss starts at the size of the process that spawned this one.
(peak_kb,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
warm_ms, warm_cpu_ms = [], []
for _ in range(int(calls)):
    cpu, started = time.process_time(), time.perf_counter()
    handler(parsed, context)
    warm_ms.append((time.perf_counter() - started) * 1000)
    warm_cpu_ms.append((time.process_time() - cpu) * 1000)
found = {"finished": finished, "cold_cpu_s": cold_cpu, "peak_mb": int(peak_kb) / 1024}
print(json.dumps({**found, "warm_ms": warm_ms, "warm_cpu_ms": warm_cpu_ms}))
