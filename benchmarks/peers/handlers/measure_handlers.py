"""This project's handler compared with others in one run: same audio, same Python, fresh processes, in turns.

In each round all implementations are started one after the other, and then take turns at warm calls: a shared machine's
speed changes within seconds, so a call is only comparable with those right before and after it. Each turn begins with
another implementation, so that none always follows the same other one. No time here is AWS's. The result keeps every
observation, also those of the first round, which only warms the disk.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers.handlers import implementations
from benchmarks.peers.handlers.handler_observations import (
    BASELINE,
    OURS,
    About,
    Answer,
    Clip,
    Observation,
    Section,
    sum_up,
)
from benchmarks.peers.handlers.implementations import DESCRIPTIONS, TFLITE, USUAL, Implementation
from crossover.bench.probing import SPEECH, bundle_python, interactive_probe, probe, s3_event
from crossover.bench.stub_aws import StubAws, stub_aws
from crossover.errors import CrossoverError
from crossover.paths import sources

PROBES = Path(__file__).parents[2] / "probes"
RECORDING = sources() / "model/samples/loop_tabla.flac"  # 10.7 s, 44.1 kHz, stereo
THREADS = (1, 2)

Figures = dict[str, float]  # by the name of the measure
Ask = Callable[[], Figures]  # makes one call and measures it
Task = Callable[[], AbstractContextManager[tuple[Figures, Ask]]]  # starts a process; gives the start's figures
Progress = Callable[[str], None]


def measure(*, processes: int, calls: int, progress: Progress) -> Section:
    """Measure the handlers, decoding and the model alone.

    Args:
        processes: fresh processes of each implementation, and one more before them.
        calls: warm calls in each.
        progress: told what is being measured.

    Raises:
        CrossoverError: this project's own handler cannot be measured. A peer that cannot is listed with the reason.
    """
    python = bundle_python()
    progress("building the bundle")
    ours = implementations.ours()
    peers, reasons = implementations.peers(progress)
    with stub_aws(SPEECH.read_bytes()) as aws, _clips(python, ours) as clips:
        progress("asking each handler for its answer")
        answers = {OURS: _answer(python, ours, aws)}
        for peer in peers:
            try:
                answers[peer.name] = _agreeing(_answer(python, peer, aws), answers[OURS])
            except CrossoverError as error:
                reasons[peer.name] = str(error)
        here = {each.name: each for each in (ours, *peers) if each.name in answers}
        work = [
            ("handler", SPEECH.name, _handlers(python, here, aws)),
            *(("decode", clip.name, _decoders(python, here, clip)) for clip in clips),
            *(
                ("model", "1 thread" if threads == 1 else f"{threads} threads", _models(python, here, threads))
                for threads in THREADS
            ),
        ]
        observations = []
        for number, (part, subject, tasks) in enumerate(work, 1):
            progress(f"{number} of {len(work)}: {part}, {subject}, {processes} fresh processes of each implementation")
            observations += observe(part, subject, tasks, processes, calls)
        described = [_described(clip) for clip in clips]
    return {
        "processes": processes,
        "calls": calls,
        "speech": SPEECH.name,
        "implementations": {name: _about(name, here, answers, reasons) for name in DESCRIPTIONS},
        "clips": described,
        "observations": [each.to_json() for each in observations],
        "summary": sum_up(observations),
    }


def observe(part: str, subject: str, tasks: Mapping[str, Task], processes: int, calls: int) -> list[Observation]:
    """Start all implementations and call each `calls` times, in turns: once to warm the disk, then `processes` times.

    Raises:
        CrossoverError: ours or the baseline failed. A peer's failure is an observation with its error.
    """
    found = []
    for round_number in range(-1, processes):
        asks: dict[str, Ask] = {}
        starts: dict[str, Figures] = {}
        calls_of: dict[str, list[Figures]] = {name: [] for name in tasks}
        errors = dict.fromkeys(tasks, "")
        with ExitStack() as running:
            for call in range(-1, calls):  # -1: the start
                remaining = [name for name, error in errors.items() if not error]
                for name in _rotated(remaining, round_number + call + 1):
                    try:
                        if call == -1:
                            starts[name], asks[name] = running.enter_context(tasks[name]())
                        else:
                            calls_of[name].append(asks[name]())
                    except CrossoverError as failure:
                        if name in (OURS, BASELINE):
                            raise
                        errors[name] = str(failure)
        found += [
            Observation(
                part=part,
                subject=subject,
                implementation=name,
                round=round_number,
                measured={} if error else {**starts[name], **_columns(calls_of[name])},
                error=error,
            )
            for name, error in errors.items()
        ]
    return found


def _columns(calls: Sequence[Figures]) -> dict[str, list[float]]:
    """Each measure's values, call by call."""
    return {measure: [call[measure] for call in calls] for measure in (calls[0] if calls else ())}


def _rotated(names: Sequence[str], by: int) -> list[str]:
    first = by % len(names)
    return [*names[first:], *names[:first]]


def _answer(python: Path, implementation: Implementation, aws: StubAws) -> Answer:
    settings = {"MODEL_S3_URI": str(implementation.model)}
    arguments = (implementation.handler, s3_event(), *implementation.folders)
    found = probe(python, PROBES / "peer_answer.py", *arguments, endpoint=aws.url, settings=settings)
    return {"label": found["label"], "top_labels": found["top_labels"]}


def _agreeing(answer: Answer, expected: Answer) -> Answer:
    """The answer, if it is the expected one; otherwise two different tasks would be timed.

    Raises:
        CrossoverError: it has another top label.
    """
    if answer["label"] != expected["label"]:
        raise CrossoverError(f"It answers {answer['label']!r} where {expected['label']!r} is expected.")
    return answer


def _handlers(python: Path, here: dict[str, Implementation], aws: StubAws) -> dict[str, Task]:
    """From the spawn to the first answer, and warm calls after it; the baseline has warm calls only."""

    @contextmanager
    def started(implementation: Implementation) -> Iterator[tuple[Figures, Ask]]:
        arguments = (implementation.handler, s3_event(), *implementation.folders)
        settings = {"MODEL_S3_URI": str(implementation.model)}
        spawned = time.clock_gettime(time.CLOCK_MONOTONIC)
        with interactive_probe(python, PROBES / "peer_handler.py", *arguments, endpoint=aws.url, settings=settings) as (
            found,
            ask,
        ):
            yield {"cold_ms": (found.pop("finished") - spawned) * 1000, **found}, ask

    @contextmanager
    def least() -> Iterator[tuple[Figures, Ask]]:
        with _part(python, "baseline", here[OURS], SPEECH)() as (_, ask):
            yield {}, ask

    return {**{name: partial(started, each) for name, each in here.items()}, BASELINE: least}


def _decoders(python: Path, here: dict[str, Implementation], clip: Path) -> dict[str, Task]:
    """inference.audio.decode, librosa.load, and soundfile.read alone, which is the baseline."""
    parts = {OURS: (OURS, "decode_ours"), USUAL: (USUAL, "decode_librosa"), BASELINE: (OURS, "decode_alone")}
    return {name: _part(python, part, here[owner], clip) for name, (owner, part) in parts.items() if owner in here}


def _models(python: Path, here: dict[str, Implementation], threads: int) -> dict[str, Task]:
    """The bare session.run, which is its own baseline, and TFLite's interpreter."""
    parts = {OURS: "run_onnx", TFLITE: "run_tflite"}
    return {
        name: _part(python, part, here[name], SPEECH, threads=threads) for name, part in parts.items() if name in here
    }


def _part(python: Path, part: str, implementation: Implementation, audio: Path, *, threads: int = 1) -> Task:
    return partial(
        interactive_probe,
        python,
        PROBES / "peer_part.py",
        part,
        implementation.model,
        audio,
        threads,
        *implementation.folders,
        sources() / "model",
    )


@contextmanager
def _clips(python: Path, ours: Implementation) -> Iterator[list[Path]]:
    """The files to decode: the speech clip, and a recording of 10 s in three formats."""
    with TemporaryDirectory() as folder:
        written = probe(python, PROBES / "peer_clips.py", RECORDING, folder, *ours.folders)["names"]
        speech = Path(folder, "speech 16 kHz mono.wav")
        shutil.copyfile(SPEECH, speech)
        yield [*(Path(folder, name) for name in written), speech]


def _described(clip: Path) -> Clip:
    data = clip.read_bytes()
    return {"name": clip.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _about(
    name: str, here: Mapping[str, Implementation], answers: Mapping[str, Answer], reasons: Mapping[str, str]
) -> About:
    if name not in here:
        return {"description": DESCRIPTIONS[name], "unavailable": reasons[name]}
    return {
        "description": DESCRIPTIONS[name],
        "unavailable": None,
        "package_bytes": here[name].package_bytes,
        "model_bytes": here[name].model.stat().st_size,
        "answer": answers[name],
    }
