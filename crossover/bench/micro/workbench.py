"""A cold start phase by phase and the warm calls after it, in a fresh process.

S3 and DynamoDB answer on a loopback port, and the model comes from such an S3 too. So the phases that wait for AWS show
the handler's own part, and not AWS's time. INIT here is what Lambda calls runtime init and function init: from the
spawn to the imported handler. It excludes Lambda's runtime client, extensions and the download of the code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Self, TypedDict, cast

from crossover.bench import cgroup
from crossover.bench.micro.document import ColdStartJson, ProcessJson, ThrottlingJson
from crossover.bench.probing import PROBES, Subject, bundle_python, inference_bundle, probe, s3_event
from crossover.bench.stub_aws import stub_aws

MODEL_PATH = "/models/model.onnx"
# From the spawn to the first answer, each s in one of them.
COLD_PHASES = (
    "interpreter",
    "imports: botocore",
    "imports: numpy",
    "imports: onnxruntime",
    "imports: decoders",
    "imports: rest",
    "clients",
    "wait for the model",
    "session",
    "first run",
    "other",
)
BACKGROUND = "model fetch"  # while these run
WARM_PHASES = ("fetch", "decode", "inference", "store", "other")


class ProbedStart(TypedDict):
    """What probes/phases.py prints of a cold start: times of the monotonic clock and durations, s; `handler_ms` in ms.

    `fetch` is when the model's fetch began and ended.
    """

    first_line: float
    imported: float
    answered: float
    phases: dict[str, float]
    fetch: tuple[float, float]
    init_cpu: float
    cpu: float
    handler_ms: dict[str, float]


class ProbedCall(TypedDict):
    """What it prints of a warm call."""

    total_ms: float
    cpu_ms: float
    store_ms: float
    handler_ms: dict[str, float]


class Probed(TypedDict):
    """What it prints."""

    threads: int
    cold: ProbedStart
    warm: list[ProbedCall]


@dataclass(frozen=True, kw_only=True)
class ColdStart:
    """From the spawn of a process to the end of its first event.

    Attributes:
        total_ms: all of it, the sum of `phases_ms`.
        phases_ms: by COLD_PHASES: what the main thread did; each moment belongs to one phase. `interpreter` ends at the
            probe's first line, and begins with the shell that enters a control group where there is one. An import
            inside `clients` or `session` counts as an import. `session` loads the model and reads its contract.
            `first run` is the first event.
        fetch_begin_ms, fetch_end_ms: since the spawn, of the model's fetch, in the background of these phases; the main
            thread waits for it in `wait for the model` only.
        init_ms: until the handler was imported.
        init_cpu_ms: CPU time in that, of all threads.
        first_call_ms: the rest, up to the answer.
        first_call_cpu_ms: CPU time in that.
        handler_ms: the handler's own timings of the first event.
    """

    total_ms: float
    phases_ms: dict[str, float]
    fetch_begin_ms: float
    fetch_end_ms: float
    init_ms: float
    init_cpu_ms: float
    first_call_ms: float
    first_call_cpu_ms: float
    handler_ms: dict[str, float]

    @classmethod
    def read(cls, found: ProbedStart, spawned: float) -> Self:
        """From the probe's output; `spawned` is when the process was started, by the monotonic clock, s."""
        total_ms, init_ms = _ms(found["answered"] - spawned), _ms(found["imported"] - spawned)
        spent = {**found["phases"], "interpreter": found["first_line"] - spawned}
        phases = {name: _ms(spent.get(name, 0.0)) for name in COLD_PHASES[:-1]}
        begin, end = found["fetch"]
        return cls(
            total_ms=total_ms,
            phases_ms={**phases, "other": round(total_ms - sum(phases.values()), 3)},
            fetch_begin_ms=_ms(begin - spawned),
            fetch_end_ms=_ms(end - spawned),
            init_ms=init_ms,
            init_cpu_ms=_ms(found["init_cpu"]),
            first_call_ms=round(total_ms - init_ms, 3),
            first_call_cpu_ms=_ms(found["cpu"] - found["init_cpu"]),
            handler_ms=found["handler_ms"],
        )


@dataclass(frozen=True, kw_only=True)
class WarmCall:
    """One event after the first.

    Attributes:
        total_ms: all of it, the sum of `phases_ms`.
        cpu_ms: CPU time in that, of all threads.
        phases_ms: by WARM_PHASES. `decode` is to what the model takes, `store` puts the item, `other` is the
            rest: parsing the event, making the item, writing the log line.
    """

    total_ms: float
    cpu_ms: float
    phases_ms: dict[str, float]

    @classmethod
    def read(cls, found: ProbedCall) -> Self:
        """From the probe's output."""
        handler, total_ms = found["handler_ms"], round(found["total_ms"], 3)
        phases = {
            "fetch": handler["download"],
            "decode": handler["decode"],
            "inference": handler["inference"],
            "store": round(found["store_ms"], 3),
        }
        rest = round(total_ms - sum(phases.values()), 3)
        return cls(total_ms=total_ms, cpu_ms=round(found["cpu_ms"], 3), phases_ms={**phases, "other": rest})


@dataclass(frozen=True, kw_only=True)
class Process:
    """An execution environment of the standard variant: one process, from its start to its last call.

    Attributes:
        threads: that onnxruntime used for one prediction.
        cold: its start.
        warm: the later calls, each after a pause of one to two periods of the quota, so that it has a whole one.
        throttling: how much the quota has throttled; None without one.
    """

    threads: int
    cold: ColdStart
    warm: tuple[WarmCall, ...]
    throttling: cgroup.Throttling | None

    def to_json(self) -> ProcessJson:
        """The process in a result: the warm calls as one list per figure."""
        return {
            "threads": self.threads,
            "cold": cast(ColdStartJson, asdict(self.cold)),
            "warm": {
                "total_ms": [call.total_ms for call in self.warm],
                "cpu_ms": [call.cpu_ms for call in self.warm],
                "phases_ms": {name: [call.phases_ms[name] for call in self.warm] for name in WARM_PHASES},
            },
            "throttling": cast(ThrottlingJson, asdict(self.throttling)) if self.throttling else None,
        }


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """What processes are started with: an interpreter, the deployed bundle, and the URL that answers AWS requests."""

    subject: Subject
    python: Path
    bundle: Path
    endpoint: str

    def run(self, *, threads: int = 0, calls: int, group: cgroup.Group | None = None) -> Process:
        """Start a process, and call it.

        Args:
            threads: of onnxruntime for one prediction; 0 for the handler's own choice.
            calls: number of warm calls.
            group: the control group to start it in.

        Raises:
            CrossoverError: it failed.
        """
        spawned = monotonic()
        found: Probed = probe(
            self.python,
            PROBES / "phases.py",
            *(self.bundle, s3_event(self.subject.file), ",".join(self.subject.decoders)),
            *(threads, calls, cgroup.PERIOD_SECONDS),
            endpoint=self.endpoint,
            settings={"MODEL_S3_URI": f"s3:/{MODEL_PATH}"},
            started_by=group.command if group else list,
        )
        return Process(
            threads=found["threads"],
            cold=ColdStart.read(found["cold"], spawned),
            warm=tuple(map(WarmCall.read, found["warm"])),
            throttling=group.throttling() if group else None,
        )


@contextmanager
def workbench(subject: Subject) -> Iterator[Workbench]:
    """With the subject's file in each bucket, and its model in S3, until the block ends.

    Raises:
        CrossoverError: this machine has no Python of the handlers' version.
    """
    python, bundle = bundle_python(), inference_bundle(subject.kind)
    with stub_aws(subject.file.read_bytes(), {MODEL_PATH: subject.model.read_bytes()}) as aws:
        yield Workbench(subject=subject, python=python, bundle=bundle, endpoint=aws.url)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
