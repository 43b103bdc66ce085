"""Decode every n-th bad file in a process of its own, which a file may end: `decode_batch FIRST STEP`.

Prints a line of JSON before each file, so that it can be named if this process ends there, and one after it.
"""

import json
import re
import resource
import signal
import sys
from pathlib import Path

from inference import audio
from inference.errors import InputError
from inference.limits import Limits

from . import corpus

RATE = 16_000
SECONDS = 1.0  # of processor time for each file; beyond it, SIGPROF ends the process, in native code too
ADDRESS_SPACE = 1 << 30  # bytes more than at the beginning: protects the machine, the test's own bound is below it


def main(first: int, step: int) -> None:
    files = corpus.files()
    audio.decode(next(file.data for file in files if file.code is None), RATE, Limits())  # what is loaded once
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + ADDRESS_SPACE,) * 2)
    for number in range(first, len(files), step):
        file = files[number]
        print(json.dumps({"number": number}), flush=True)
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts anew
        before = _status("VmRSS")
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        result = _decode(file.data)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps({**result, "bytes": _status("VmHWM") - before}), flush=True)


def _decode(data: bytes) -> dict[str, object]:
    try:
        samples = audio.decode(data, RATE, Limits())
    except InputError as error:
        return {"code": error.code, "message": error.message}
    except BaseException as error:
        return {"code": f"{type(error).__name__}: {error}"}
    return {"code": None, "samples": len(samples)}


def _status(name: str) -> int:
    """Bytes, as the kernel counts them for this process."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
