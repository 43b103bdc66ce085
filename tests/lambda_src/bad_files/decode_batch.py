"""Decode every n-th bad file in a separate process, which a file may crash: `decode_batch FILES READABLE FIRST STEP`.

FILES is a pickle of an input kind, its limits, and the files' contents; READABLE is the number of one that can be
decoded. Prints a line of JSON before each file, so that the one that crashes this process is known, and one after it.
"""

import json
import pickle
import re
import resource
import signal
import sys
from pathlib import Path

from inference.input_error import InputError
from inference.kinds import InputKind
from inference.limits import Limits

SECONDS = 3.0  # of CPU time for each file, of which none needs more than 0.7 on an idle machine; after it SIGPROF ends
# the process, in native code too
ADDRESS_SPACE = 1 << 30  # bytes more than at the start: protects this machine; the test's own limit is lower


def main(taker: InputKind, limits: Limits, files: list[bytes], readable: int, first: int, step: int) -> None:
    taker.decode(files[readable], limits)  # allocates what is allocated once
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + ADDRESS_SPACE,) * 2)
    for number in range(first, len(files), step):
        print(json.dumps({"number": number}), flush=True)
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak
        before = _status("VmRSS")
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        result = _decode(taker, limits, files[number])
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps({**result, "bytes": _status("VmHWM") - before}), flush=True)


def _decode(taker: InputKind, limits: Limits, data: bytes) -> dict[str, object]:
    try:
        taker.decode(data, limits)
    except InputError as error:
        return {"code": error.code, "message": error.message}
    except BaseException as error:
        return {"code": f"{type(error).__name__}: {error}"}
    return {"code": None}


def _status(name: str) -> int:
    """Bytes, as the kernel counts them for this process."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


if __name__ == "__main__":
    main(*pickle.loads(Path(sys.argv[1]).read_bytes()), *map(int, sys.argv[2:]))
