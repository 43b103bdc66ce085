"""Hand-made observations, and a server of a few lines."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.serving.server_observations import Loop, Start, Step, StepBaseline
from benchmarks.peers.serving.servers import Server
from tests.server_script import server_script

NO_ERRORS = {"connect": 0, "read": 0, "write": 0, "status": 0, "timeout": 0}


def step(server: str = "ours", clients: int = 1, turn: int = 1, **values: Any) -> Step:
    """100 requests in 2 s."""
    given: dict[str, Any] = {
        "seconds": 2.0,
        "requests": 100,
        "errors": NO_ERRORS,
        "latency_us": [10_000, 20_000],
        "counts": [90, 10],
        "server_cpu_seconds": 1.0,
        "wrk_cpu_seconds": 0.1,
        "other_cpu_share": 0.0,
        "memory_mb": 200.0,
    }
    return Step(server=server, clients=clients, turn=turn, **{**given, **values})


def start(server: str = "ours", turn: int = 1, ready: float = 1.0, predicted: float = 2.0) -> Start:
    return Start(
        server=server,
        turn=turn,
        ready_seconds=ready,
        first_prediction_seconds=predicted,
        top_labels=[{"label": "Speech", "score": 0.99}],
    )


def loop(
    loops: int = 1,
    threads: int | None = 1,
    round_number: int = 1,
    part: str = "decode+run",
    latency_ms: tuple[float, ...] = (10.0,),
    seconds: float = 1.0,
) -> Loop:
    return Loop(
        loops=loops,
        threads=threads,
        part=part,
        round=round_number,
        seconds=seconds,
        cpu_seconds=0.5,
        latency_ms=list(latency_ms),
        first_prediction_seconds=0.5,
        memory_mb=100.0,
        other_cpu_share=0.0,
    )


def step_baseline(
    server: str = "ours",
    clients: int = 1,
    turn: int = 1,
    *,
    kind: tuple[int, int | None] = (1, 2),
    predictions: int = 100,
    cpu_seconds: float = 1.0,
) -> StepBaseline:
    """A second of bare loops beside a step."""
    return StepBaseline(
        server=server,
        turn=turn,
        clients=clients,
        loops=kind[0],
        threads=kind[1],
        seconds=1.0,
        predictions=predictions,
        cpu_seconds=cpu_seconds,
    )


RESPOND = """
answers = 0

def respond(body, headers):
    global answers
    answers += 1
    return 500 if FAILING and answers > 1 else 200, b'{"top_labels": [{"label": "Speech", "score": 0.9}]}'
"""


@dataclass(frozen=True, kw_only=True)
class ScriptServer(Server):
    """A server that is a script for the interpreter of the tests."""

    def python(self) -> Path:
        return Path(sys.executable)

    def versions(self) -> dict[str, str]:
        return {}

    def prepare(self, python: Path, folder: Path) -> None:
        """There is nothing to lay out."""


def script_server(before: str = "", *, failing: bool = False, peer: str = "script") -> ScriptServer:
    """One that answers every clip with Speech, after the lines of `before`; a failing one only the first."""
    script = server_script(f"FAILING = {failing}\n{before}\n{RESPOND}", port="sys.argv[1]")

    def variables(*_: Any) -> Mapping[str, object]:
        return {}

    return ScriptServer(
        peer=peer,
        workers=1,
        packages=(),
        command=lambda python, _, address: [python, "-S", "-c", script, address.port],
        variables=variables,
        health_path="/",
    )
