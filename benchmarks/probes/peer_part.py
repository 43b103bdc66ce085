"""One part of a handler alone: its first call, and a warm call for each line read, in its own process.

Usage: python peer_part.py PART MODEL AUDIO THREADS FOLDER... ; the folders are first on the import path.

A part imports its handler first, so that a decoder runs in the same process state, and heap, as in a request.
"""

import io
import json
import re
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

part, model, audio, threads, *folders = sys.argv[1:]
sys.path[:0] = folders
path = Path(audio)
times_ms: dict[str, float] = {}
last = time.perf_counter()


def record_time(name: str) -> None:
    """Record the time since the last call under this name."""
    global last
    now = time.perf_counter()
    times_ms[name], last = (now - last) * 1000, now


def decode_ours() -> Callable[[], Any]:
    import standard_handler

    record_time("import_ms")

    data, predictor = path.read_bytes(), standard_handler.processor.predictor
    return lambda: predictor.model.contract.input.decode(data, predictor.limits)


def decode_librosa() -> Callable[[], Any]:
    librosa = import_module("usual_handler").librosa
    record_time("import_ms")
    return lambda: librosa.load(path, sr=16_000, mono=True)


def decode_alone() -> Callable[[], Any]:
    """libsndfile's own time: neither mixed down nor resampled."""
    import soundfile

    import standard_handler  # noqa: F401

    record_time("import_ms")
    data = path.read_bytes()
    return lambda: soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)


def run_onnx() -> Callable[[], Any]:
    from inference.model import Model

    record_time("import_ms")
    loaded = Model.load(Path(model), threads=int(threads))
    record_time("load_ms")
    feeds = {"waveform": _samples()}
    return lambda: loaded.session.run(["scores"], feeds)


def run_tflite() -> Callable[[], Any]:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    record_time("import_ms")
    interpreter = Interpreter(model_path=model, num_threads=int(threads))
    interpreter.allocate_tensors()
    record_time("load_ms")
    waveform, scores = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    samples, cut = _samples(), import_module("frames").cut  # model/frames.py

    def run() -> Any:
        found = []
        for frame in cut(samples):
            interpreter.set_tensor(waveform, frame)
            interpreter.invoke()
            found.append(interpreter.get_tensor(scores)[0])
        return np.mean(found, axis=0)

    return run


def baseline() -> Callable[[], Any]:
    """Decode, mix down, resample and `session.run`, with the handler's libraries and session."""
    import soundfile
    import soxr

    import standard_handler

    record_time("import_ms")
    data, loaded = path.read_bytes(), standard_handler.processor.predictor.model
    rate_needed = loaded.contract.input.sample_rate  # type: ignore[attr-defined]

    def run() -> Any:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
        waveform = mono if rate == rate_needed else soxr.resample(mono, rate, rate_needed)
        return loaded.session.run(["scores"], {"waveform": waveform})

    return run


def _samples() -> Any:
    import soundfile

    return soundfile.read(path, dtype="float32")[0]


parts = (decode_ours, decode_librosa, decode_alone, run_onnx, run_tflite, baseline)
call = {each.__name__: each for each in parts}[part]()
record_time("prepare_ms")
call()
record_time("first_ms")
# VmHWM and not getrusage: ru_maxrss starts at the size of the process that spawned this one.
(peak_kb,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps({**times_ms, "peak_mb": int(peak_kb) / 1024}), flush=True)
for _ in sys.stdin:
    cpu, started = time.process_time(), time.perf_counter()
    call()
    warm_ms, warm_cpu_ms = (time.perf_counter() - started) * 1000, (time.process_time() - cpu) * 1000
    print(json.dumps({"warm_ms": warm_ms, "warm_cpu_ms": warm_cpu_ms}), flush=True)
