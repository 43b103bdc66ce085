"""The baseline of each step: bare loops on demand, in one process that sleeps between them.

    python step_baseline.py MODEL CLIP

Each line on its input, `LOOPS THREADS|default SECONDS`, is answered by one line of JSON.
"""

import json
import sys
from pathlib import Path

from bare_loop import load, loop  # type: ignore[import-not-found]  # found in this folder

path, clip = sys.argv[1:]
data = Path(clip).read_bytes()
models = {threads: load(path, threads) for threads in ("1", "2", "default")}
for line in sys.stdin:
    loops, threads, seconds = line.split()
    spent, cpu, latency_ms = loop(models[threads], data, None, int(loops), "decode+run", float(seconds))
    print(json.dumps({"seconds": spent, "cpu_seconds": cpu, "predictions": len(latency_ms)}), flush=True)
