"""Results of `python -m benchmarks peers` with the parts that a test gives."""

from benchmarks.peers.handlers import handler_observations
from benchmarks.peers.measure_peers import KIND, SCHEMA, Document
from benchmarks.peers.serving import server_summary
from crossover.bench.machine import Machine

MEASURED_AT = "2026-11-22T21:30:00Z"
MACHINE: Machine = {
    "processor": "Some Processor",
    "processors": 2,
    "memory_mb": 16_384,
    "kernel": "Linux 6.1",
    "python": "3.12.1",
    "packages": {"onnxruntime": "1.31.1", "soxr": "1.1.0"},
    "load_average": [0.25, 0.5, 0.75],
}


def document(
    *, handlers: handler_observations.Section | None = None, serving: server_summary.Section | None = None
) -> Document:
    made: Document = {"schema": SCHEMA, "kind": KIND, "measured_at": MEASURED_AT, "machine": MACHINE}
    if handlers is not None:
        made["handlers"] = {"measured_at": MEASURED_AT, **handlers}
    if serving is not None:
        made["serving"] = {"measured_at": MEASURED_AT, **serving}
    return made
