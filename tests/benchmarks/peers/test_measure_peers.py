"""This project and its peers: which parts are measured, and the result. No time is asserted."""

import json
from typing import Any

import pytest

from benchmarks.peers import measure_peers
from benchmarks.peers.handlers import handler_tables, measure_handlers
from benchmarks.peers.measure_peers import Document, Options
from benchmarks.peers.serving import measure_servers, server_tables
from benchmarks.peers.target import Target
from crossover.bench import machine
from crossover.errors import UsageError
from tests.benchmarks.peers.example_document import MACHINE, document
from tests.benchmarks.peers.handlers.test_handler_tables import section as handlers_section
from tests.benchmarks.peers.serving.test_server_tables import section as serving_section


class World:
    """Stands in for both parts and for the machine: notes what it is asked, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        monkeypatch.setattr(machine, "describe", lambda: MACHINE)
        monkeypatch.setattr(measure_handlers, "measure", self.handlers)
        monkeypatch.setattr(measure_servers, "measure", self.serving)
        monkeypatch.setattr(measure_servers, "check", self.check)

    def handlers(self, *, progress: Any, **given: Any) -> dict[str, Any]:
        self.asked.append(("handlers", given))
        progress("1 of 2")
        return {"median": 1.23456789, "n": 123456789}

    def serving(self, *, progress: Any, **given: Any) -> dict[str, Any]:
        self.asked.append(("serving", given))
        progress("round 1")
        return {"latency_us": (1234567, 2345678), "seconds": 5.0000001}

    def check(self, **given: Any) -> str:
        self.asked.append(("check", given))
        return "4.1.0"

    @property
    def order(self) -> list[str]:
        return [what for what, _ in self.asked]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def options(**given: Any) -> Options:
    usual: dict[str, Any] = {
        "parts": ["handlers", "serving"],
        "processes": 3,
        "calls": 4,
        "servers": ["ours"],
        "clients": (1, 4),
        "seconds": 5,
        "rounds": 2,
    }
    return Options(**{**usual, **given})


def test_servers_are_checked_first_and_measured_last(world: World) -> None:
    said: list[str] = []
    found = measure_peers.run(options(), progress=said.append)
    load = {"servers": ["ours"], "clients": (1, 4), "seconds": 5, "rounds": 2}
    assert world.asked == [("check", load), ("handlers", {"processes": 3, "calls": 4}), ("serving", load)]
    assert said == ["handlers: 1 of 2", "serving: round 1"]
    assert (found["schema"], found["kind"]) == (4, "python -m benchmarks peers")
    assert found["machine"] == MACHINE
    assert all(each["measured_at"].endswith("Z") for each in (found, found["handlers"], found["serving"]))
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("part", "order"), [("handlers", ["handlers"]), ("serving", ["check", "serving"])], ids=["handlers", "serving"]
)
def test_one_part_alone_needs_nothing_of_the_other(world: World, part: str, order: list[str]) -> None:
    found = measure_peers.run(options(parts=[part]), progress=lambda _: None)
    assert world.order == order
    assert {"handlers", "serving"} & found.keys() == {part}


def test_invalid_options_are_refused_before_anything_is_measured(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(**_: Any) -> str:
        raise UsageError("wrk is not there.")

    monkeypatch.setattr(measure_servers, "check", check)
    monkeypatch.setattr(machine, "describe", lambda: pytest.fail("a bundle may be built for that"))
    with pytest.raises(UsageError, match="wrk is not there"):
        measure_peers.run(options(), progress=lambda _: None)
    assert world.order == []


def test_figures_of_the_result_are_rounded(world: World) -> None:
    found = measure_peers.run(options(), progress=lambda _: None)
    sections = [
        {name: figure for name, figure in found[part].items() if name != "measured_at"}
        for part in ("handlers", "serving")
    ]
    assert sections == [
        {"median": 1.23457, "n": 123456789},
        {"latency_us": [1234567, 2345678], "seconds": 5.0},
    ]


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (1234567.8, 1234570.0),
        (0.000123456789, 0.000123457),
        (-2 / 3, -0.666667),
        (0.0, 0.0),
        (12.5, 12.5),
        (1234567890, 1234567890),  # a count
        ({"a": [{"b": 1 / 3}], "c": (2 / 3, 7654321)}, {"a": [{"b": 0.333333}], "c": [0.666667, 7654321]}),
    ],
)
def test_six_digits_are_kept_of_a_figure_and_all_of_a_count(value: object, rounded: object) -> None:
    found = measure_peers._rounded(value)
    assert found == rounded
    assert json.dumps(found) == json.dumps(rounded)  # 5 is not 5.0


@pytest.mark.parametrize("value", [True, None, "1.23456789", "2026-11-22T21:30:00Z", [], {}])
def test_other_values_are_not_rounded(value: object) -> None:
    assert measure_peers._rounded(value) == value
    assert type(measure_peers._rounded(value)) is type(value)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (["servers"], r"The part is 'servers'; handlers and serving are allowed\."),
        (["handlers", "a", "b"], r"The part is 'a, b'; handlers and serving are allowed\."),
        ([], r"The part is ''; handlers and serving are allowed\."),
    ],
)
def test_an_unknown_part_is_named(parts: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=f"^{sentence}$"):
        options(parts=parts)


def test_tables_are_those_of_the_parts_that_were_measured() -> None:
    def titles(given: Document) -> list[str]:
        return [str(table.title) for table in measure_peers.tables(given)]

    handlers, servers = handlers_section(), serving_section()
    of_handlers = [str(table.title) for table in handler_tables.tables(handlers)]
    of_servers = [str(table.title) for table in server_tables.tables(servers)]
    assert titles(document(handlers=handlers)) == of_handlers
    assert titles(document(serving=servers)) == of_servers
    assert titles(document(serving=servers, handlers=handlers)) == [*of_handlers, *of_servers]
    assert titles(document()) == []


def test_each_target_is_a_sentence_that_says_whether_it_is_reached() -> None:
    said = measure_peers.sentences(document(handlers=handlers_section(cold_ms=300.0, decode_ms=6.1)))
    assert said == [
        "cold start, of the usual handler's: 0.30, at most 0.36: holds.",
        "decoding 10 s.flac, warm, of librosa.load's: 0.61, at most 0.6: missed.",
    ]


def test_a_target_that_was_not_measured_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Target.at_least("throughput", None, 0.95), Target.at_most("p99", 1.1, 1.2)]
    monkeypatch.setattr(server_tables, "targets", lambda section: found)
    assert measure_peers.sentences(document(serving=serving_section())) == [
        "throughput: not measured, at least 0.95: missed.",
        "p99: 1.10, at most 1.2: holds.",
    ]
    both = measure_peers.sentences(document(handlers=handlers_section(usual=False), serving=serving_section()))
    assert [": not measured, " in sentence for sentence in both] == [True, True, True, False]
    assert measure_peers.sentences(document()) == []
