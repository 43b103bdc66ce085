"""This project beside its peers, in one run: the handlers first, then the servers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from benchmarks.peers.handlers import benchmark as handlers
from benchmarks.peers.handlers import shown as handlers_shown
from benchmarks.peers.serving import benchmark as serving
from benchmarks.peers.serving import shown as serving_shown
from crossover.bench import machine
from crossover.errors import UsageError

SCHEMA = 2
KIND = "python -m benchmarks peers"
PARTS = ("handlers", "serving")
DIGITS = 6  # significant ones that are kept of a figure; clocks tell no more


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure.

    Attributes:
        parts: of PARTS.
        processes: fresh processes of each handler.
        calls: warm calls in each.
        servers: names of `serving.servers.NAMES`; all where there are none.
        clients: how many ask a server at once, one step for each number.
        seconds: of each step.
        rounds: in which each server has a turn, and this project's several.

    Raises:
        UsageError: a part is unknown, or there is none.
    """

    parts: Sequence[str]
    processes: int
    calls: int
    servers: Sequence[str]
    clients: Sequence[int]
    seconds: int
    rounds: int

    def __post_init__(self) -> None:
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown or not self.parts:
            raise UsageError(f"The part is {', '.join(unknown)!r}; {' and '.join(PARTS)} are allowed.")


def run(options: Options, *, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure; returns the result document.

    Raises:
        UsageError: an option is not allowed, or wrk is not installed.
        CrossoverError: this project's own side cannot be measured.
    """
    if "serving" in options.parts:
        serving.check(clients=options.clients, seconds=options.seconds, rounds=options.rounds, servers=options.servers)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": KIND,
        "measured_at": _now(),
        "machine": machine.describe(),
    }
    if "handlers" in options.parts:
        document["handlers"] = {
            "measured_at": _now(),
            **handlers.measure(
                processes=options.processes, calls=options.calls, progress=lambda what: progress(f"handlers: {what}")
            ),
        }
    if "serving" in options.parts:
        document["serving"] = {
            "measured_at": _now(),
            **serving.measure(
                clients=options.clients,
                seconds=options.seconds,
                rounds=options.rounds,
                servers=options.servers,
                progress=lambda what: progress(f"serving: {what}"),
            ),
        }
    rounded: dict[str, Any] = _rounded(document)
    return rounded


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def tables(document: Mapping[str, Any]) -> list[Table]:
    """What is printed of a result document."""
    shown = []
    if "handlers" in document:
        shown += handlers_shown.tables(document["handlers"])
    if "serving" in document:
        shown += serving_shown.tables(document["serving"])
    return shown


def sentences(document: Mapping[str, Any]) -> list[str]:
    """What was aimed at, and whether it was reached."""
    targets = handlers_shown.targets(document["handlers"]) if "handlers" in document else []
    targets += serving_shown.targets(document["serving"]) if "serving" in document else []
    return [str(target) for target in targets]


def _rounded(value: Any) -> Any:
    """The same with its figures rounded, wherever they stand."""
    match value:
        case float():
            return float(f"{value:.{DIGITS}g}")
        case Mapping():
            return {key: _rounded(each) for key, each in value.items()}
        case list() | tuple():
            return [_rounded(each) for each in value]
    return value
