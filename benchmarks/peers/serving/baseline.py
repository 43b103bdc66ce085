"""The baseline: bare loops in the environment of this project's container, in fresh processes and around each step."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypedDict

import psutil

from benchmarks.peers.environments import container_python
from benchmarks.peers.serving.server_observations import Loop, StepBaseline
from benchmarks.peers.serving.servers import COMMON
from crossover.bench.probing import MODEL
from crossover.errors import CrossoverError

BARE_LOOP, TIMED_LOOPS = COMMON / "bare_loop.py", COMMON / "timed_loops.py"  # run in the container's environment
DECODE_AND_RUN, RUN = "decode+run", "run"
SPARE_SECONDS = 120  # for start and end of the process
# How many loops, with how many threads a prediction: the best for one client and the best for many are among them.
KINDS_OF_LOOP: tuple[tuple[int, int | None], ...] = ((1, 1), (1, 2), (1, None), (2, 1))
STEP_BASELINE_SECONDS = 0.7  # of each bare loop before and after a step
LEAD_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Busy:
    """CPU time of the cores of this process since the machine's start.

    Attributes:
        busy: not idle, s.
        all: s.
    """

    busy: float
    all: float

    @classmethod
    def now(cls) -> Self:
        """From /proc/stat, of the cores that this process may run on."""
        cores = psutil.cpu_times(percpu=True)
        mine = [cores[core] for core in os.sched_getaffinity(0)]
        idle = sum(core.idle + core.iowait for core in mine)
        # Guests' time is part of user and nice already.
        every = sum(sum(core) - core.guest - core.guest_nice for core in mine)
        return cls(busy=every - idle, all=every)

    def share_of_others(self, before: Self, known: float) -> float:
        """The share of the time since `before` that was busy beyond the `known` seconds, 0 to 1."""
        spent = self.all - before.all
        return max(0.0, self.busy - before.busy - known) / spent if spent else 0.0


def run_loop(
    loops: int, threads: int | None, part: str, *, clip: Path, seconds: float, round_number: int
) -> tuple[Loop, str]:
    """Run loops in a fresh process.

    Returns:
        What was observed, and the label that the clip got.

    Raises:
        CrossoverError: the process failed.
    """
    chosen = "default" if threads is None else str(threads)
    script = [str(container_python()), str(BARE_LOOP)]
    before, started = Busy.now(), time.monotonic()
    try:
        answer = subprocess.run(
            [*script, str(MODEL), str(clip), str(loops), chosen, part, str(seconds)],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=seconds + SPARE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise CrossoverError(f"The bare loop did not end within {seconds + SPARE_SECONDS:g} s.") from None
    after = Busy.now()
    if answer.returncode:
        last = answer.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        raise CrossoverError(f"The bare loop failed: {last[0]}")
    result = json.loads(answer.stdout)
    loop = Loop(
        loops=loops,
        threads=threads,
        part=part,
        round=round_number,
        seconds=result["seconds"],
        cpu_seconds=result["cpu_seconds"],
        latency_ms=result["latency_ms"],
        first_prediction_seconds=result["first_prediction"] - started,
        memory_mb=result["memory_mb"],
        other_cpu_share=after.share_of_others(before, result["process_cpu_seconds"]),
    )
    return loop, result["answer"]["top_labels"][0]["label"]


class Answer(TypedDict):
    """What timed_loops.py answers."""

    seconds: float
    cpu_seconds: float
    predictions: int


class BaselineRunner:
    """Runs bare loops around the steps, in one process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def step_baseline(self, server: str, turn: int, clients: int) -> list[StepBaseline]:
        """Measure the kinds of loop that may be the fastest with this number of clients.

        Raises:
            CrossoverError: the process failed.
        """
        shapes: Sequence[tuple[int, int | None]] = [(1, 2), (1, None)] if clients == 1 else [(2, 1)]
        return [
            StepBaseline(
                server=server,
                turn=turn,
                clients=clients,
                loops=loops,
                threads=threads,
                **self._ask(f"{loops} {threads or 'default'} {STEP_BASELINE_SECONDS}"),
            )
            for loops, threads in shapes
        ]

    def lead(self) -> None:
        """Keep the cores busy for LEAD_SECONDS with bare loops that are not counted.

        Idle cores are about 6 % slower at first, and no server's step begins on idle cores.

        Raises:
            CrossoverError: the process failed.
        """
        self._ask(f"2 1 {LEAD_SECONDS}")

    def _ask(self, question: str) -> Answer:
        assert self._process.stdin and self._process.stdout and self._process.stderr
        try:
            print(question, file=self._process.stdin, flush=True)
            answer: Answer = json.loads(self._process.stdout.readline())
            return answer
        except (ValueError, BrokenPipeError):
            said = self._process.stderr.read().strip().splitlines()[-1:] or ["it printed nothing"]
            raise CrossoverError(f"The bare loop failed: {said[0]}") from None


@contextmanager
def baseline_runner(clip: Path) -> Iterator[BaselineRunner]:
    """A process for bare loops on this clip; it ends with the block, or with this process."""
    process = subprocess.Popen(
        [str(container_python()), str(TIMED_LOOPS), str(MODEL), str(clip)],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the other
    )
    try:
        yield BaselineRunner(process)
    finally:
        process.kill()
        process.communicate()
