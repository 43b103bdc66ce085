"""What is observed of servers and of the baseline in each turn; the result keeps all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from crossover.deployed import LabelScore


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start of a server in a fresh process.

    Attributes:
        server: its name.
        turn: of this server, from 1 on.
        ready_seconds: from spawn until it reports that it is ready, s.
        first_prediction_seconds: from spawn until the first prediction has arrived, s.
        top_labels: that prediction: labels with scores, best first.
    """

    server: str
    turn: int
    ready_seconds: float
    first_prediction_seconds: float
    top_labels: Sequence[LabelScore]

    @property
    def label(self) -> str:
        return self.top_labels[0]["label"] if self.top_labels else ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One server under one load for some seconds.

    Attributes:
        server, turn: as in Start.
        clients: connections, each of which sends its next request when it has its answer.
        seconds: how long it took.
        requests: those that were answered.
        errors: how many, for each kind that wrk knows; those of the kind `status` were answered with 4xx or 5xx.
        latency_us, counts: wrk's histogram: how often which latency was seen, microseconds, ascending. Where an answer
            took more than twice the mean, wrk adds the shorter waits of the requests that it kept from being sent
            (coordinated omission), so that the counts sum up to a little more than `requests`.
        server_cpu_seconds: of all the server's processes.
        wrk_cpu_seconds: of the load itself, on the same cores.
        other_cpu_share: of the cores that was neither the server's nor wrk's, 0 to 1: the kernel's work for the
            network, and whatever disturbed the step.
        memory_mb: proportional set size of all the server's processes right after the step, MB (1e6 bytes).
    """

    server: str
    turn: int
    clients: int
    seconds: float
    requests: int
    errors: Mapping[str, int]
    latency_us: Sequence[int]
    counts: Sequence[int]
    server_cpu_seconds: float
    wrk_cpu_seconds: float
    other_cpu_share: float
    memory_mb: float

    @property
    def succeeded(self) -> int:
        """Requests that were answered without an error."""
        return self.requests - self.errors["status"]

    @property
    def requests_per_second(self) -> float:
        return self.succeeded / self.seconds

    @property
    def cpu_seconds_per_request(self) -> float | None:
        """None where no request succeeded."""
        return self.server_cpu_seconds / self.succeeded if self.succeeded else None

    def percentile_ms(self, percent: float) -> float | None:
        """A percentile of the latency, ms; None without observations."""
        microseconds = percentile(self.latency_us, self.counts, percent)
        return None if microseconds is None else microseconds / 1000


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Predictions in bare loops in a fresh process, without HTTP: an upper bound for all servers.

    Attributes:
        loops: that run at once.
        threads: that one prediction may use; None leaves that to onnxruntime, whose idle threads then spin.
        part: `decode+run`, or `run` for `session.run` alone.
        round: from 1 on.
        seconds: how long they ran.
        cpu_seconds: of the process.
        latency_ms: of every prediction.
        first_prediction_seconds: from spawn until the first prediction, s.
        memory_mb: proportional set size after the loops, MB (1e6 bytes).
        other_cpu_share: as in Step, of the whole life of the process.
    """

    loops: int
    threads: int | None
    part: str
    round: int
    seconds: float
    cpu_seconds: float
    latency_ms: Sequence[float]
    first_prediction_seconds: float
    memory_mb: float
    other_cpu_share: float

    @property
    def name(self) -> str:
        return name_of(self.loops, self.threads)

    @property
    def per_second(self) -> float:
        return len(self.latency_ms) / self.seconds

    @property
    def cpu_seconds_per_prediction(self) -> float:
        return self.cpu_seconds / len(self.latency_ms)

    def percentile_ms(self, percent: float) -> float | None:
        """As of a Step."""
        return percentile(sorted(self.latency_ms), [1] * len(self.latency_ms), percent)


@dataclass(frozen=True, kw_only=True)
class StepBaseline:
    """The baseline right before or after a step: bare loops, which show how fast the machine was at that time.

    Attributes:
        server, turn, clients: of the step.
        loops, threads: as in Loop.
        seconds: how long they ran.
        predictions: in all loops.
        cpu_seconds: of the process.
    """

    server: str
    turn: int
    clients: int
    loops: int
    threads: int | None
    seconds: float
    predictions: int
    cpu_seconds: float

    @property
    def name(self) -> str:
        return name_of(self.loops, self.threads)

    @property
    def per_second(self) -> float:
        return self.predictions / self.seconds

    @property
    def cpu_seconds_per_prediction(self) -> float:
        return self.cpu_seconds / self.predictions


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A server that could not be measured, or not completely.

    Attributes:
        server: its name.
        turn: from 1 on; 0 where it could not be installed, after which it was not tried again.
        reason: one sentence.
    """

    server: str
    turn: int
    reason: str


def name_of(loops: int, threads: int | None) -> str:
    """The name of a kind of loop: `1 loop, 2 threads`."""
    of_threads = "default threads" if threads is None else counted(threads, "thread")
    return f"{counted(loops, 'loop')}, {of_threads}"


def counted(number: int, noun: str) -> str:
    """`1 loop`, `2 loops`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percentile(values: Sequence[float], counts: Sequence[int], percent: float) -> float | None:
    """The nearest-rank percentile of a histogram; None where it is empty.

    Args:
        values: ascending.
        counts: how often each was seen.
        percent: above 0, at most 100.
    """
    rank = percent / 100 * sum(counts)
    # A billionth less, for what binary fractions add.
    return next((value for value, seen in zip(values, accumulate(counts), strict=True) if seen >= rank - 1e-9), None)
