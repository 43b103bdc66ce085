"""This project's handler beside others, in one run: same audio, same Python, fresh processes, sides interleaved.

In each round every side is started, one after the other, and then they take turns at warm calls: a shared machine's
speed changes within seconds, so only what is called right after another compares with it. The order of the sides moves
on by one each turn, so that none always follows the same other. Nothing here is an AWS figure. Every observation is
kept in the result, those of the first round too, which only warms the disk.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peers.handlers import sides
from benchmarks.peers.handlers.observation import LIMIT, OURS, Observation, sum_up
from benchmarks.peers.handlers.sides import TFLITE, USUAL, WHAT, Side
from crossover.bench.probing import SPEECH, asked_probe, bundle_python, probe, s3_event
from crossover.bench.stub_aws import StubAws, stub_aws
from crossover.errors import CrossoverError
from crossover.paths import sources

PROBES = Path(__file__).parents[2] / "probes"
RECORDING = sources() / "model/samples/loop_tabla.flac"  # 10.7 s, 44.1 kHz, stereo
THREADS = (1, 2)

Ask = Callable[[], dict[str, Any]]  # one call, and what was measured of it
Task = Callable[[], AbstractContextManager[tuple[dict[str, Any], Ask]]]  # what was measured of the start comes first
Progress = Callable[[str], None]


def measure(*, processes: int, calls: int, progress: Progress) -> dict[str, Any]:
    """Measure the handlers, decoding and the model alone.

    Args:
        processes: fresh processes of each side, and one more before them.
        calls: warm calls in each.
        progress: told what is under way.

    Returns:
        For JSON: `processes`, `calls`; `speech`, the clip that handlers and model are measured on; `sides` by name,
        with what each is, its sizes in bytes and its answer, or why it is `unavailable`; `clips`, the files that were
        decoded; `observations`; and `summary`, see `observation.sum_up`.

    Raises:
        CrossoverError: this project's own handler cannot be measured. A peer that cannot is a side with a reason.
    """
    python = bundle_python()
    progress("building the bundle")
    ours = sides.ours()
    peers, reasons = sides.peers(progress)
    with stub_aws(SPEECH.read_bytes()) as aws, _clips(python, ours) as clips:
        progress("asking each handler for its answer")
        answers = {OURS: _answer(python, ours, aws)}
        for peer in peers:
            try:
                answers[peer.name] = _agreeing(_answer(python, peer, aws), answers[OURS])
            except CrossoverError as error:
                reasons[peer.name] = str(error)
        here = {side.name: side for side in (ours, *peers) if side.name in answers}
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
            progress(f"{number} of {len(work)}: {part}, {subject}, {processes} fresh processes of each side")
            observations += observe(part, subject, tasks, processes, calls)
        described = [_described(clip) for clip in clips]
    return {
        "processes": processes,
        "calls": calls,
        "speech": SPEECH.name,
        "sides": {name: _about(name, here, answers, reasons) for name in WHAT},
        "clips": described,
        "observations": [each.to_dict() for each in observations],
        "summary": sum_up(observations),
    }


def observe(part: str, subject: str, tasks: dict[str, Task], processes: int, calls: int) -> list[Observation]:
    """Start all sides and let them take turns at `calls` calls, once to warm the disk and then `processes` times.

    Raises:
        CrossoverError: ours, or the limit, failed. What a peer fails at is an observation with its error.
    """
    found = []
    for round_number in range(-1, processes):
        asks: dict[str, Ask] = {}
        measured: dict[str, dict[str, Any]] = {}
        errors = dict.fromkeys(tasks, "")
        with ExitStack() as running:
            for call in range(-1, calls):  # -1: the start
                for side in _turned([name for name, error in errors.items() if not error], round_number + call + 1):
                    try:
                        if call == -1:
                            measured[side], asks[side] = running.enter_context(tasks[side]())
                        else:
                            for measure, value in asks[side]().items():
                                measured[side].setdefault(measure, []).append(value)
                    except CrossoverError as failure:
                        if side in (OURS, LIMIT):
                            raise
                        errors[side], measured[side] = str(failure), {}
        found += [
            Observation(part=part, subject=subject, side=side, round=round_number, measured=measured[side], error=error)
            for side, error in errors.items()
        ]
    return found


def _turned(names: Sequence[str], by: int) -> list[str]:
    first = by % len(names)
    return [*names[first:], *names[:first]]


def _answer(python: Path, side: Side, aws: StubAws) -> dict[str, Any]:
    settings = {"MODEL_S3_URI": str(side.model)}
    arguments = (side.handler, s3_event(), *side.folders)
    return probe(python, PROBES / "peer_answer.py", *arguments, endpoint=aws.url, settings=settings)


def _agreeing(answer: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """The answer, if it is the expected one: else two different things would be timed.

    Raises:
        CrossoverError: it has another top label.
    """
    if answer["label"] != expected["label"]:
        raise CrossoverError(f"It answers {answer['label']!r} where {expected['label']!r} is expected.")
    return answer


def _handlers(python: Path, here: dict[str, Side], aws: StubAws) -> dict[str, Task]:
    """Spawn to the first answer, and warm calls after it; the limit knows warm calls only."""

    @contextmanager
    def started(side: Side) -> Iterator[tuple[dict[str, Any], Ask]]:
        arguments = (side.handler, s3_event(), *side.folders)
        settings = {"MODEL_S3_URI": str(side.model)}
        spawned = time.clock_gettime(time.CLOCK_MONOTONIC)
        with asked_probe(python, PROBES / "peer_handler.py", *arguments, endpoint=aws.url, settings=settings) as (
            found,
            ask,
        ):
            yield {"cold_ms": (found.pop("finished") - spawned) * 1000, **found}, ask

    @contextmanager
    def least() -> Iterator[tuple[dict[str, Any], Ask]]:
        with _part(python, "least", here[OURS], SPEECH)() as (_, ask):
            yield {}, ask

    return {**{name: partial(started, side) for name, side in here.items()}, LIMIT: least}


def _decoders(python: Path, here: dict[str, Side], clip: Path) -> dict[str, Task]:
    """inference.audio.decode, librosa.load, and soundfile.read alone, which is the limit."""
    parts = {OURS: (OURS, "decode_ours"), USUAL: (USUAL, "decode_librosa"), LIMIT: (OURS, "decode_alone")}
    return {name: _part(python, part, here[side], clip) for name, (side, part) in parts.items() if side in here}


def _models(python: Path, here: dict[str, Side], threads: int) -> dict[str, Task]:
    """The bare session.run, which is its own limit, and TFLite's interpreter."""
    parts = {OURS: "run_onnx", TFLITE: "run_tflite"}
    return {
        name: _part(python, part, here[name], SPEECH, threads=threads) for name, part in parts.items() if name in here
    }


def _part(python: Path, part: str, side: Side, audio: Path, *, threads: int = 1) -> Task:
    return partial(
        asked_probe,
        python,
        PROBES / "peer_part.py",
        part,
        side.model,
        audio,
        threads,
        *side.folders,
        sources() / "model",
    )


@contextmanager
def _clips(python: Path, ours: Side) -> Iterator[list[Path]]:
    """The files to decode: the speech clip, and a recording of 10 s in three formats."""
    with TemporaryDirectory() as folder:
        written = probe(python, PROBES / "peer_clips.py", RECORDING, folder, *ours.folders)["names"]
        speech = Path(folder, "speech 16 kHz mono.wav")
        shutil.copyfile(SPEECH, speech)
        yield [*(Path(folder, name) for name in written), speech]


def _described(clip: Path) -> dict[str, Any]:
    data = clip.read_bytes()
    return {"name": clip.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _about(
    name: str, here: dict[str, Side], answers: dict[str, dict[str, Any]], reasons: dict[str, str]
) -> dict[str, Any]:
    if name not in here:
        return {"what": WHAT[name], "unavailable": reasons[name]}
    side = here[name]
    sizes = {"package_bytes": side.package_bytes, "model_bytes": side.model.stat().st_size}
    return {"what": WHAT[name], "unavailable": None, **sizes, "answer": answers[name]}
