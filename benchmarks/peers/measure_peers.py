"""This project compared with its peers in one run: the handlers first, then the servers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict, cast

from rich.table import Table

from benchmarks.peers.handlers import handler_observations, handler_tables, measure_handlers
from benchmarks.peers.serving import measure_servers, server_summary, server_tables
from crossover.bench import machine
from crossover.errors import UsageError

SCHEMA = 4
KIND = "python -m benchmarks peers"
PARTS = ("handlers", "serving")
DIGITS = 6  # significant digits of a figure that are kept; clocks are not more precise


class HandlersPart(handler_observations.Section):
    measured_at: str


class ServingPart(server_summary.Section):
    measured_at: str


class Document(TypedDict):
    """A result; either part can be missing."""

    schema: int
    kind: str
    measured_at: str
    machine: machine.Machine
    handlers: NotRequired[HandlersPart]
    serving: NotRequired[ServingPart]


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


def run(options: Options, *, progress: Callable[[str], None]) -> Document:
    """Measure; returns the result.

    Raises:
        UsageError: an option is not allowed, or wrk is not installed.
        CrossoverError: this project's own handler or server cannot be measured.
    """
    if "serving" in options.parts:
        measure_servers.check(
            clients=options.clients, seconds=options.seconds, rounds=options.rounds, servers=options.servers
        )
    document: Document = {
        "schema": SCHEMA,
        "kind": KIND,
        "measured_at": _now(),
        "machine": machine.describe(),
    }
    if "handlers" in options.parts:
        document["handlers"] = {
            "measured_at": _now(),
            **measure_handlers.measure(
                processes=options.processes, calls=options.calls, progress=lambda what: progress(f"handlers: {what}")
            ),
        }
    if "serving" in options.parts:
        document["serving"] = {
            "measured_at": _now(),
            **measure_servers.measure(
                clients=options.clients,
                seconds=options.seconds,
                rounds=options.rounds,
                servers=options.servers,
                progress=lambda what: progress(f"serving: {what}"),
            ),
        }
    return cast(Document, _rounded(document))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def tables(document: Document) -> list[Table]:
    """The tables of a result."""
    shown = []
    if "handlers" in document:
        shown += handler_tables.tables(document["handlers"])
    if "serving" in document:
        shown += server_tables.tables(document["serving"])
    return shown


def sentences(document: Document) -> list[str]:
    """The targets, and whether they were reached."""
    targets = handler_tables.targets(document["handlers"]) if "handlers" in document else []
    targets += server_tables.targets(document["serving"]) if "serving" in document else []
    return [str(target) for target in targets]


def _rounded(value: object) -> object:
    """The same value with all figures rounded."""
    match value:
        case float():
            return float(f"{value:.{DIGITS}g}")
        case Mapping():
            return {key: _rounded(each) for key, each in value.items()}
        case list() | tuple():
            return [_rounded(each) for each in value]
    return value
