"""The rounds of a comparison, with servers of a few lines; and once for real."""

import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.peers.serving import measure_servers, server_tables, wrk
from benchmarks.peers.serving.running import NotServingError
from benchmarks.peers.serving.server_observations import Loop, StepBaseline
from benchmarks.peers.serving.server_summary import Section
from benchmarks.peers.serving.servers import Server
from crossover.bundling.find_python import find_python
from crossover.errors import CrossoverError, UsageError
from tests.benchmarks.peers.serving.example_observations import NO_ERRORS, loop, script_server, start, step_baseline

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
needs_python = pytest.mark.skipif(find_python("3.12") is None, reason="no Python 3.12 here for the servers")

COUNTED = {
    "requests": 50,
    "duration_us": 2_000_000,
    "cpu_seconds": 0.25,
    "errors": NO_ERRORS,
    "latency_us": [1000, 4000],
    "counts": [40, 10],
}


class FakeRunning:
    """Stands for a RunningServer."""

    def __init__(self, world: "World", server: Server, turn: int) -> None:
        self.server = server
        self.url = f"http://{server.name}"
        self.start = start(server.name, turn)
        self.cpu_seconds = lambda: world.cpu_seconds

    def memory_mb(self) -> float:
        return 123.0


class World:
    """What is done instead of starting servers, loops and wrk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *peers: str) -> None:
        self.servers = [script_server(peer=peer) for peer in peers]
        self.done: list[Any] = []
        self.broken: dict[str, str] = {}
        self.labels: list[str] = []
        self.cpu_seconds = 0.0  # of the server that runs: half a second in each step, and what follows below
        self.cpu_afterwards = 0.0  # while the baseline leads
        monkeypatch.setattr(measure_servers, "find_servers", lambda names: self.servers)
        monkeypatch.setattr(measure_servers, "running", self.running)
        monkeypatch.setattr(measure_servers, "run_loop", self.run_loop)
        monkeypatch.setattr(measure_servers, "baseline_runner", self.baseline_runner)
        monkeypatch.setattr(wrk, "post", self.post)
        monkeypatch.setattr(wrk, "wrk_version", lambda: "4.1.0")

    @contextmanager
    def running(self, server: Server, *, clip: bytes, label: str, turn: int) -> Iterator[FakeRunning]:
        self.labels.append(label)
        self.done.append((turn, server.peer))
        if server.peer in self.broken:
            raise NotServingError(self.broken[server.peer])
        yield FakeRunning(self, server, turn)

    def run_loop(self, loops: int, threads: int | None, part: str, *, round_number: int, **_: Any) -> tuple[Loop, str]:
        self.done.append((round_number, "baseline"))
        return loop(loops, threads, round_number, part), "Speech"

    @contextmanager
    def baseline_runner(self, clip: Path) -> Iterator[Any]:
        yield self

    def step_baseline(self, server: str, turn: int, clients: int) -> list[StepBaseline]:
        self.done.append((clients, "step_baseline"))
        return [step_baseline(server, clients, turn)]

    def lead(self) -> None:
        self.done.append("lead")
        self.cpu_seconds += self.cpu_afterwards

    def post(self, url: str, *_: Any, clients: int, seconds: int) -> dict[str, Any]:
        self.done.append((clients, seconds))
        self.cpu_seconds += 0.5
        return COUNTED

    def measure(self, *, clients: tuple[int, ...] = (1, 4), rounds: int = 1) -> Section:
        return measure_servers.measure(clients=clients, seconds=3, rounds=rounds, servers=[], progress=lambda _: None)


def test_each_round_begins_with_the_baseline_and_with_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, "a", "b", "c")
    world.measure(clients=(1,), rounds=3)
    names = [what for what in world.done if what[1] in ("baseline", "a", "b", "c")]
    assert list(dict.fromkeys(names)) == [
        *((1, "baseline"), (1, "a"), (1, "b"), (1, "c")),
        *((2, "baseline"), (2, "b"), (2, "c"), (2, "a")),
        *((3, "baseline"), (3, "c"), (3, "a"), (3, "b")),
    ]
    assert names.count((1, "baseline")) == 8  # four shapes, with decoding and without


def test_every_server_is_compared_with_ours_which_therefore_has_several_turns_in_a_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, "a", "ours", "b", "c", "d")
    world.measure(clients=(1,), rounds=2)
    names = [what for what in world.done if what[1] in ("ours", "a", "b", "c", "d")]
    assert names == [
        *((1, "ours"), (1, "a"), (1, "b"), (2, "ours"), (1, "c"), (1, "d")),
        *((2, "a"), (2, "b"), (3, "ours"), (2, "c"), (2, "d"), (4, "ours")),
    ]


@pytest.mark.parametrize(("others", "turns"), [(0, 1), (1, 1), (2, 2), (3, 3), (10, 3)])
def test_ours_has_at_most_three_turns_and_never_two_in_a_row(others: int, turns: int) -> None:
    servers = measure_servers.in_turn([script_server(peer=name) for name in (*(f"{n}" for n in range(others)), "ours")])
    assert [server.is_ours for server in servers].count(True) == turns
    assert len(servers) == others + turns
    assert not any(one.is_ours and next_one.is_ours for one, next_one in pairwise(servers))


def test_a_server_is_warmed_up_by_most_clients_and_then_loaded_by_increasing_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, "a")
    world.measure(clients=(16, 1, 4, 4))
    assert world.done[9:] == [
        *((16, 2), "lead"),
        *((1, "step_baseline"), (1, 3), "lead", (1, "step_baseline")),
        *((4, "step_baseline"), (4, 3), "lead", (4, "step_baseline")),
        *((16, "step_baseline"), (16, 3), "lead", (16, "step_baseline")),
    ]
    assert world.labels == ["Speech"]  # what the bare loop found


@pytest.mark.parametrize(("cpu", "leads"), [(0.04, 1), (0.06, 10)])
def test_the_baseline_is_measured_when_the_server_is_idle(
    cpu: float, leads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(monkeypatch, "a")
    world.cpu_afterwards = cpu  # a tenth of a core in 0.5 s is what a server at rest may take
    world.measure(clients=(1,))
    assert world.done[9:] == [
        (1, 2),
        *["lead"] * leads,
        (1, "step_baseline"),
        (1, 3),
        *["lead"] * leads,
        (1, "step_baseline"),
    ]


def test_every_observation_is_in_the_section_which_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, "ours", "b")
    section = world.measure(rounds=2)
    assert json.loads(json.dumps(section)) == section
    assert [(each["server"], each["turn"], each["clients"]) for each in section["steps"]] == [
        *(("ours", 1, 1), ("ours", 1, 4), ("b, 1 worker", 1, 1), ("b, 1 worker", 1, 4)),
        *(("b, 1 worker", 2, 1), ("b, 1 worker", 2, 4), ("ours", 2, 1), ("ours", 2, 4)),
    ]
    step: Any = section["steps"][0]
    assert (step["seconds"], step["requests"], step["wrk_cpu_seconds"]) == (2.0, 50, 0.25)
    assert (step["latency_us"], step["counts"], step["errors"]) == ([1000, 4000], [40, 10], NO_ERRORS)
    assert (step["server_cpu_seconds"], step["memory_mb"]) == (0.5, 123.0)
    assert 0 <= step["other_cpu_share"] <= 1
    assert len(section["starts"]) == 4
    assert len(section["loops"]) == 16
    assert len(section["baselines"]) == 8
    assert [row["server"] for row in section["summary"]] == ["ours", "ours", "b, 1 worker", "b, 1 worker"]
    assert section["settings"]["rounds"] == 2
    assert section["failures"] == []


def test_a_peer_that_does_not_start_is_a_row_with_the_reason_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, "a", "b")
    world.broken["a"] = "a ended while it was starting."
    section = world.measure(rounds=2)
    reason = "a ended while it was starting."
    assert section["failures"] == [
        {"server": "a, 1 worker", "turn": 1, "reason": reason},
        {"server": "a, 1 worker", "turn": 2, "reason": reason},
    ]
    assert {step["server"] for step in section["steps"]} == {"b, 1 worker"}
    assert reason in rendered(section)


def test_a_peer_that_cannot_be_installed_is_not_tried_in_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(_: Server) -> None:
        raise CrossoverError("The environment of a cannot be made.")

    world = World(monkeypatch, "a")
    monkeypatch.setattr(type(world.servers[0]), "python", cannot)
    section = world.measure(rounds=2)
    assert section["failures"] == [
        {"server": "a, 1 worker", "turn": 0, "reason": "The environment of a cannot be made."}
    ]
    assert section["summary"] == []
    assert "The environment of a cannot be made." in rendered(section)


def test_everything_runs_on_the_chosen_cores_and_afterwards_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = os.sched_getaffinity(0)
    world = World(monkeypatch, "a")
    seen: list[set[int]] = []

    def post(*_: Any, **__: Any) -> dict[str, Any]:
        seen.append(os.sched_getaffinity(0))
        return COUNTED

    monkeypatch.setattr(wrk, "post", post)
    monkeypatch.setattr(measure_servers, "CORES", 1)
    section = world.measure()
    assert {len(each) for each in seen} == {section["settings"]["cores"]} == {1}
    assert os.sched_getaffinity(0) == cores
    monkeypatch.setattr(wrk, "post", lambda *_, **__: pytest.fail("stop"))
    with pytest.raises(pytest.fail.Exception):
        world.measure()
    assert os.sched_getaffinity(0) == cores


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"clients": [0]}, r"The number of clients is 0; 1 to 256 are allowed\."),
        ({"clients": []}, r"The number of clients is 0; 1 to 256 are allowed\."),
        ({"clients": [1, 257]}, r"The number of clients is 257; 1 to 256 are allowed\."),
        ({"seconds": 0.5}, r"A step takes 0\.5 s; a whole number from 1 to 600 is allowed\."),
        ({"seconds": 1.5}, r"A step takes 1\.5 s; a whole number"),
        ({"seconds": 0}, r"A step takes 0 s; a whole number"),
        ({"seconds": 601}, r"A step takes 601 s; a whole number"),
        ({"rounds": 0}, r"There are 0 rounds; 1 to 100 are allowed\."),
        ({"servers": ["flask"]}, r"The server is 'flask'; ours, .* are allowed\."),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    given: dict[str, Any] = {"clients": [1], "seconds": 1, "rounds": 1, "servers": [], **arguments}
    with pytest.raises(UsageError, match=sentence):
        measure_servers.measure(**given, progress=lambda _: None)


def test_a_missing_wrk_is_reported_before_anything_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    with pytest.raises(UsageError, match="wrk"):
        measure_servers.measure(clients=[1], seconds=1, rounds=1, servers=[], progress=said.append)
    assert said == []


@needs_wrk
@needs_python
@pytest.mark.slow
def test_this_projects_server_and_a_plain_fastapi_app_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_servers, "KINDS_OF_LOOP", ((1, 1), (1, None)))
    monkeypatch.setattr(measure_servers, "WARM_UP_SECONDS", 1)
    section = measure_servers.measure(
        clients=[2], seconds=1, rounds=1, servers=["ours", "fastapi"], progress=lambda _: None
    )
    assert section["failures"] == []
    assert [row["server"] for row in section["summary"]] == ["ours", "fastapi, 1 worker", "fastapi, 2 workers"]
    for row in section["summary"]:
        assert row["errors"] == 0
        assert all(value and value > 0 for name, value in row["figures"].items() if name != "other_cpu_share")
        assert row["baseline"]
    observed: Any = section  # an observation is any JSON
    for each in observed["starts"]:
        assert each["top_labels"][0]["label"] == "Speech"
        assert len(each["top_labels"]) == 5
    assert {loop["part"] for loop in observed["loops"]} == {"decode+run", "run"}
    around = [(step_baseline["server"], step_baseline["loops"]) for step_baseline in observed["step_baselines"]]
    turns = ["ours", "fastapi, 1 worker", "ours", "fastapi, 2 workers"]
    assert around == [(name, 2) for name in turns for _ in ("before", "after")]
    assert min(step_baseline["predictions"] for step_baseline in observed["step_baselines"]) > 0
    assert all(loop["latency_ms"] and loop["memory_mb"] > 10 for loop in observed["loops"])
    assert "fastapi" in rendered(section)


def rendered(section: Section) -> str:
    console = Console(width=200, file=io.StringIO())
    for table in server_tables.tables(section):
        console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
