"""Speed of the handlers on this machine: the phases of a cold start and a warm call, and the cost of each memory size.

All configurations take turns, so that drift of the machine affects all of them alike; no time here is AWS's. The result
keeps every observation.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from crossover.bench import cgroup, machine
from crossover.bench.micro import memory_sizes
from crossover.bench.micro.document import ColdSummary, Document, Measurement, Row, WarmSummary
from crossover.bench.micro.workbench import BACKGROUND, COLD_PHASES, WARM_PHASES, Process, Workbench, workbench
from crossover.bench.probing import PROBES, SUBJECTS, Subject, probe, proxy_bundle, s3_event
from crossover.bench.stub_aws import stub_aws
from crossover.cost.measured import ON_ONE_MACHINE
from crossover.cost.prices import Prices, load
from crossover.cost.scenario import Scenario
from crossover.errors import CrossoverError, UsageError

SCHEMA = 2
REGION = "us-east-1"  # whose prices are used: the cost model's default
MIN_MEMORY_MB, MAX_MEMORY_MB = 128, 10_240  # docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MAX_THREADS = 64
LARGE_PICTURE_CALLS = 2  # in each round
# Little and much: a scaled decoding must still read every bit of a file, of which detail has more.
LARGE_PICTURE_NOISE = (2, 8)
LEAST = {
    "audio": "decode + resample + session.run",
    "image": "Pillow's full decode, resize and normalise + session.run",
    "tensor": "np.load or json.loads + session.run",
}
"""That a handler must do, by kind of input."""
LARGE_OBJECT_BYTES = 50 * 1024**2
MB = 1e6  # as the cost model counts files

Configuration = tuple[int | None, int]  # memory size whose quota is set, or None; threads, 0 for the handler's choice
UNLIMITED: Configuration = (None, 0)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure.

    Attributes:
        calls: warm calls in each process.
        processes: fresh processes of each configuration.
        memory_mb: the sizes, MB.
        threads: of onnxruntime for one prediction.
        quota: whether to set quotas where that is possible.
        subject: the model and its file.

    Raises:
        UsageError: a memory size or number of threads is not allowed, or there is none.
    """

    calls: int
    processes: int
    memory_mb: tuple[int, ...]
    threads: tuple[int, ...]
    quota: bool = True
    subject: Subject = SUBJECTS["audio"]

    def __post_init__(self) -> None:
        _check("memory size", self.memory_mb, MIN_MEMORY_MB, MAX_MEMORY_MB)
        _check("number of threads", self.threads, 1, MAX_THREADS)


def run(options: Options, *, progress: Callable[[str], None]) -> Document:
    """Measure everything on one file.

    For another kind of input than audio the audio model's cold starts take turns with its own; for pictures a JPEG of
    12 megapixels is decoded as well.

    Args:
        options: what to measure.
        progress: told what is being measured.

    Raises:
        CrossoverError: something that a measurement needs is missing or failed.
    """
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    progress("building the bundles")
    described = machine.describe(options.subject.kind)
    proxy = proxy_bundle()
    parent, no_quota_reason = _quotas(wanted=options.quota)
    with workbench(options.subject) as bench, _compared(options.subject) as audio:
        progress("processes that only warm the disk")
        for each in filter(None, (bench, audio)):
            each.run(calls=0)
        found = _rounds(options, bench, audio, parent, progress)
        processes = found.processes
        progress("the proxy's memory")
        memory = _proxy_memory(bench.python, proxy, options.processes)
    prices = load(REGION)
    rows = _rows(options, processes, prices, has_quota=parent is not None)
    return {
        "schema": SCHEMA,
        "kind": ON_ONE_MACHINE,
        "measured_at": began,
        "machine": described,
        "settings": {
            "calls": options.calls,
            "processes": options.processes,
            "memory_mb": list(options.memory_mb),
            "threads": list(options.threads),
            "input_kind": options.subject.kind,
            "model": options.subject.model.name,
            "file": options.subject.file.name,
            "quota": f"cgroup v{parent.version}" if parent else "none",
            "no_quota_reason": no_quota_reason,
            "quota_period_ms": cgroup.PERIOD_SECONDS * 1000,
        },
        "measurements": [each.to_json() for each in (*found.measurements(options.subject.kind), memory)],
        "cold": _cold(processes[UNLIMITED]),
        "warm": _warm(processes[UNLIMITED]),
        "sweep": {
            "region": REGION,
            "price_dates": {name: prices[name].date for name in ("lambda.gb_second", "lambda.request")},
            "rows": rows,
            **memory_sizes.choose(rows),
        },
        "scenario": scenario(options.subject, processes[UNLIMITED], rows),
        "observations": [
            {"memory_mb": memory_mb, "threads_set": threads or None, **process.to_json()}
            for (memory_mb, threads), each in processes.items()
            for process in each
        ],
    }


def scenario(subject: Subject, unlimited: Sequence[Process], rows: Sequence[Row]) -> dict[str, float]:
    """The measured inputs of the cost model, as fields of cost.scenario.Scenario.

    `cpu_seconds` is the mean of all warm calls, since the number of instances depends on the sum of the work.
    `init_seconds` is the mean INIT with the model's own memory size and the handler's own number of threads, where that
    was measured. `file_mb` and `model_mb` are the sizes of the files used. `warm_seconds` is not among them: a warm
    call here does not wait for S3 and DynamoDB.
    """
    found = {
        "cpu_seconds": round(fmean(call.cpu_ms for process in unlimited for call in process.warm) / 1000, 6),
        "file_mb": subject.file.stat().st_size / MB,
        "model_mb": subject.model.stat().st_size / MB,
    }
    usual = (int(Scenario().memory_mb), unlimited[0].threads)
    for row in rows:
        if (row["memory_mb"], row["threads"]) == usual:
            found["init_seconds"] = round(fmean(row["init_ms"]) / 1000, 6)
    return found


def _quotas(*, wanted: bool) -> tuple[cgroup.Parent | None, str]:
    """Where quotas can be set, or None and why not."""
    if not wanted:
        return None, "It was switched off: --no-quota."
    try:
        return cgroup.find(), ""
    except cgroup.QuotaUnavailableError as error:
        return None, str(error)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the rounds gave.

    Attributes:
        processes: by their configuration.
        warm: durations of warm calls by what was called, ms.
        audio_ms: the audio model's cold starts, from spawn to answer; empty where it is the one that is measured.
        large: durations of decoding large pictures by what they are and how, ms; empty for other kinds than images.
    """

    processes: dict[Configuration, list[Process]]
    warm: dict[str, list[float]]
    audio_ms: list[float]
    large: dict[str, dict[str, list[float]]]

    def measurements(self, kind: str) -> list[Measurement]:
        """What was compared within the rounds."""
        made = _warm_measurements(self.warm, kind)
        if self.audio_ms:
            made.append(
                Measurement(
                    name="cold start, spawn to answer",
                    unit="ms",
                    observed=[each.cold.total_ms for each in self.processes[UNLIMITED]],
                    baseline_name="the audio model's",
                    baseline=self.audio_ms,
                    max_allowed=1.0,
                )
            )
        for name, times in self.large.items():
            made.append(
                Measurement(
                    name=f"decoding {name}",
                    unit="ms",
                    observed=times["decode"],
                    baseline_name="Pillow's full decoding, of the same label",
                    baseline=times["decode_fully"],
                    max_allowed=0.6,
                )
            )
        return made


def _compared(subject: Subject) -> AbstractContextManager[Workbench | None]:
    """The audio model, where another kind is measured."""
    return nullcontext() if subject.kind == "audio" else workbench(SUBJECTS["audio"])


def _rounds(
    options: Options,
    bench: Workbench,
    audio: Workbench | None,
    parent: cgroup.Parent | None,
    progress: Callable[[str], None],
) -> Found:
    """A process of each configuration, and one with warm calls inside it, round after round.

    Without quotas one process serves all memory sizes.
    """
    subject = options.subject
    settings = {"MODEL_S3_URI": str(subject.model)}
    sizes: Sequence[int | None] = options.memory_mb if parent else [None]
    configurations = [UNLIMITED, *((memory_mb, threads) for memory_mb in sizes for threads in options.threads)]
    processes: dict[Configuration, list[Process]] = {each: [] for each in configurations}
    found = Found(processes=processes, warm={}, audio_ms=[], large={})

    def note(into: dict[str, list[float]], times: Mapping[str, Any]) -> None:
        for name, observed in times.items():
            if isinstance(observed, list):
                into.setdefault(name, []).extend(observed)

    for number in range(1, options.processes + 1):
        for configuration in configurations:
            memory_mb, threads = configuration
            progress(f"round {number} of {options.processes}: {_name(memory_mb, threads)}")
            with _limited(parent, memory_mb) as group:
                compared = audio if configuration == UNLIMITED else None
                if compared and number % 2:  # each is the first as often as the other: what ran before has an effect
                    found.audio_ms.append(compared.run(calls=0).cold.total_ms)
                processes[configuration].append(bench.run(threads=threads, calls=options.calls, group=group))
                if compared and not number % 2:
                    found.audio_ms.append(compared.run(calls=0).cold.total_ms)
        progress(f"round {number} of {options.processes}: warm calls against {LEAST[subject.kind]}")
        arguments = (bench.bundle, s3_event(subject.file), subject.file, options.calls)
        note(found.warm, probe(bench.python, PROBES / "warm.py", *arguments, settings=settings))
        if subject.kind == "image":
            for noise in LARGE_PICTURE_NOISE:
                progress(f"round {number} of {options.processes}: a JPEG of 12 megapixels with noise of {noise} levels")
                large = (bench.bundle, subject.file, noise, LARGE_PICTURE_CALLS)
                times = probe(bench.python, PROBES / "large_picture.py", *large, settings=settings)
                name = f"a JPEG of 12 megapixels and {times['bytes'] / MB:.1f} MB"
                note(found.large.setdefault(name, {}), times)
    return found


def _limited(parent: cgroup.Parent | None, memory_mb: int | None) -> AbstractContextManager[cgroup.Group | None]:
    """A group with the quota of a memory size, as far as this machine has processors for it; else no group."""
    if parent is None or memory_mb is None:
        return nullcontext()
    return parent.quota(min(memory_sizes.vcpus_of(memory_mb), machine.processors()))


def _name(memory_mb: int | None, threads: int) -> str:
    size = "without a quota" if memory_mb is None else f"{memory_mb:,} MB"
    return f"{size}, threads {threads or 'as the handler chooses'}"


def _rows(
    options: Options, processes: Mapping[Configuration, Sequence[Process]], prices: Prices, *, has_quota: bool
) -> list[Row]:
    return [
        memory_sizes.row(
            memory_mb, processes[memory_mb if has_quota else None, threads], prices, processors=machine.processors()
        )
        for memory_mb in options.memory_mb
        for threads in options.threads
    ]


def _cold(processes: Sequence[Process]) -> ColdSummary:
    """Medians of the cold starts without a quota."""
    colds = [process.cold for process in processes]
    return {
        "n": len(colds),
        "threads": processes[0].threads,
        "median_ms": {
            "total": median(each.total_ms for each in colds),
            "init": median(each.init_ms for each in colds),
            "first_call": median(each.first_call_ms for each in colds),
            "phases": {name: median(each.phases_ms[name] for each in colds) for name in COLD_PHASES},
            "background": {BACKGROUND: round(median(each.fetch_end_ms - each.fetch_begin_ms for each in colds), 3)},
        },
    }


def _warm(processes: Sequence[Process]) -> WarmSummary:
    """Medians of the warm calls without a quota, and their CPU time."""
    calls = [call for process in processes for call in process.warm]
    return {
        "n": len(calls),
        "threads": processes[0].threads,
        "median_ms": {
            "total": median(each.total_ms for each in calls),
            "cpu": median(each.cpu_ms for each in calls),
            "phases": {name: median(each.phases_ms[name] for each in calls) for name in WARM_PHASES},
        },
        "cpu_seconds": {"mean": round(fmean(each.cpu_ms for each in calls) / 1000, 6)},
    }


def _warm_measurements(times: Mapping[str, list[float]], kind: str) -> list[Measurement]:
    def measurement(name: str, key: str, max_allowed: float | None) -> Measurement:
        return Measurement(
            name=name,
            unit="ms",
            observed=times[key],
            baseline_name=LEAST[kind],
            baseline=times["baseline"],
            max_allowed=max_allowed,
        )

    return [
        measurement("warm call, whole handler", "handler", 1.15),
        measurement("warm call, the AWS SDK's own time included", "handler_with_sdk", None),
    ]


def _proxy_memory(python: Path, proxy: Path, processes: int) -> Measurement:
    event = s3_event(size=LARGE_OBJECT_BYTES)
    with stub_aws(b"") as aws:
        peaks = [
            probe(python, PROBES / "proxy.py", proxy, event, endpoint=aws.url)["peak_mb"] for _ in range(processes)
        ]
        if aws.requests["s3"]:
            raise CrossoverError(f"The proxy asked S3 {aws.requests['s3']} times; only the container may fetch.")
    return Measurement(
        name=f"proxy, peak memory for a {LARGE_OBJECT_BYTES // 1024**2} MB object",
        unit="MB",
        observed=peaks,
        baseline_name="",
        baseline=[],
        max_allowed=100.0,
    )


def _check(what: str, values: Sequence[int], low: int, high: int) -> None:
    if not values:
        raise UsageError(f"No {what} is given; give one or more, from {low:,} to {high:,}.")
    for value in values:
        if not low <= value <= high:
            raise UsageError(f"The {what} is {value:,}; it must be from {low:,} to {high:,}.")
