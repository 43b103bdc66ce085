"""The proxy's memory: answer one event for a large object, then print the peak resident set of this process.

Usage: python proxy.py BUNDLE EVENT
"""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

bundle, event = sys.argv[1:]
sys.path.insert(0, bundle)

import sagemaker_trigger_handler  # noqa: E402

sagemaker_trigger_handler.handler(json.loads(event), SimpleNamespace(aws_request_id="proxy"))
# VmHWM and not getrusage: ru_maxrss starts at the size of the process that spawned this one.
(peak_kb,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps({"peak_mb": int(peak_kb) / 1024}))
