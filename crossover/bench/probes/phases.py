"""One execution environment: a cold start of the standard handler phase by phase, then warm calls.

Usage: python phases.py BUNDLE EVENT DECODERS THREADS CALLS PAUSE. DECODERS are the packages that decode, with commas
between them; THREADS are onnxruntime's for one prediction, 0 for what the
handler chooses. Before each of the CALLS warm calls the process sleeps for PAUSE to twice PAUSE, s.

At any time the main thread is in one phase, the innermost of those begun, so that the phases add up to the whole. The
model's fetch in the background is measured separately: the phases only contain the waiting for it. The handler itself
is not changed: functions are wrapped as their modules are imported.
"""

import sys
import time

FIRST_LINE = time.monotonic()  # the machine's clock, so the parent process can subtract the time of the spawn

TYPE_CHECKING = False  # typing is not imported: the handler's imports are measured with what they themselves import
if TYPE_CHECKING:
    from typing import Any

bundle, event_text, decoders, threads, calls, pause = sys.argv[1:]
LIBRARIES = {
    "numpy": "imports: numpy",
    "onnxruntime": "imports: onnxruntime",
    "botocore": "imports: botocore",
    **dict.fromkeys(decoders.split(","), "imports: decoders"),
}
HANDLER = "standard_handler"

spent: "dict[str, float]" = {}  # phase: s
running = ["other"]
last = FIRST_LINE
fetch: "list[float]" = []  # when it began and ended


def switch() -> None:
    """Count the time since the last switch for the phase that ran."""
    global last
    now = time.monotonic()
    spent[running[-1]] = spent.get(running[-1], 0.0) + now - last
    last = now


def in_phase(phase: str, function: "Any") -> "Any":
    """The function, its time counted for the phase; only to be called on the main thread."""

    def counted(*arguments: "Any", **options: "Any") -> "Any":
        switch()
        running.append(phase)
        try:
            return function(*arguments, **options)
        finally:
            switch()
            running.pop()

    return counted


def phase_of_import(name: str) -> str:
    """Imports by a library count as that library's; the handler's own module has its own phases."""
    library = name.partition(".")[0]
    if library in LIBRARIES:
        return LIBRARIES[library]
    if name == HANDLER:
        return "other"
    return running[-1] if running[-1].startswith("imports: ") else "imports: rest"


class Importer:
    """Replaces the path finder in sys.meta_path: finds the same modules, and times their execution."""

    @staticmethod
    def find_spec(name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        spec = finder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: "Any") -> None:
                if get_ident() == main_thread:
                    in_phase(phase_of_import(name), execute)(module)
                else:
                    execute(module)
                if name in WRAPPERS:
                    WRAPPERS[name](module)

            spec.loader.exec_module = exec_module
        return spec


def wrap_startup(startup: "Any") -> None:
    from concurrent.futures import Future

    get = startup._model_source

    def timed(*arguments: "Any") -> "Any":  # in the background
        fetch.append(time.monotonic())
        source = get(*arguments)
        fetch.append(time.monotonic())
        return source

    startup._model_source = timed
    Future.result = in_phase("wait for the model", Future.result)  # type: ignore[method-assign]


def wrap_clients(clients: "Any") -> None:
    clients.create_client = in_phase("clients", clients.create_client)


def wrap_model(module: "Any") -> None:
    load = module.Model.load
    module.Model.load = in_phase("session", lambda source: load(source, threads=int(threads) or None))


WRAPPERS = {"inference.startup": wrap_startup, "inference.clients": wrap_clients, "inference.model": wrap_model}

from _thread import get_ident  # noqa: E402

main_thread = get_ident()
finder: "Any" = sys.meta_path[-1]
sys.meta_path[-1] = Importer
sys.path.insert(0, bundle)

import standard_handler  # noqa: E402

imported, init_cpu = time.monotonic(), time.process_time()
sys.meta_path[-1] = finder  # late imports by the first event are a part of it

# From here on nothing is imported that the handler has not imported.
import io  # noqa: E402
import json  # noqa: E402
import random  # noqa: E402
from types import SimpleNamespace  # noqa: E402

event, context = json.loads(event_text), SimpleNamespace(aws_request_id="phases")
answer, log = sys.stdout, io.StringIO()
sys.stdout = log  # the handler's log line is made, but not shown


def timings() -> "Any":
    """The handler's own, from its last log line, ms."""
    line = json.loads(log.getvalue().splitlines()[-1])
    if line["event"] != "prediction" or line["status"] != "SUCCEEDED":
        raise RuntimeError(f"The handler did not predict: {line}")
    return line["timings_ms"]


in_phase("first run", standard_handler.handler)(event, context)
switch()
answered = last
cold = {
    "first_line": FIRST_LINE,
    "imported": imported,
    "answered": answered,
    "phases": spent,
    "fetch": fetch,
    "init_cpu": init_cpu,
    "cpu": time.process_time(),
    "handler_ms": timings(),
}

store_ms = 0.0
put = standard_handler.processor.store.put


def timed_put(item: "Any", **more: "Any") -> bool:
    global store_ms
    started = time.perf_counter()
    try:
        stored: bool = put(item, **more)
        return stored
    finally:
        store_ms = (time.perf_counter() - started) * 1000


standard_handler.processor.store.put = timed_put  # type: ignore[method-assign]
warm = []
for _ in range(int(calls)):
    time.sleep(random.uniform(1, 2) * float(pause))
    cpu, started = time.process_time(), time.perf_counter()
    standard_handler.handler(event, context)
    total_ms = (time.perf_counter() - started) * 1000
    cpu_ms = (time.process_time() - cpu) * 1000
    warm.append({"total_ms": total_ms, "cpu_ms": cpu_ms, "store_ms": store_ms, "handler_ms": timings()})

session = standard_handler.processor.predictor.model.session
used = session.get_session_options().intra_op_num_threads
print(json.dumps({"threads": used, "cold": cold, "warm": warm}), file=answer, flush=True)
