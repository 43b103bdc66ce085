"""`python -m benchmarks peers` on the command line. The measurements are made up."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as cli
from benchmarks.peers import measure_peers
from benchmarks.peers.handlers import measure_handlers
from benchmarks.peers.serving import measure_servers, wrk
from crossover.bench import machine
from tests.benchmarks.peers.example_document import MACHINE, document
from tests.benchmarks.peers.handlers.test_handler_tables import section as handlers_section
from tests.benchmarks.peers.serving.test_server_tables import section as serving_section


class Command:
    """Runs `python -m benchmarks peers`, and gives what it printed; notes what was measured.

    The servers' options are really checked, and wrk is looked for.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        self.measured: dict[str, dict[str, Any]] = {}
        monkeypatch.setattr(machine, "describe", lambda: MACHINE)
        monkeypatch.setattr(wrk, "wrk_version", lambda: "4.1.0")
        monkeypatch.setattr(measure_handlers, "measure", self._measure("handlers", handlers_section()))
        monkeypatch.setattr(measure_servers, "measure", self._measure("serving", serving_section()))

    def __call__(self, line: str, *arguments: str, code: int = 0) -> str:
        self.monkeypatch.setattr(sys, "argv", ["benchmarks", "peers", *line.split(), *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = self.capsys.readouterr()
        assert (ended.value.code or 0) == code, printed.err
        return printed.err if code else printed.out

    def _measure(self, part: str, section: Mapping[str, object]) -> Any:
        def measure(*, progress: Any, **given: Any) -> Mapping[str, object]:
            self.measured[part] = given
            return section

        return measure


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


def test_every_table_and_every_target_is_printed(peers: Command) -> None:
    out = peers("")
    for title in ("Handlers", "Decoding to 16 kHz mono", "1 client. ", "Memory and start. ", "Not measured"):
        assert title in out
    for sentence in measure_peers.sentences(document(handlers=handlers_section(), serving=serving_section())):
        assert f"{sentence}\n" in out
    assert "The result is" not in out


def test_options_are_what_is_measured(peers: Command) -> None:
    peers("--processes 3 --calls 4 --servers ours,fastapi --clients 4,1 --seconds 6 --rounds 2")
    assert peers.measured == {
        "handlers": {"processes": 3, "calls": 4},
        "serving": {"servers": ["ours", "fastapi"], "clients": (4, 1), "seconds": 6, "rounds": 2},
    }


def test_without_options_all_servers_are_measured_by_1_to_16_clients(peers: Command) -> None:
    peers("")
    assert peers.measured["serving"]["servers"] == []
    assert peers.measured["serving"]["clients"] == (1, 2, 4, 8, 16)


@pytest.mark.parametrize("parts", ["handlers", "serving", "serving, handlers"])
def test_only_the_parts_that_are_asked_for_are_measured(peers: Command, parts: str) -> None:
    peers("--parts", parts)
    assert set(peers.measured) == set(parts.replace(" ", "").split(","))


def test_json_is_the_result_itself_and_the_file_holds_the_same(peers: Command, tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    printed = json.loads(peers("--json --output", str(path)))
    assert printed == json.loads(path.read_text())
    assert printed["kind"] == "python -m benchmarks peers"
    assert printed["handlers"]["speech"] == "speech.wav"
    assert printed["serving"]["failures"] == serving_section()["failures"]


def test_a_result_that_is_written_is_named_in_the_end(peers: Command, tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    assert peers("--parts handlers --output", str(path)).endswith(f"The result is {path}.\n")
    assert "serving" not in json.loads(path.read_text())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--parts servers", "The part is 'servers'; handlers and serving are allowed."),
        ("--parts handlers,x", "The part is 'x'; handlers and serving are allowed."),
        ("--parts ,", "The part is ''; handlers and serving are allowed."),
        ("--servers flask", "The server is 'flask'; ours, fastapi, bentoml, "),
        ("--servers ours,flask", "The server is 'flask'; ours, fastapi, bentoml, "),
        ("--clients 0", "The number of clients is 0; 1 to 256 are allowed."),
        ("--clients 1,257", "The number of clients is 257; 1 to 256 are allowed."),
        ("--clients 1,x", "The value of --clients is '1,x'; it must be whole numbers separated by commas."),
        ("--seconds 0", "A step takes 0 s; a whole number from 1 to 600 is allowed."),
        ("--rounds 0", "There are 0 rounds; 1 to 100 are allowed."),
        ("--output gone/peers.json", "The result cannot be written to gone/peers.json: there is no folder gone."),
        ("--output .", "The result cannot be written to .: it is a folder."),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_measured(
    peers: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    error = peers(line, code=2)
    sentences = [sentence for sentence in error.splitlines() if sentence.strip()]
    assert len(sentences) == 1 and sentences[0].startswith("benchmarks: ")
    assert message in sentences[0]
    assert peers.measured == {}


@pytest.fixture
def no_wrk(peers: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(wrk, "wrk_version", wrk.find_wrk)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_wrk")
def test_a_missing_wrk_is_reported_before_the_handlers_are_measured(peers: Command) -> None:
    assert "The servers are measured with wrk, which is not on the PATH; install it" in peers("", code=2)
    assert peers.measured == {}


@pytest.mark.usefixtures("no_wrk")
def test_the_handlers_alone_need_no_wrk(peers: Command) -> None:
    peers("--parts handlers")
    assert set(peers.measured) == {"handlers"}
