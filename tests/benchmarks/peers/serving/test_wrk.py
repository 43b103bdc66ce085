"""wrk: found, run for real against a small server, and read."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.peers.serving import wrk
from benchmarks.peers.serving.running import running
from crossover.bench.probing import SPEECH
from crossover.errors import CrossoverError, UsageError
from tests.benchmarks.peers.serving.example_observations import script_server

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


def test_a_missing_wrk_is_one_sentence_that_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        UsageError, match=r"wrk, which is not on the PATH; install it \(Debian: apt-get install wrk\)\.$"
    ):
        wrk.find_wrk()


def test_the_result_is_the_last_line_after_what_wrk_prints_itself() -> None:
    output = 'Running 1s test @ http://127.0.0.1:1/\n  2 requests in 1.00s\n{"requests": 2, "errors": {"status": 1}}\n'
    assert wrk.parse(output) == {"requests": 2, "errors": {"status": 1}}


def test_output_without_a_result_is_shown() -> None:
    with pytest.raises(CrossoverError, match="wrk printed no result but 'unable to connect'"):
        wrk.parse("unable to\nconnect\n")


@needs_wrk
def test_a_wrk_that_fails_says_why() -> None:
    with pytest.raises(CrossoverError, match=r"wrk failed: unable to connect to 127\.0\.0\.1:9"):
        wrk.post("http://127.0.0.1:9", SPEECH, "audio/wav", clients=1, seconds=1)


@needs_wrk
@pytest.mark.slow
def test_every_answer_is_in_the_histogram_and_a_refusal_is_an_error() -> None:
    with running(script_server(failing=True), clip=SPEECH.read_bytes(), label="Speech", turn=1) as server:
        counted = wrk.post(server.url, SPEECH, "audio/wav", clients=1, seconds=1)
    assert counted["requests"] > 10
    assert counted["errors"]["status"] == counted["requests"]
    assert sum(counted["counts"]) >= counted["requests"]
    assert counted["latency_us"] == sorted(counted["latency_us"])
    assert 0.9e6 < counted["duration_us"] < 10e6
    assert counted["cpu_seconds"] > 0
    assert json.loads(json.dumps(counted)) == counted
