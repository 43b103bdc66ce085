"""A cold start: import a handler, answer one event, say when that was done.

Usage: python cold.py HANDLER EVENT FOLDER... ; the folders stand first on the import path.
"""

import importlib
import json
import sys
import time
from types import SimpleNamespace

name, event, *folders = sys.argv[1:]
sys.path[:0] = folders
handler = importlib.import_module(name).handler
handler(json.loads(event), SimpleNamespace(aws_request_id="cold"))
# The monotonic clock is the machine's, so the parent process can subtract the time of the spawn.
print(json.dumps({"finished": time.clock_gettime(time.CLOCK_MONOTONIC)}))
