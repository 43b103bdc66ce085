"""The same pipeline around the model's original TFLite file: soundfile and soxr, its interpreter, boto3 clients."""

import io
import os
import urllib.parse
import zipfile
from typing import Any

import boto3
import numpy as np
import soundfile
import soxr
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
FRAME_LENGTH, FRAME_HOP = 15_600, 7_680  # samples: 0.975 s, one every 0.48 s, as YAMNet was trained

model = os.environ["MODEL_S3_URI"]
s3 = boto3.client("s3")
dynamodb = boto3.client("dynamodb")
# One thread, the default: each frame is a separate run, too short to share between two.
interpreter = Interpreter(model_path=model)
interpreter.allocate_tensors()
waveform_index = interpreter.get_input_details()[0]["index"]
scores_index = interpreter.get_output_details()[0]["index"]
with zipfile.ZipFile(model) as archive:  # TFLite's metadata are a zip behind the model
    labels = archive.read("yamnet_label_list.txt").decode().splitlines()


def handler(event: dict[str, Any], context: Any) -> None:
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        scores = predict(decode(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
        best = scores.argsort()[::-1][:5]
        top = [{"M": {"label": {"S": labels[i]}, "score": {"N": str(scores[i])}}} for i in best]
        item = {
            "object_key": {"S": key},
            "label": {"S": labels[best[0]]},
            "score": {"N": str(scores[best[0]])},
            "top_labels": {"L": top},
        }
        dynamodb.put_item(TableName=os.environ["PREDICTIONS_TABLE"], Item=item)


def decode(data: bytes) -> NDArray[np.float32]:
    """A file to mono at 16 kHz, float32 [samples]."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return np.asarray(mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE))


def predict(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the frames' scores, float32 [521]; the model takes one frame at a time."""
    scores = []
    for frame in frames(samples):
        interpreter.set_tensor(waveform_index, frame)
        interpreter.invoke()
        scores.append(interpreter.get_tensor(scores_index)[0])
    return np.asarray(np.mean(scores, axis=0))


def frames(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [samples] to [frames, 15600], with silence behind the end; at least one frame."""
    hops = max(0, -(-(len(samples) - FRAME_LENGTH) // FRAME_HOP))
    padded = np.zeros(hops * FRAME_HOP + FRAME_LENGTH, np.float32)
    padded[: len(samples)] = samples
    return np.lib.stride_tricks.sliding_window_view(padded, FRAME_LENGTH)[::FRAME_HOP]
