"""Scripts in fresh interpreters: their answers, and the message where there is none. No time is asserted."""

import sys
import time
from pathlib import Path

import pytest

from crossover.bench import probing
from crossover.bench.probing import interactive_probe, probe
from crossover.errors import CrossoverError

PYTHON = Path(sys.executable)
COUNTER = """
import json, os, sys
print(json.dumps({"start": sys.argv[1:], "endpoint": os.environ["AWS_ENDPOINT_URL"]}), flush=True)
for number, _ in enumerate(sys.stdin, 1):
    if number == 3:
        raise ValueError("three is too many")
    print(json.dumps({"call": number}), flush=True)
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    for name, text in {
        "counter.py": COUNTER,
        "silent.py": "raise SystemExit(3)",
        "stuck.py": "import time; time.sleep(60)",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_script_answers_at_its_start_and_each_request(scripts: Path) -> None:
    with interactive_probe(PYTHON, scripts / "counter.py", "a", 1, endpoint="http://here") as (start, ask):
        assert start == {"start": ["a", "1"], "endpoint": "http://here"}
        assert [ask(), ask()] == [{"call": 1}, {"call": 2}]


def test_a_script_that_fails_is_named_with_its_last_output(scripts: Path) -> None:
    with interactive_probe(PYTHON, scripts / "counter.py") as (_, ask):
        ask(), ask()
        for _again in range(2):  # also when it has long ended
            with pytest.raises(CrossoverError, match=r"^The probe counter\.py failed: ValueError: three is too many$"):
                ask()


def test_scripts_take_turns(scripts: Path) -> None:
    with (
        interactive_probe(PYTHON, scripts / "counter.py") as (_, first),
        interactive_probe(PYTHON, scripts / "counter.py") as (_, second),
    ):
        assert [first()["call"], second()["call"], first()["call"], second()["call"]] == [1, 1, 2, 2]


def test_a_script_that_ends_before_it_answers_is_one_sentence(scripts: Path) -> None:
    sentence = r"^The probe silent\.py failed: it printed nothing$"
    with pytest.raises(CrossoverError, match=sentence), interactive_probe(PYTHON, scripts / "silent.py"):
        pass
    with pytest.raises(CrossoverError, match=sentence):
        probe(PYTHON, scripts / "silent.py")


def test_a_script_that_does_not_end_is_ended(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PROBE_SECONDS", 0.5)
    with (
        pytest.raises(CrossoverError, match=r"^The probe stuck\.py did not answer within 0\.5 s\.$"),
        interactive_probe(PYTHON, scripts / "stuck.py"),
    ):
        pass
    with pytest.raises(CrossoverError, match=r"^The probe stuck\.py did not end within 0\.5 s\.$"):
        probe(PYTHON, scripts / "stuck.py")


def test_the_timeout_starts_with_the_request(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PROBE_SECONDS", 3.0)  # more than a busy machine takes to start an interpreter
    with interactive_probe(PYTHON, scripts / "counter.py") as (_, ask):
        time.sleep(3.1)  # while other sides have their turns
        assert ask() == {"call": 1}
