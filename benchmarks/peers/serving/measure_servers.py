"""The comparison of servers: in each turn a server is started, checked, and loaded by more and more clients.

Only one server runs at a time: an idle one would still take memory and wake up now and then, and a fresh start in each
turn gives a start-up time as well. The order changes from round to round, so that drift does not always affect the same
server. A shared machine's speed changes within seconds, so bare loops run before and after each step, and servers are
compared by their ratios to the baseline of their own steps.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from resource import RUSAGE_CHILDREN, getrusage

from benchmarks.peers.serving import wrk
from benchmarks.peers.serving.baseline import (
    DECODE_AND_RUN,
    KINDS_OF_LOOP,
    LEAD_SECONDS,
    RUN,
    BaselineRunner,
    Busy,
    baseline_runner,
    run_loop,
)
from benchmarks.peers.serving.running import CONTENT_TYPE, RunningServer, running
from benchmarks.peers.serving.server_observations import Failure, Loop, Start, Step, StepBaseline
from benchmarks.peers.serving.server_summary import Section, loop_figures, sum_up
from benchmarks.peers.serving.servers import CORES, Server, find_servers
from crossover.bench.probing import SPEECH
from crossover.errors import CrossoverError, UsageError

# Turns of this project's server in a round. Every other is compared with this one, so its figures should be the most
# precise: best with about as many turns as the square root of the number of the others. C. W. Dunnett, A multiple
# comparison procedure for comparing several treatments with a control, 1955.
OWN_TURNS_PER_ROUND = 3
WARM_UP_SECONDS = 2
IDLE_SHARE = 0.1  # of a core: what an idle server may use
MAX_LEADS = 10
MAX_CLIENTS, MAX_SECONDS, MAX_ROUNDS = 256, 600, 100


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Everything that was observed, in order."""

    loops: list[Loop] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    step_baselines: list[StepBaseline] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def measure(
    *, clients: Sequence[int], seconds: float, rounds: int, servers: Sequence[str], progress: Callable[[str], None]
) -> Section:
    """Compare servers of the same model on the speech clip of 7.1 s, posted as WAV.

    Args:
        clients: how many ask at once, one step for each number.
        seconds: of each step and of each bare loop; wrk takes whole ones.
        rounds: in which every server has a turn, and this project's several.
        servers: names, as `servers.NAMES` has them; all where there are none.
        progress: told what is being done.

    Raises:
        UsageError: an argument is not allowed, or wrk is not installed.
        CrossoverError: the bare loops cannot be run. A server that cannot is listed among the failures.
    """
    wrk = check(clients=clients, seconds=seconds, rounds=rounds, servers=servers)
    chosen = find_servers(servers)
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, sorted(cores)[:CORES])  # of everything that is started from here on
        observed = _observe(chosen, sorted(set(clients)), int(seconds), rounds, progress)
    finally:
        os.sched_setaffinity(0, cores)
    return {
        "settings": {
            "clients": sorted(set(clients)),
            "seconds": int(seconds),
            "rounds": rounds,
            "own_turns_per_round": OWN_TURNS_PER_ROUND,
            "warm_up_seconds": WARM_UP_SECONDS,
            "lead_seconds": LEAD_SECONDS,
            "cores": min(CORES, len(cores)),
            "clip": {"file": SPEECH.name, "bytes": SPEECH.stat().st_size, "content_type": CONTENT_TYPE},
            "wrk": wrk,
            "memory": "PSS",
        },
        "servers": {
            each.name: {"peer": each.peer, "workers": each.workers, "versions": each.versions()} for each in chosen
        },
        "loops": [asdict(loop) for loop in observed.loops],
        "starts": [asdict(start) for start in observed.starts],
        "steps": [asdict(step) for step in observed.steps],
        "step_baselines": [asdict(step_baseline) for step_baseline in observed.step_baselines],
        "failures": [asdict(failure) for failure in observed.failures],
        "baselines": [
            {"name": name, "part": part, "figures": loop_figures(name, part, observed.loops)}
            for name, part in dict.fromkeys((loop.name, loop.part) for loop in observed.loops)
        ],
        "summary": sum_up(observed.steps, observed.starts, observed.loops, observed.step_baselines),
    }


def check(*, clients: Sequence[int], seconds: float, rounds: int, servers: Sequence[str]) -> str:
    """Whether `measure` could begin with these arguments; returns wrk's version.

    Raises:
        UsageError: an argument is not allowed, or wrk is not installed.
    """
    for number in clients or [0]:
        if not 1 <= number <= MAX_CLIENTS:
            raise UsageError(f"The number of clients is {number}; 1 to {MAX_CLIENTS} are allowed.")
    if seconds != int(seconds) or not 1 <= seconds <= MAX_SECONDS:
        raise UsageError(f"A step takes {seconds:g} s; a whole number from 1 to {MAX_SECONDS} is allowed.")
    if not 1 <= rounds <= MAX_ROUNDS:
        raise UsageError(f"There are {rounds} rounds; 1 to {MAX_ROUNDS} are allowed.")
    find_servers(servers)
    return wrk.wrk_version()


def _observe(
    servers: Sequence[Server], clients: Sequence[int], seconds: int, rounds: int, progress: Callable[[str], None]
) -> Observed:
    observed, turns = Observed(), Counter[str]()
    servers = in_turn(_installed(servers, observed, progress))
    for number in range(1, rounds + 1):
        label = ""
        for loops, threads in KINDS_OF_LOOP:
            for part in (DECODE_AND_RUN, RUN):
                progress(f"round {number} of {rounds}: the baseline, {loops} x {threads or 'default'}, {part}")
                loop, label = run_loop(loops, threads, part, clip=SPEECH, seconds=seconds, round_number=number)
                observed.loops.append(loop)
        for server in rotated(servers, number - 1):
            turns[server.name] += 1
            progress(f"round {number} of {rounds}: {server.name}")
            try:
                with baseline_runner(SPEECH) as baselines:
                    _observe_server(server, label, baselines, clients, seconds, turns[server.name], observed)
            except CrossoverError as error:
                observed.failures.append(Failure(server=server.name, turn=turns[server.name], reason=str(error)))
    return observed


def _installed(servers: Sequence[Server], observed: Observed, progress: Callable[[str], None]) -> list[Server]:
    """Those whose environments are there; of the others the reason is kept."""
    installed = []
    for server in servers:
        progress(f"the environment of {server.peer}")
        try:
            server.python()
            installed.append(server)
        except CrossoverError as error:
            observed.failures.append(Failure(server=server.name, turn=0, reason=str(error)))
    return installed


def in_turn(servers: Sequence[Server]) -> list[Server]:
    """The turns of a round: of each other server one, and among them OWN_TURNS_PER_ROUND of this project's."""
    ours = [server for server in servers if server.is_ours]
    others = [server for server in servers if not server.is_ours]
    apart = -(-len(others) // OWN_TURNS_PER_ROUND) or 1
    parts = [others[first : first + apart] for first in range(0, len(others), apart)] or [[]]
    return [server for part in parts for server in (*ours, *part)]


def rotated(servers: Sequence[Server], places: int) -> list[Server]:
    """The same servers, starting `places` later."""
    first = places % max(1, len(servers))
    return [*servers[first:], *servers[:first]]


def _observe_server(
    server: Server,
    label: str,
    baselines: BaselineRunner,
    clients: Sequence[int],
    seconds: int,
    turn: int,
    observed: Observed,
) -> None:
    with running(server, clip=SPEECH.read_bytes(), label=label, turn=turn) as process:
        observed.starts.append(process.start)
        wrk.post(process.url, SPEECH, CONTENT_TYPE, clients=max(clients), seconds=WARM_UP_SECONDS)
        _await_rest(process, baselines)
        for number in clients:
            before = baselines.step_baseline(server.name, turn, number)
            observed.steps.append(_step(process, number, seconds, turn))
            _await_rest(process, baselines)
            observed.step_baselines.extend([*before, *baselines.step_baseline(server.name, turn, number)])


def _await_rest(process: RunningServer, baselines: BaselineRunner) -> None:
    """Wait until a server has finished the requests that wrk's clients left behind: some servers go on with them, and
    the baseline after the step would be too low.
    """
    for _ in range(MAX_LEADS):
        before = process.cpu_seconds()
        baselines.lead()
        if process.cpu_seconds() - before <= IDLE_SHARE * LEAD_SECONDS:
            return


def _step(process: RunningServer, clients: int, seconds: int, turn: int) -> Step:
    busy, server_cpu, load_cpu = Busy.now(), process.cpu_seconds(), _cpu_of_ended_children()
    counted = wrk.post(process.url, SPEECH, CONTENT_TYPE, clients=clients, seconds=seconds)
    spent = process.cpu_seconds() - server_cpu
    others = Busy.now().share_of_others(busy, spent + _cpu_of_ended_children() - load_cpu)
    return Step(
        server=process.server.name,
        turn=turn,
        clients=clients,
        seconds=counted["duration_us"] / 1e6,
        requests=counted["requests"],
        errors=counted["errors"],
        latency_us=counted["latency_us"],
        counts=counted["counts"],
        server_cpu_seconds=spent,
        wrk_cpu_seconds=counted["cpu_seconds"],
        other_cpu_share=others,
        memory_mb=process.memory_mb(),
    )


def _cpu_of_ended_children() -> float:
    """Of this process, s. During a step only wrk ends."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
