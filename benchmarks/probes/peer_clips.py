"""Writes the files to decode that are not in the repository: a recording of 10 s in stereo, in three formats.

Usage: python peer_clips.py RECORDING TARGET FOLDER... ; the folders are first on the import path.
"""

import json
import sys
from pathlib import Path

recording, target, *folders = sys.argv[1:]
sys.path[:0] = folders

import soundfile  # noqa: E402
import soxr  # noqa: E402

SECONDS = 10
samples, rate = soundfile.read(recording, dtype="float32", always_2d=True)
samples = samples[: SECONDS * rate]
written = {"flac": ("48 kHz", 48_000), "mp3": ("44.1 kHz", 44_100), "ogg": ("44.1 kHz", 44_100)}
names = []
for kind, (said, to_rate) in written.items():
    names.append(f"{SECONDS} s {said} stereo.{kind}")
    converted = samples if to_rate == rate else soxr.resample(samples, rate, to_rate)
    soundfile.write(Path(target, names[-1]), converted, to_rate, format=kind.upper())
print(json.dumps({"names": names}))
